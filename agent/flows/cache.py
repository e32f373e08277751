"""The flow cache: owns the table, applies the timeouts, hands out events.

Limits and their reasons are in `config.Metering`; the arithmetic of a packet is in `kernels.py`.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agent.flows import kernels, kernels_key, kernels_shared, lifecycle, sets
from agent.flows.keys import TCP
from agent.flows.lifecycle import FEW_PACKETS, SERVERS_KEY, SERVERS_SIZE
from agent.flows.records import BIFLOW, Rows
from agent.jit import Hashes, Slots, aligned_rows

EVENTS_PER_CALL = 1 << 15  # 8192 rows of four events each: one call takes a whole burst
UNANSWERED_TIMEOUT_S = 30  # an unanswered datagram is a failed contact after this; resolvers retry for 5 to 15 s


WAYS_ROWS_MAX = 4096  # flows that are looked at for their ways: a share, and rows of 192 octets


class Told(NamedTuple):
    """What one call of `meter_into` gave out."""

    events: int
    at_once: int  # of them, those that left at once: ends; the others were told at the end of the call
    causes: Slots  # by event: the row behind it. Both parts are in the order of their rows


class Ways(NamedTuple):
    """Which ways the packets of open TCP biflows went, of those that were looked at."""

    flows: int
    both: int
    one: int  # more packets than a connection's tries have, and none came back: the other way is not heard


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """Timeouts in seconds, slots in flows (a power of two of at least 64)."""

    slots_max: int = 131_072
    tcp_idle_timeout_s: int = 600
    udp_idle_timeout_s: int = 120
    half_open_timeout_s: int = 10
    closed_timeout_s: int = 2
    active_timeout_s: int = 3600

    def __post_init__(self) -> None:
        assert self.slots_max >= 64
        assert self.slots_max & (self.slots_max - 1) == 0, "the set index is taken from the low bits of a hash"
        assert self.half_open_timeout_s <= self.tcp_idle_timeout_s

    def as_row(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """The kernel's `limits`."""
        return np.array(
            [
                self.tcp_idle_timeout_s,
                self.udp_idle_timeout_s,
                self.half_open_timeout_s,
                self.closed_timeout_s,
                self.active_timeout_s,
                min(UNANSWERED_TIMEOUT_S, self.udp_idle_timeout_s),
            ],
            np.int64,
        )


