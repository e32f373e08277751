"""The live backend of Linux: one TPACKET_V3 ring for each leg, walked in place, merged in order of time.

Who holds a block: the kernel, until it is full or BLOCK_TIMEOUT_MS old; then we, until every burst that points into it
is done. A burst is valid while the next BURSTS_AHEAD - 1 are read, so its blocks are given back when `next_burst` is
asked for the one after that; the reading thread is the only one that touches a ring.

A leg keeps its socket and its ring for good. Once a second its interface is looked at: one that went away and came
back, perhaps with another number, is bound to the same socket, for which no capability is needed.
"""

import select
from collections import deque
from contextlib import ExitStack, closing

import numpy as np

from agent.clock import Clock, SystemClock
from agent.jit import Words
from agent.tap import kernels_ring
from agent.tap.link import Link, Links
from agent.tap.packet_socket import (
    BLOCK_TIMEOUT_MS,
    NOTHING,
    BpfProgram,
    Geometry,
    RingCounts,
    attach,
    clear_error,
    clear_filter,
    geometry,
    leave,
    link_type,
    make_ring,
    map_rings,
    open_socket,
    read_counts,
    set_filter,
)
from agent.tap.records import BURSTS_AHEAD, FRAME, Burst, LegCounts, Octets, Rows, frame_buffers
from agent.tap.source import Faults, cannot_listen, checked_legs
from agent.tap.watch import LOOK_EVERY_NS, LegWatch

NS_PER_MS = 1_000_000
SILENCE_NS = 100 * NS_PER_MS  # silent legs give the turn back this often, so that the clock goes on
# A frame that came this long ago lies in a block that the kernel has handed over: the timer, and half as much again.
ORDER_NS = (BLOCK_TIMEOUT_MS + 20) * NS_PER_MS
# When a block is ready, others soon are: one turn for several costs less than one for each (measured: a third).
GATHER_S = 0.01
BURST_SHARE = 16  # a burst begins at most a sixteenth of the blocks: those that are held never make up half a ring


class _Leg:
    """One socket, the interface it listens to, and what both have counted."""

    def __init__(self, name: str, links: Links, shape: Geometry, opened: ExitStack) -> None:
        self.socket = opened.enter_context(open_socket(name))
        first = links.named(name)
        if first is None:
            raise cannot_listen(name, "no such interface")
        kind = link_type(first)
        if kind is None:
            raise cannot_listen(name, f"its kind (ARPHRD {first.kind}) is not read")
        self.name, self.link, self.first = name, kind, first
        self.watch = LegWatch(name, first)
        self._links = links
        self._counts = RingCounts(0, 0, 0)
        make_ring(self.socket, name, shape)

    def take_up(self) -> None:
        """Attach, still deaf: until somebody reads, the ring would only fill and overflow."""
        set_filter(self.socket, NOTHING)
        try:
            attach(self.socket, self.first)
        except OSError as error:
            raise cannot_listen(self.name, str(error.strerror)) from error

    def hear(self, program: BpfProgram | None) -> None:
        """From here on frames come in: all, or those that a program passes."""
        if program is None:
            clear_filter(self.socket)
        else:
            set_filter(self.socket, program)

    def look(self, now_ns: int) -> None:
        """See to the interface: count, and attach to the one that bears the name now."""
        named = self._links.named(self.name)
        numbered = None if named else self._links.numbered(self.watch.number)
        other = self.watch.look(named, numbered, now_ns)
        if other is not None and link_type(other) == self.link:
            self._move(other)

    def _move(self, other: Link) -> None:
        before = self.watch.number
        try:
            attach(self.socket, other)
        except OSError:
            return  # gone again; the next look will tell
        leave(self.socket, before)
        self.watch.attached(other)

    def counts(self, frames: int, damaged: int) -> LegCounts:
        """All that is known of the leg since takeover."""
        steps = read_counts(self.socket)
        self._counts = RingCounts(*(total + step for total, step in zip(self._counts, steps, strict=True)))
        interface = self.watch.grown
        return LegCounts(
            self.name,
            frames,
            self._counts.dropped + damaged + interface.lost,
            self._counts.frozen,
            interface.sent,
            received=self._counts.received,
            nic_received=interface.received,
            nic_lost=interface.lost,
            nic_errors=interface.errors,
            blind_ns=self.watch.blind_ns,
            fault=self.watch.fault,
        )


