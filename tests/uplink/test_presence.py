"""What the broker keeps about us."""

from agent.clock import CaptureClock
from agent.signing.envelope import open_envelope
from agent.uplink.presence import Presence, will
from agent.wire import body
from agent.wire.presence import Birth, State
from agent.wire.types import MessageType
from tests.simulators.kit import AGENT, SITE, Kit


class Shelf:
    """A broker's retained messages, on a pipe with a little room."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.kept: list[tuple[str, bytes]] = []

    def publish(self, topic: str, payload: bytes) -> bool:
        if self.room <= 0:
            return False
        self.room -= 1
        self.kept.append((topic, payload))
        return True

    @property
    def leaves(self) -> list[str]:
        return [topic.rsplit("/", 1)[1] for topic, _ in self.kept]


def presence(kit: Kit) -> Presence:
    birth = Birth(AGENT, SITE, bytes(16), bytes(16), "0.1", ("eth1",), "", {}, kit.agent.key_id, 0)
    return Presence(birth, kit.agent, CaptureClock(5))


def test_birth_once_and_state_when_it_changes(kit: Kit) -> None:
    shelf, ours = Shelf(99), presence(kit)
    for state in ("ready", "ready", "degraded", "ready"):
        ours.announce(state, shelf.publish)
    assert shelf.leaves == ["birth", "state", "state", "state"]
    ours.renew()
    ours.announce("ready", shelf.publish)
    assert shelf.leaves[4:] == ["birth", "state"]


def test_what_the_pipe_did_not_take_is_said_later(kit: Kit) -> None:
    shelf, ours = Shelf(1), presence(kit)
    ours.announce("ready", shelf.publish)
    assert (shelf.leaves, ours.state) == (["birth"], "")
    shelf.room = 1
    ours.announce("ready", shelf.publish)
    assert (shelf.leaves, ours.state) == (["birth", "state"], "ready")


def test_birth_and_state_are_signed_and_the_will_is_not(kit: Kit) -> None:
    shelf, ours = Shelf(9), presence(kit)
    ours.announce("ready", shelf.publish)
    for _, payload in shelf.kept:
        assert open_envelope(payload, kit.trust).signer.name == AGENT
    topic, payload = will(ours.birth)
    assert topic.endswith("/up/state")
    assert State.from_content(body.decode(MessageType.STATE, payload)[1]).state == "lost"
