"""The comparison itself: whatever is changed on one side is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agreement.biflows import Key
from tests.agreement.community import library
from tests.agreement.compare import compare
from tests.agreement.records import Metered, Replayed, replayed
from tests.agreement.tshark import PROGRAM, Told, told
from tests.flows.talks import Talk
from tests.forge.pcap import Pcap
from tests.forge.tcp import ACK, FIN
from tests.simulators.bursts import THIN

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no tshark here: install Debian's tshark"),
    pytest.mark.skipif(THIN > 1, reason="too long without the JIT"),
]
OTHER = Key(("10.9.9.9", 1), ("10.9.9.9", 2), (0, 0), 6)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Told, Replayed]:
    """A session on a VLAN with a copy of one packet, and a ping; as both tools tell them."""
    talk = Talk(vlan=5)
    talk.handshake(0)
    talk.tcp(1, ACK, b"x" * 30)
    talk.frames.append(talk.frames[-1]._replace(time_ns=talk.frames[-1].time_ns + 1000))
    talk.tcp(2, FIN | ACK, back=True)
    talk.ping(3)
    talk.ping(4, back=True)
    path = tmp_path / "talk.pcap"
    path.write_bytes(Pcap().octets(talk.frames))
    return told(path), replayed(path)


def first(found: Replayed) -> tuple[Key, Metered]:
    """The TCP session."""
    return next((key, flow) for key, flow in found.flows.items() if key.protocol == 6)


def test_equal(both: tuple[Told, Replayed]) -> None:
    outcome = compare(*both)
    assert not outcome.differences
    assert (outcome.frames, outcome.packets, outcome.biflows, outcome.equal) == (8, 7, 2, 2)
    assert {reason.name: number for reason, number in outcome.frames_by.items()} == {"copy": 1}
    assert outcome.ids == (2 if library() else 0)
    assert outcome.ids_of_tshark == 2


def fewer_packets(found: Replayed) -> None:
    flow = first(found)[1]
    flow.counts.packets[next(iter(flow.counts.packets))] -= 1


def more_octets(found: Replayed) -> None:
    flow = first(found)[1]
    flow.counts.octets[next(iter(flow.counts.octets))] += 4


def other_way(found: Replayed) -> None:
    counts = first(found)[1].counts
    one, other = counts.octets
    counts.octets[one], counts.octets[other] = counts.octets[other], counts.octets[one]


def gone(found: Replayed) -> None:
    del found.flows[first(found)[0]]


def invented(found: Replayed) -> None:
    found.flows[OTHER] = Metered()


def other_vlan(found: Replayed) -> None:
    key, flow = first(found)
    del found.flows[key]
    found.flows[key._replace(vlans=(6, 0))] = flow


def other_id(found: Replayed) -> None:
    first(found)[1].communities = {"1:AAAA"}


def lost_copy(found: Replayed) -> None:
    found.coverage["ignored"].clear()


def lost_frame(found: Replayed) -> None:
    found.coverage["frames"] -= 1


@pytest.mark.parametrize(
    "change",
    [fewer_packets, more_octets, other_way, gone, invented, other_vlan, other_id, lost_copy, lost_frame],
)
def test_a_change_is_a_difference(change: Callable[[Replayed], None], both: tuple[Told, Replayed]) -> None:
    change(both[1])
    assert compare(*both).differences


def test_tsharks_own_conversations_are_a_second_opinion(both: tuple[Told, Replayed]) -> None:
    heard, found = both
    assert compare(heard, found).not_as_conversations == 2, "the copy is counted twice there"
    straight = Told([frame for frame in heard.frames if frame.number != 5], heard.conversations.copy())
    found.coverage["frames"] -= 1
    found.coverage["ignored"].clear()
    texts = compare(straight, found).differences
    assert any(text.startswith("conversation") for text in texts), texts
