"""A mirror's second copies, and what only looks like one."""

import numpy as np
import pytest

from agent.packets import kernels_mirror as mirror
from agent.packets.records import PACKET, VERDICTS, Rows, Verdict
from tests.forge.ethernet import IPV4, VLAN, ethernet, tagged
from tests.forge.ipv4 import ICMP, TCP, UDP, Ipv4
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES, Heard, burst_of, decode

A, B = "10.1.0.5", "10.1.0.9"
US, MS = 1_000, 1_000_000
pytestmark = HASHES


def packet(ident: int = 7, ttl: int = 64, vlan: int = 0, seq: int = 1, size: int = 4) -> bytes:
    """A TCP segment."""
    body = Ipv4(A, B, TCP, ttl, ident).octets(Tcp(40000, 104, seq).octets(A, B, b"x" * size))
    kind, body = tagged([(VLAN, vlan)], IPV4, body) if vlan else (IPV4, body)
    return ethernet("00:d0:75:00:00:01", "d4:ae:52:00:00:02", kind, body)


def marked(*heard: tuple[int, bytes], state: np.ndarray | None = None) -> Rows:  # type: ignore[type-arg]
    """Rows of frames at times in ns, after marking; the verdict counts are checked."""
    rows = decode(burst_of(Heard(octets, time_ns=time) for time, octets in heard))
    verdicts = np.bincount(rows["verdict"], minlength=VERDICTS)
    recent = np.zeros((mirror.SLOTS, mirror.WORDS), np.uint64) if state is None else state
    mirror.mark_duplicates(rows, len(rows), recent, verdicts)
    assert verdicts.tolist() == np.bincount(rows["verdict"], minlength=VERDICTS).tolist()
    return rows


def copies(*heard: tuple[int, bytes]) -> list[bool]:
    """Which of them are second copies."""
    return [verdict == Verdict.DUPLICATE for verdict in marked(*heard)["verdict"].tolist()]


def test_second_and_third_copies() -> None:
    assert copies((0, packet()), (3 * US, packet()), (5 * US, packet())) == [False, True, True]
    assert not marked((0, packet()), (1, packet()))["hint"].any()


def test_a_millisecond_is_the_bound() -> None:
    assert copies((0, packet()), (MS, packet())) == [False, True]
    assert copies((0, packet()), (MS + 1, packet())) == [False, False]
    assert copies((0, packet()), (MS, packet()), (MS + 1, packet())) == [False, True, False], "counted from the first"


@pytest.mark.parametrize("other", [packet(ident=8), packet(ttl=63), packet(vlan=5), packet(seq=2), packet(size=5)])
def test_another_packet_or_another_hop_is_no_copy(other: bytes) -> None:
    assert copies((0, packet()), (1, other), (2, packet())) in ([False, False, True], [False, False, False])
    assert copies((0, packet()), (1, other))[1] is False


@pytest.mark.parametrize("hop", [{"ttl": 63}, {"vlan": 5}])
def test_copies_of_two_hops_that_take_turns(hop: dict[str, int]) -> None:
    """A mirror of both sides of a router, as in a real capture of a camera."""
    near, far = packet(), packet(**hop)
    assert copies((0, near), (1, far), (2, near), (3, far)) == [False, False, True, True]


def test_copies_are_found_across_bursts() -> None:
    recent = np.zeros((mirror.SLOTS, mirror.WORDS), np.uint64)
    marked((0, packet()), state=recent)
    assert marked((US, packet()), state=recent)["verdict"].tolist() == [Verdict.DUPLICATE]


def test_nothing_to_tell_a_repeat_by() -> None:
    body = Ipv4(A, B, UDP, ident=0).octets(Udp(5, 6, check=0).octets(A, B, b"x"))
    frame = ethernet("00:d0:75:00:00:01", "d4:ae:52:00:00:02", IPV4, body)
    assert copies((0, frame), (1, frame)) == [False, False]


def test_time_backwards_is_no_copy() -> None:
    assert copies((10 * MS, packet()), (0, packet())) == [False, False]


def test_tunnels_fragments_and_link_frames_are_left() -> None:
    inner = ethernet("00:d0:75:00:00:01", "d4:ae:52:00:00:02", IPV4, Ipv4(A, B, 4).octets(packet()[14:]))
    part = next(iter(reversed(list(Ipv4(A, B, ICMP, ident=3).fragments(bytes(64), 32)))))
    later = ethernet("00:d0:75:00:00:01", "d4:ae:52:00:00:02", IPV4, part)
    arp = ethernet("ff:ff:ff:ff:ff:ff", "d4:ae:52:00:00:02", 0x0806, bytes(28))
    for frame in (inner, later, arp):
        assert copies((0, frame), (1, frame)) == [False, False]


def test_a_table_of_zeros_marks_no_row_of_zeros() -> None:
    rows, recent = np.zeros(3, PACKET), np.zeros((mirror.SLOTS, mirror.WORDS), np.uint64)
    rows["flags"], rows["ip_id"] = 64, 1
    rows["time_ns"] = [5, 6, 7]
    mirror.mark_duplicates(rows, 3, recent, np.array([3] + [0] * (VERDICTS - 1)))
    assert rows["verdict"].tolist() == [0, Verdict.DUPLICATE, Verdict.DUPLICATE]
