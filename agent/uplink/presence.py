"""Who we are and how we are, kept by the broker: birth once per link, state when it changes, and the will."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.clock import Clock
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.wire import body, topics
from agent.wire.presence import Birth, State
from agent.wire.types import MessageType

Publish = Callable[[str, bytes], bool]  # topic and payload, retained; whether the pipe took it


@dataclass(slots=True)
class Presence:
    """What of it the broker has on the present link."""

    birth: Birth
    key: PrivateKey
    clock: Clock
    state: str = ""  # as last published; empty on a new link
    _born: bool = False

    def renew(self) -> None:
        """A new link, or somebody asked: say everything again."""
        self.state, self._born = "", False

    def announce(self, state: str, publish: Publish) -> None:
        """Say what is not said yet; what the pipe does not take is said at the next call."""
        now_ns = self.clock.mono_ns()
        if not self._born:
            birth = replace(self.birth, mono_ns=now_ns)
            self._born = publish(self._topic("birth"), self._seal(MessageType.BIRTH, birth.to_content()))
        if state != self.state:
            held = State(self.birth.agent, state, now_ns, self.birth.run)
            if publish(self._topic("state"), self._seal(MessageType.STATE, held.to_content())):
                self.state = state

    def _topic(self, leaf: str) -> str:
        return topics.up(self.birth.site, self.birth.agent, leaf)

    def _seal(self, kind: MessageType, content: dict[str, object]) -> bytes:
        return seal(kind, body.encode(kind, None, content), [self.key])


def will(birth: Birth) -> tuple[str, bytes]:
    """What the broker publishes for us. Unsigned on purpose: a signed `lost` could be played at any time."""
    lost = State(birth.agent, "lost", birth.mono_ns, birth.run)
    return topics.up(birth.site, birth.agent, "state"), body.encode(MessageType.STATE, None, lost.to_content())
