"""Talks for the flow cache: forged frames in order of time, the cache driven as the sensor drives it, and its twin."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.records import BIFLOW, FlowEvent, Rows
from tests.forge import icmp
from tests.forge.ethernet import IPV4, IPV6, VLAN, ethernet, tagged
from tests.forge.ipv4 import ICMP, TCP, UDP, Ipv4
from tests.forge.ipv6 import ICMPV6, Ipv6
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, FIN, PSH, RST, SYN, Tcp
from tests.forge.udp import Udp
from tests.naive.biflow import Biflow, S, Timeouts, biflows
from tests.simulators.bursts import SECRET, as_dicts, rows_of

START_S = 1_793_606_400
LIMITS = FlowLimits(slots_max=4096)
TIMEOUTS = Timeouts()
HOSTS = [(f"10.1.{n // 4}.{n % 4 + 1}", f"00:d0:75:00:00:{n + 1:02x}") for n in range(8)]
HOSTS6 = [(f"fd00::{n + 1:x}", f"00:d0:75:00:01:{n + 1:02x}") for n in range(3)]
FLAGS = (SYN, SYN | ACK, ACK, ACK, PSH | ACK, PSH | ACK, FIN | ACK, RST, RST | ACK)


@dataclass(slots=True)
class Talk:
    """Frames between two hosts; times are seconds after the start."""

    ends: tuple[tuple[str, str], tuple[str, str]] = (HOSTS[0], HOSTS[1])
    ports: tuple[int, int] = (50000, 3613)
    vlan: int = 0
    frames: list[Frame] = field(default_factory=list)

    def put(self, at_s: float, protocol: int, segment: bytes, *, back: bool = False) -> None:
        """One packet of a segment that is made already."""
        (source, from_mac), (target, to_mac) = reversed(self.ends) if back else self.ends
        six = ":" in source
        packet = (
            Ipv6(source, target, protocol).octets(segment) if six else Ipv4(source, target, protocol).octets(segment)
        )
        kind = IPV6 if six else IPV4
        kind, body = tagged([(VLAN, self.vlan)], kind, packet) if self.vlan else (kind, packet)
        self.frames.append(Frame(round((START_S + at_s) * S), ethernet(to_mac, from_mac, kind, body)))

    def _sides(self, *, back: bool) -> tuple[tuple[int, int], tuple[str, str]]:
        addresses = self.ends[0][0], self.ends[1][0]
        return (self.ports[::-1], addresses[::-1]) if back else (self.ports, addresses)

    def tcp(self, at_s: float, flags: int, data: bytes = b"", *, back: bool = False) -> None:
        """One segment; no two are alike, or the second would be a mirror's copy."""
        ports, ends = self._sides(back=back)
        self.put(at_s, TCP, Tcp(*ports, len(self.frames), flags=flags).octets(*ends, data), back=back)

    def udp(self, at_s: float, data: bytes = b"", *, back: bool = False) -> None:
        """One datagram."""
        ports, ends = self._sides(back=back)
        self.put(at_s, UDP, Udp(*ports).octets(*ends, data), back=back)

    def ping(self, at_s: float, *, back: bool = False, kind: int | None = None) -> None:
        """An echo, its reply, or any other type."""
        _, ends = self._sides(back=back)
        if ":" in ends[0]:
            told = (129 if back else 128) if kind is None else kind
            self.put(at_s, ICMPV6, icmp.icmpv6(*ends, told, 0, b"\0\1\0\1ping"), back=back)
        else:
            told = (0 if back else 8) if kind is None else kind
            self.put(at_s, ICMP, icmp.icmp(told, 0, b"\0\1\0\1ping"), back=back)

    def handshake(self, at_s: float = 0) -> None:
        """SYN, SYN/ACK, ACK."""
        self.tcp(at_s, SYN)
        self.tcp(at_s, SYN | ACK, back=True)
        self.tcp(at_s, ACK)


