"""Reads rings in place: one of each leg, merged in order of time. What one worker reads, and nobody else touches.

Who holds a block: the kernel, until it is full or BLOCK_TIMEOUT_MS old; then we, until every burst that points into it
was released. A burst without frames holds nothing.
"""

import select
from collections import deque
from collections.abc import Sequence

import numpy as np

from agent.clock import NS_PER_S, Clock
from agent.jit import Memory, Words
from agent.tap import kernels_ring
from agent.tap.leg import Leg
from agent.tap.packet_socket import BLOCK_TIMEOUT_MS, Geometry, clear_error
from agent.tap.records import FRAME, Burst, Octets, Rows

NS_PER_MS = 1_000_000
# A frame that came this long ago lies in a block that the kernel has handed over: the timer, and half as much again.
ORDER_NS = (BLOCK_TIMEOUT_MS + 20) * NS_PER_MS
# When a block is ready, others soon are: one turn for several costs less than one for each (measured: a third).
GATHER_S = 0.01
BURST_SHARE = 16  # a burst begins at most a sixteenth of the blocks: those that are held never make up half a ring


class RingReader:
    """The rings of one worker: ring `worker` of every leg."""

    def __init__(self, legs: Sequence[Leg], worker: int, octets: Octets, shape: Geometry, clock: Clock) -> None:
        self._legs, self._worker, self._clock = legs, worker, clock
        self._octets: Octets = octets
        self._words: Memory = octets.view(np.uint32)
        self._table = ring_table([leg.link for leg in legs], shape, worker * len(legs))
        self._used: deque[Words] = deque()  # for each burst in use: how many blocks are done when it is
        self._epoll = select.epoll()
        self.failed = False  # an interface said that it is gone, since it was set back
        self.known_ns = 0  # every frame that came before this time was given out
        for leg in legs:
            self._listen(leg)

    def _listen(self, leg: Leg) -> None:
        # Edge-triggered: a block that we still hold would wake a level-triggered wait over and over.
        self._epoll.register(leg.rings[self._worker], select.EPOLLIN | select.EPOLLERR | select.EPOLLET)

    def read(self, frames: Rows, silence_ns: int, *, by_second: bool = False) -> Burst:
        """Frames of all legs in order of time; none after so long a silence, or, when asked, at a second's end."""
        end_ns = self._clock.mono_ns() + silence_ns
        if by_second:
            end_ns = min(end_ns, self._clock.mono_ns() + NS_PER_S - self._clock.wall_ns() % NS_PER_S)
        while True:
            now_ns, wall_ns = self._clock.mono_ns(), self._clock.wall_ns()
            count, held_ns = kernels_ring.walk_blocks(self._words, self._table, frames, wall_ns, ORDER_NS)
            if count or now_ns >= end_ns or self.failed:
                break
            until_ns = held_ns + ORDER_NS - wall_ns if held_ns else silence_ns
            self._wait(min(end_ns - now_ns, until_ns))
        if count:
            self._used.append(self._table[:, kernels_ring.DONE].copy())
        else:
            self._know(wall_ns, held_ns)
        return Burst(frames, count, self._octets)

    def _know(self, wall_ns: int, held_ns: int) -> None:
        """Nothing is ready. A block that is being filled may come late; a frame that is held was not given out."""
        late = kernels_ring.LATE if self._is_filling() else 1
        known_ns = wall_ns - ORDER_NS * late
        self.known_ns = max(self.known_ns, min(known_ns, held_ns) if held_ns else known_ns)

    def _is_filling(self) -> bool:
        table = self._table
        blocks = table[:, kernels_ring.DONE] % table[:, kernels_ring.BLOCKS] * table[:, kernels_ring.BLOCK]
        counts = (table[:, kernels_ring.BASE] + blocks + kernels_ring.FRAME_COUNT) >> 2
        return bool(self._words[counts].any())

    def release(self, bursts: int) -> None:
        """The oldest bursts in use are over."""
        for _ in range(bursts):
            kernels_ring.give_back(self._words, self._table, self._used.popleft())

    @property
    def in_use(self) -> int:
        """Bursts that were read and not released."""
        return len(self._used)

    def _wait(self, wait_ns: int) -> None:
        """Until a block is ready or an interface fails, at most so long."""
        events = self._epoll.poll(max(wait_ns, NS_PER_MS) / 1e9)
        if events:
            self._clock.sleep(GATHER_S)
        for descriptor, event in events:
            if event & select.EPOLLERR:
                self.failed = True
                for leg in self._legs:
                    if leg.rings[self._worker].fileno() == descriptor:
                        clear_error(leg.rings[self._worker])

    def counted(self) -> list[tuple[int, int]]:
        """(frames given out, frames that were damaged) of each leg."""
        columns: list[list[int]] = self._table[:, (kernels_ring.FRAMES, kernels_ring.DAMAGED)].tolist()
        return [(frames, damaged) for frames, damaged in columns]

    def is_empty(self, number: int) -> bool:
        """Whether no block of a leg is ready or open."""
        leg = self._table[number]
        at = leg[kernels_ring.BASE] + leg[kernels_ring.DONE] % leg[kernels_ring.BLOCKS] * leg[kernels_ring.BLOCK]
        ready = self._words[(at + kernels_ring.STATUS) >> 2] & kernels_ring.USER
        return bool(leg[kernels_ring.LEFT] == 0 and not ready)

    def begin_anew(self, number: int) -> None:
        """A leg has another ring at the same place, of which nothing was read. No burst is in use."""
        begun = [kernels_ring.DONE, kernels_ring.GIVEN, kernels_ring.LEFT, kernels_ring.AT, kernels_ring.END]
        self._table[number, begun] = 0
        self._listen(self._legs[number])

    def close(self) -> None:
        """The memory goes with the last burst that points into it."""
        self._epoll.close()
        self._octets = np.zeros(1, np.uint8)
        self._words = np.zeros(1, np.uint32)


def ring_table(links: list[int], shape: Geometry, first: int = 0) -> Words:
    """A row for each leg, as the kernels want it; the rings lie one behind the other from ring `first` on."""
    table = np.zeros((len(links), kernels_ring.COLUMNS), np.int64)
    table[:, kernels_ring.BASE] = (first + np.arange(len(links))) * shape.ring_bytes
    table[:, kernels_ring.BLOCK], table[:, kernels_ring.BLOCKS] = shape
    table[:, kernels_ring.SHARE] = max(1, shape.blocks // BURST_SHARE)
    table[:, kernels_ring.LINK] = links
    return table


def load_kernels() -> None:
    """Bring both kernels into memory, or compile them, with a ring in which nothing is ready."""
    shape = Geometry(4096, 8)
    table = ring_table([1], shape)
    words = np.zeros(shape.ring_bytes // 4, np.uint32)
    kernels_ring.walk_blocks(words, table, np.zeros(1, FRAME), 0, ORDER_NS)
    kernels_ring.give_back(words, table, table[:, kernels_ring.DONE].copy())
