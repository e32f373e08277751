"""A reader over forged rings: what it gives, holds and knows, and that a new ring begins anew."""

import os
from typing import Any

import numpy as np

from agent.tap import kernels_ring
from agent.tap.packet_socket import Geometry
from agent.tap.records import FRAME
from agent.tap.ring_reader import NS_PER_MS, ORDER_NS, RingReader, load_kernels, ring_table
from tests.forge.ring import KERNEL, Heard, block, ring

SIZE, BLOCKS, S = 4096, 8, 1_000_000_000
SHAPE = Geometry(SIZE, BLOCKS)
NOW = 2_000 * S


class Clock:
    """Stands still until somebody waits."""

    def __init__(self) -> None:
        self.now_ns = NOW

    def wall_ns(self) -> int:
        self.now_ns += NS_PER_MS
        return self.now_ns

    def mono_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)


class Silent:
    """What can be waited for, and never comes."""

    def __init__(self) -> None:
        self._number = os.eventfd(0)

    def fileno(self) -> int:
        return self._number

    def __del__(self) -> None:
        os.close(self._number)


class Leg:
    """A leg of one such ring."""

    link = 1

    def __init__(self) -> None:
        self.rings = [Silent()]


class Bench:
    """A reader over rings of memory."""

    def __init__(self, *legs: list[bytes]) -> None:
        self.memory = np.frombuffer(bytearray(b"".join(ring(blocks, SIZE, BLOCKS) for blocks in legs)), np.uint8)
        self.clock = Clock()
        self.reader = RingReader([Leg() for _ in legs], 0, self.memory, SHAPE, self.clock)  # type: ignore[arg-type,misc]
        self.frames = np.zeros(64, FRAME)

    def read(self, **more: Any) -> int:
        """Frames of the next burst."""
        return self.reader.read(self.frames, 25 * NS_PER_MS, **more).count

    def status(self, number: int) -> int:
        """Of a block."""
        return int(self.memory.view(np.uint32)[(number * SIZE + kernels_ring.STATUS) >> 2])


def heard(count: int, at_ns: int = NOW - S) -> bytes:
    """A block of frames that is ready."""
    return block([Heard(at_ns + number, b"x" * 60) for number in range(count)], SIZE)


def test_a_burst_holds_its_blocks_until_it_is_released() -> None:
    bench = Bench([heard(3), heard(2)])
    assert (bench.read(), bench.reader.in_use) == (3, 1), "a sixteenth of the ring is one block"
    assert (bench.read(), bench.reader.in_use) == (2, 2)
    assert [bench.status(0) & 1, bench.status(1) & 1] == [1, 1]
    bench.reader.release(1)
    assert [bench.status(0) & 1, bench.status(1) & 1] == [0, 1]
    bench.reader.release(1)
    assert (bench.status(1), bench.reader.in_use) == (KERNEL, 0)
    assert bench.reader.counted() == [(5, 0)]


def test_silence_gives_nothing_and_holds_nothing() -> None:
    bench = Bench([])
    assert bench.read() == 0
    assert bench.reader.in_use == 0
    assert bench.clock.now_ns - NOW >= 25 * NS_PER_MS


def test_a_second_s_end_gives_the_turn_back() -> None:
    bench = Bench([])
    bench.clock.now_ns = NOW - 5 * NS_PER_MS
    bench.read(by_second=True)
    assert NOW <= bench.clock.now_ns < NOW + 10 * NS_PER_MS


def test_what_it_knows_when_nothing_is_ready() -> None:
    bench = Bench([])
    bench.read()
    assert NOW - ORDER_NS <= bench.reader.known_ns <= bench.clock.now_ns - ORDER_NS
    before = bench.reader.known_ns
    bench.memory.view(np.uint32)[kernels_ring.FRAME_COUNT >> 2] = 1  # the kernel writes a frame
    bench.read()
    assert bench.reader.known_ns == before, "what is being written may be older than it looks"


def test_a_frame_that_is_held_is_not_known() -> None:
    """The other leg is silent: a young frame waits, and whoever asks is told that it is not out yet."""
    young = NOW + 20 * NS_PER_MS
    bench = Bench([heard(1, young)], [])
    bench.clock.now_ns = young
    assert bench.read() == 0
    assert bench.reader.known_ns <= young
    bench.clock.now_ns += ORDER_NS
    assert bench.read() == 1


def test_a_new_ring_begins_anew() -> None:
    bench = Bench([heard(3)])
    assert not bench.reader.is_empty(0)
    bench.read()
    assert bench.reader.is_empty(0)
    bench.reader.release(1)
    bench.memory[:] = np.frombuffer(ring([heard(4)], SIZE, BLOCKS), np.uint8)
    bench.reader._legs[0].rings = [Silent()]  # type: ignore[list-item]
    bench.reader.begin_anew(0)
    assert bench.read() == 4
    assert bench.reader.counted() == [(7, 0)], "what was counted stays"


def test_tables_of_workers_lie_behind_each_other() -> None:
    table = ring_table([1, 101], SHAPE, 4)
    assert table[:, kernels_ring.BASE].tolist() == [4 * SIZE * BLOCKS, 5 * SIZE * BLOCKS]
    assert table[:, kernels_ring.LINK].tolist() == [1, 101]
    load_kernels()