def random_frames(rng: Random, count: int, step_s: float) -> list[Frame]:
    """Packets of a few hosts on a few ports, in every state that flags can make, with pauses of all lengths."""
    frames: list[Frame] = []
    now_s = 0.0
    for _ in range(count):
        now_s += rng.choice((0, 0, 0.001, 0.3, step_s * rng.random() * 4))
        pool = HOSTS if rng.random() < 0.85 else HOSTS6
        first, second = rng.sample(pool, 2)
        ports = rng.choice((50000, 50001)), rng.choice((104, 3613, 80, 50002))
        talk = Talk((first, second), ports, rng.choice((0, 0, 0, 5)), frames)
        kind, back, data = rng.randrange(6), rng.random() < 0.5, b"x" * rng.choice((0, 0, 1, 40))
        if kind < 3:
            talk.tcp(now_s, rng.choice(FLAGS), data, back=back)
        elif kind < 5:
            talk.udp(now_s, data, back=back)
        else:
            talk.ping(now_s, back=back, kind=rng.choice((None, None, 3, 13, 14, 135, 136)))
    return frames


def run(frames: Iterable[Frame], limits: FlowLimits = LIMITS) -> tuple[FlowCache, list[Rows]]:
    """Meter as the sensor does: what is due ends before a second's packets. Gives the cache and all events."""
    rows = rows_of(frames)
    cache, events = FlowCache(limits, SECRET), []
    seconds = np.maximum.accumulate(rows["time_ns"]) // S
    starts = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist()]
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        events += [copies.copy() for copies in cache.expire(int(seconds[start]))]
        events += [copies.copy() for copies in cache.meter(rows[start:stop], stop - start)]
        assert cache.conserved()
    events += [copies.copy() for copies in cache.expire(int(seconds[-1]), forced=True)]
    assert cache.conserved()
    assert cache.next_deadline_s() is None
    return cache, events


def ended(events: list[Rows]) -> Rows:
    """The records that left for good."""
    rows = np.concatenate(events) if events else np.zeros(0, BIFLOW)
    return rows[rows["event"] == FlowEvent.ENDED]


Told = tuple[Any, ...]


def of_kernel(record: Any) -> Told:
    """A record of the cache as the twin would tell it."""
    ports = int(record["key_ports"])
    low = (int(record["key_lo_hi"]), int(record["key_lo_lo"]), ports >> 48)
    high = (int(record["key_hi_hi"]), int(record["key_hi_lo"]), ports >> 32 & 0xFFFF)
    ends = (high, low) if record["originator_is_hi"] else (low, high)
    pairs = [
        (int(record[f"forward_{name}"]), int(record[f"reverse_{name}"]))
        for name in ("packets", "octets", "payload", "data", "resent")
    ]
    flags = (int(record["tcp_flags_forward"]), int(record["tcp_flags_reverse"]))
    macs = (int(record["originator_mac"]), int(record["responder_mac"]))
    times = tuple(int(record[name]) for name in ("first_ns", "last_ns", "rtt_responder_us", "rtt_originator_us"))
    states = tuple(int(record[name]) for name in ("state", "marks", "direction", "end_reason"))
    return (*ends, ports >> 20 & 0xFFF, ports & 0xFF, *pairs, flags, macs, times, states)


def of_twin(flow: Biflow) -> Told:
    """A record of the twin in the same form."""
    pairs = [
        (values[0], values[1])
        for values in (flow.packets, flow.octets, flow.payload, flow.data, flow.resent, flow.flags)
    ]
    states = (flow.state, flow.marks, int(flow.direction), int(flow.end_reason))
    times = (flow.first_ns, flow.last_ns, *flow.rtt_us)
    return (flow.originator, flow.responder, flow.key[2], flow.key[4], *pairs, flow.macs, times, states)


def twins(frames: list[Frame], timeouts: Timeouts = TIMEOUTS) -> list[Told]:
    """What the twin makes of the same frames."""
    return sorted(of_twin(flow) for flow in biflows(as_dicts(rows_of(frames)), timeouts))