class RingLive:
    """Live legs through their rings; an empty burst when nothing came for SILENCE_NS."""

    live = True

    def __init__(
        self, legs: list[str], buffer_bytes: int = 32 << 20, capture_filter: str = "", clock: Clock | None = None
    ) -> None:
        """`buffer_bytes`: of each leg's ring. `capture_filter`: in libpcap's language; empty passes everything."""
        self.faults: Faults = []  # always empty: what a leg lacks stands in its counts
        self._clock = clock or SystemClock()
        self._opened = ExitStack()
        self._used: deque[Words] = deque()  # for each burst in use: how many blocks are done when it is
        self._buffers = frame_buffers()
        self._next_look_ns = 0
        try:
            self._take_up(checked_legs(legs), geometry(buffer_bytes), capture_filter)
        except BaseException:
            self._opened.close()
            raise

    def _take_up(self, legs: list[str], shape: Geometry, capture_filter: str) -> None:
        links = self._opened.enter_context(closing(Links()))
        self._legs = [_Leg(name, links, shape, self._opened) for name in legs]
        self._octets: Octets = map_rings([(leg.socket, leg.name) for leg in self._legs], shape)
        self._words = self._octets.view(np.uint32)
        self._table = _table([leg.link for leg in self._legs], shape)
        self._epoll = self._opened.enter_context(select.epoll())
        for leg in self._legs:
            # Edge-triggered: a block that we still hold would wake a level-triggered wait over and over.
            self._epoll.register(leg.socket, select.EPOLLIN | select.EPOLLERR | select.EPOLLET)
        load_kernels()
        self._programs: list[BpfProgram | None] = _programs(self._legs, capture_filter)
        for leg in self._legs:
            leg.take_up()

    def next_burst(self) -> Burst | None:
        """Frames of all legs in order of time. Never None: a leg that breaks is waited for. The first call begins."""
        while self._programs:
            self._legs[len(self._programs) - 1].hear(self._programs.pop())
        self._give_back()
        frames = next(self._buffers)
        end_ns = self._clock.mono_ns() + SILENCE_NS
        while True:
            now_ns = self._clock.mono_ns()
            if now_ns >= self._next_look_ns:
                self._look(now_ns)
            count, held_ns = self._walk(frames)
            if count or now_ns >= end_ns:
                break
            self._wait(min(end_ns - now_ns, held_ns + ORDER_NS - self._clock.wall_ns() if held_ns else SILENCE_NS))
        self._used.append(self._table[:, kernels_ring.DONE].copy())
        return Burst(frames, count, self._octets)

    def _walk(self, frames: Rows) -> tuple[int, int]:
        return kernels_ring.walk_blocks(self._words, self._table, frames, self._clock.wall_ns(), ORDER_NS)

    def _give_back(self) -> None:
        """The oldest burst is over once as many are in use as may be."""
        while len(self._used) >= BURSTS_AHEAD:
            kernels_ring.give_back(self._words, self._table, self._used.popleft())

    def _wait(self, wait_ns: int) -> None:
        """Until a block is ready or an interface fails, at most so long."""
        events = self._epoll.poll(max(wait_ns, NS_PER_MS) / 1e9)
        if events:
            self._clock.sleep(GATHER_S)
        for descriptor, event in events:
            if event & select.EPOLLERR:
                self._next_look_ns = 0
                for leg in self._legs:
                    if leg.socket.fileno() == descriptor:
                        clear_error(leg.socket)

    def _look(self, now_ns: int) -> None:
        self._next_look_ns = now_ns + LOOK_EVERY_NS
        for leg in self._legs:
            leg.look(now_ns)

    def legs(self) -> list[LegCounts]:
        """Counters of every leg since takeover."""
        counted = self._table[:, (kernels_ring.FRAMES, kernels_ring.DAMAGED)].tolist()
        return [leg.counts(frames, damaged) for leg, (frames, damaged) in zip(self._legs, counted, strict=True)]

    def deafen(self) -> None:
        """Hear no more; what was heard can still be read."""
        for leg in self._legs:
            set_filter(leg.socket, NOTHING)
        self._look(self._clock.mono_ns())

    def close(self) -> None:
        """Give everything back; the memory goes with the last burst that points into it."""
        self._opened.close()
        self._octets, self._words = np.zeros(1, np.uint8), np.zeros(1, np.uint32)


def _table(links: list[int], shape: Geometry) -> Words:
    """A row for each leg, as the kernels want it."""
    table = np.zeros((len(links), kernels_ring.COLUMNS), np.int64)
    table[:, kernels_ring.BASE] = np.arange(len(links)) * shape.ring_bytes
    table[:, kernels_ring.BLOCK], table[:, kernels_ring.BLOCKS] = shape
    table[:, kernels_ring.SHARE] = max(1, shape.blocks // BURST_SHARE)
    table[:, kernels_ring.LINK] = links
    return table


def load_kernels() -> None:
    """Bring both kernels into memory, or compile them, with a ring in which nothing is ready."""
    shape = Geometry(4096, 8)
    table = _table([1], shape)
    words = np.zeros(shape.ring_bytes // 4, np.uint32)
    kernels_ring.walk_blocks(words, table, np.zeros(1, FRAME), 0, ORDER_NS)
    kernels_ring.give_back(words, table, table[:, kernels_ring.DONE].copy())


def _programs(legs: list[_Leg], capture_filter: str) -> list[BpfProgram | None]:
    if not capture_filter:
        return [None] * len(legs)
    from agent.tap.pcapy_live import compiled_filter  # noqa: PLC0415 - libpcap is loaded only to compile

    return [compiled_filter(capture_filter, leg.link) for leg in legs]