class FlowCache:
    """Biflows by key. Each call gives the events it caused, as slices of one buffer that the next call reuses."""

    def __init__(
        self, limits: FlowLimits, secret: tuple[int, int] | None = None, servers: Hashes | None = None
    ) -> None:
        """`servers`: what the caches of several workers learn together."""
        drawn = secret or (secrets.randbits(64), secrets.randbits(64))
        self._secret = np.array(drawn, np.uint64)
        self._slots = aligned_rows(limits.slots_max, BIFLOW)
        self._tags = np.zeros(limits.slots_max, np.uint16)
        self._due_s = aligned_rows(limits.slots_max // sets.WAYS, sets.DUE)["due_s"]
        self._groups_s = np.full(limits.slots_max // kernels.GROUP, kernels.NEVER_S, np.int64)
        self._limits = np.append(limits.as_row(), 1)
        self._scratch = np.zeros((kernels_key.SCRATCH, kernels_key.ABREAST), np.uint64)
        self._scratch_ahead = np.zeros_like(self._scratch)
        self._out = aligned_rows(EVENTS_PER_CALL, BIFLOW)
        self.servers: Hashes = np.zeros(SERVERS_SIZE, np.uint64) if servers is None else servers
        self.servers[:SERVERS_KEY] = self._secret
        self._moved = np.zeros((kernels.MOVES, EVENTS_PER_CALL), np.uint32)
        self.counts = np.zeros(kernels.COUNTS, np.int64)

    def hash(self, rows: Rows, count: int) -> None:
        """Set the digests of rows."""
        kernels_key.hash_flows(rows, count, self._secret, self._scratch)

    def hash_ahead(self, rows: Rows, count: int) -> None:
        """As `hash`; touches nothing that the rest of the cache touches, so one other thread may do it ahead."""
        kernels_key.hash_flows(rows, count, self._secret, self._scratch_ahead)

    def meter(self, rows: Rows, count: int) -> Iterator[Rows]:
        """Hash and count decoded rows."""
        self.hash(rows, count)
        yield from self.meter_hashed(rows, count)

    def meter_hashed(self, rows: Rows, count: int, *, every_end: bool = True) -> Iterator[Rows]:
        """Count hashed rows; yields events as they fill the buffer (once, for bursts of up to 8192 rows).

        Without `every_end` flows that leave for lack of room are told only if their end says something that was not
        told before: somebody answered or refused, or they may be of a clinical protocol.
        """
        self._limits[lifecycle.EVERY_END] = every_end
        at, n = 0, -1
        while at < count or n < 0:
            at, n, _ = self._meter(rows, at, count, self._out)
            if n:
                yield self._out[:n]

    def _meter(self, rows: Rows, at: int, count: int, out: Rows) -> tuple[int, int, int]:
        return kernels.meter_burst(
            rows, at, count, self._slots, self._tags, self._due_s, self._groups_s, self._limits, self.counts,
            out, self._moved, self.servers,
        )  # fmt: skip

    def share(self, rows: Rows, count: int) -> None:
        """What the other workers must know of rows before any of them meters its own, and what this one must name."""
        kernels_shared.share_rows(rows, count, self._secret, self.servers)

    def meter_into(self, rows: Rows, count: int, out: Rows) -> Told:
        """Count hashed rows; their events go into `out`, which has room for EVENTS_PER_PACKET of each row."""
        assert count * kernels.EVENTS_PER_PACKET <= len(out) <= EVENTS_PER_CALL
        _, n, at_once = self._meter(rows, 0, count, out)
        return Told(n, at_once, self._moved[kernels.CAUSE, :n])

    def no_events(self) -> Rows:
        """An empty table of events."""
        none: Rows = self._out[:0]
        return none

    def expire(self, now_s: int, *, forced: bool = False) -> Iterator[Rows]:
        """End flows whose deadline has passed; all of them when the program drains."""
        group = 0
        while group < len(self._groups_s):
            group, n = kernels.expire_flows(
                now_s, forced, group, self._slots, self._tags, self._due_s, self._groups_s, self.counts, self._out
            )
            if n:
                yield self._out[:n]

    def update(self) -> Iterator[Rows]:
        """Events of the living flows that have moved since they were last told of: an interval closes."""
        slot = 0
        while slot < len(self._tags):
            slot, n = kernels.update_flows(slot, self._slots, self._tags, self.counts, self._out)
            if n:
                yield self._out[:n]

    def next_deadline_s(self) -> int | None:
        """No flow ends before this second; None when none is open."""
        earliest = int(kernels.next_deadline(self._groups_s))
        return None if earliest == kernels.NEVER_S else earliest

    @property
    def metered(self) -> int:
        """Packets that were counted in flows."""
        return int(self.counts[kernels.PACKETS])

    @property
    def evicted(self) -> int:
        """Flows that left for lack of room."""
        return int(self.counts[kernels.EVICTED])

    @property
    def exported(self) -> int:
        """Records that left for good."""
        return int(self.counts[kernels.EXPORTED])

    @property
    def open(self) -> int:
        """Flows in the table."""
        return int(self.counts[kernels.IN_TABLE])

    def tcp_ways(self, most: int = WAYS_ROWS_MAX) -> Ways:
        """Of at most `most` open flows, evenly over the table: its places are those of a keyed hash."""
        places = np.flatnonzero(self._tags)
        places = places[:: -(-len(places) // most) or 1]
        tcp = places[self._slots["key_ports"][places] & np.uint64(0xFF) == TCP]
        forward, reverse = self._slots["forward_packets"][tcp], self._slots["reverse_packets"][tcp]
        fewer, more = np.minimum(forward, reverse), np.maximum(forward, reverse)
        one = int(np.count_nonzero((fewer == 0) & (more > FEW_PACKETS)))
        return Ways(len(tcp), int(np.count_nonzero(fewer)), one)

    def conserved(self) -> bool:
        """Every packet and octet that was metered has left in a record or is still in the table."""
        inside = self._slots[self._tags != 0]
        packets = int(inside["forward_packets"].sum() + inside["reverse_packets"].sum())
        octets = int(inside["forward_octets"].sum() + inside["reverse_octets"].sum())
        metered, left = self.counts[kernels.PACKETS], self.counts[kernels.PACKETS_OUT]
        metered_octets, left_octets = self.counts[kernels.OCTETS], self.counts[kernels.OCTETS_OUT]
        return bool(metered == left + packets and metered_octets == left_octets + octets)
