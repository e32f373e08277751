"""Packets to biflows: what docs/flows.md says of keys, copies and fragments, once more in plain Python.

It shares no line with the program and takes nothing but tshark's fields, so that where both agree two have understood
the standards alike.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.agreement.packets import End, Packet, packet_of
from tests.agreement.reasons import COPY, FAMILY, HEADLESS, LATE_COPY, LATER_FRAGMENT, LINK, Effect, Reason
from tests.agreement.tshark import NS, Dissected

COPY_WINDOW_NS, FRAGMENT_WINDOW_NS = NS // 1000, 30 * NS
LATE_FRAMES = 256  # after so many packets one of 4,096 remembered is overwritten with a chance of 6 %
LINKS_NOT_READ = {"fddi"}


class Key(NamedTuple):
    """Direction-free: both ends, outer and inner VLAN, protocol."""

    low: End
    high: End
    vlans: tuple[int, int]
    protocol: int


class Ends(NamedTuple):
    """Packets and octets by the end that sent them."""

    packets: Counter[End]
    octets: Counter[End]


@dataclass(slots=True)
class Biflow:
    """All packets of a key, over all its records; late copies apart."""

    counts: Ends = field(default_factory=lambda: Ends(Counter(), Counter()))
    late: Ends = field(default_factory=lambda: Ends(Counter(), Counter()))
    left_out: int = 0
    reasons: set[Reason] = field(default_factory=set)
    packets: dict[tuple[str, str, tuple[int, int] | None], Packet] = field(default_factory=dict)  # one of each sort
    communities: set[str] = field(default_factory=set)  # what tshark says


def _add(ends: Ends, sender: End, octets: int) -> None:
    ends.packets[sender] += 1
    ends.octets[sender] += octets


class Grouping:
    """Takes frames in the order of the file; `flows` and `frames` (by reason) are the outcome."""

    def __init__(self) -> None:
        self.flows: dict[Key, Biflow] = {}
        self.no_ip = 0
        self.by_reason: Counter[Reason] = Counter()
        self._seen: dict[tuple[object, ...], tuple[int, int]] = {}
        self._first: dict[tuple[object, ...], tuple[int, tuple[int, int] | None]] = {}

    def take(self, frame: Dissected) -> None:
        """One frame."""
        packet = packet_of(frame)
        if packet is None:
            self.no_ip += 1
            return
        copy = self._is_copy(frame, packet)
        if packet.fragment is not None and not copy:
            self._join(frame, packet)
        reasons = packet.reasons | ({copy} if copy else set()) | _not_read(frame)
        one, other = packet.ends
        flow = self.flows.setdefault(Key(min(one, other), max(one, other), packet.vlans, packet.protocol), Biflow())
        flow.reasons |= reasons
        self.by_reason.update(reasons)
        if any(reason.effect == Effect.LEFT_OUT for reason in reasons):
            flow.left_out += 1
        elif LATE_COPY in reasons:
            _add(flow.late, one, packet.octets)
        else:
            _add(flow.counts, one, packet.octets)
            flow.packets.setdefault((packet.source, packet.destination, packet.ports), packet)
            flow.communities.add(frame.community)

    def _is_copy(self, frame: Dissected, packet: Packet) -> Reason | None:
        """A packet that repeats one of the last millisecond, in everything that a resent one would not."""
        telling = packet.ident or (packet.check and int(packet.check[0] or "0", 0))
        if packet.outer or packet.ports is None or not telling:
            return None
        what = (
            packet.source, packet.destination, packet.ports, packet.protocol, packet.ident, packet.ttl,
            packet.vlans[0], packet.octets, packet.check,
        )  # fmt: skip
        number, time_ns = self._seen.get(what, (0, 0))
        if number and 0 <= frame.time_ns - time_ns <= COPY_WINDOW_NS:
            return COPY if frame.number - number <= LATE_FRAMES else LATE_COPY
        self._seen[what] = frame.number, frame.time_ns
        return None

    def _join(self, frame: Dissected, packet: Packet) -> None:
        """A later part has the ports of its first."""
        what = packet.source, packet.destination, packet.ident, packet.protocol, packet.vlans
        if packet.fragment == 0:
            self._first[what] = frame.time_ns, packet.ports
            return
        time_ns, ports = self._first.get(what, (0, None))
        heard = ports is not None and 0 <= frame.time_ns - time_ns <= FRAGMENT_WINDOW_NS
        packet.ports = ports if heard else None
        packet.reasons.add(LATER_FRAGMENT if heard else HEADLESS)


def _not_read(frame: Dissected) -> set[Reason]:
    """Frames whose link header keeps wardtap from their packets."""
    if frame.layers[0] in LINKS_NOT_READ:
        return {LINK}
    return {FAMILY} if "null.type" in frame.values else set()  # tshark's guess at an EtherType


def grouped(frames: Iterable[Dissected]) -> Grouping:
    """The biflows of a capture."""
    grouping = Grouping()
    for frame in frames:
        grouping.take(frame)
    return grouping
