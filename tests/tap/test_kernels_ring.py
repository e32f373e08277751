"""The walk over rings: forged blocks, the slow twin, lengths that lie, order over legs, whose block is whose."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.tap import kernels_ring as kr
from agent.tap.records import FRAME
from tests.forge.ring import HOST, KERNEL, OUTGOING, Heard, block, ring
from tests.naive import ring as naive

SIZE, BLOCKS = 4096, 8
S, MS = 1_000_000_000, 1_000_000
NOW, WAIT = 2_000 * S, 60 * MS
LONG_AGO = 1_000 * S


class Bench:
    """Rings of forged blocks, and what the kernels make of them."""

    def __init__(self, *legs: Sequence[bytes], share: int = BLOCKS) -> None:
        self.memory = bytearray(b"".join(ring(blocks, SIZE, BLOCKS) for blocks in legs))
        self.octets = np.frombuffer(self.memory, np.uint8)
        self.words = self.octets.view(np.uint32)
        self.table = np.zeros((len(legs), kr.COLUMNS), np.int64)
        self.table[:, kr.BASE] = np.arange(len(legs)) * SIZE * BLOCKS
        self.table[:, kr.BLOCK], self.table[:, kr.BLOCKS] = SIZE, BLOCKS
        self.table[:, kr.SHARE], self.table[:, kr.LINK] = share, 1
        self.held_ns = 0

    def walk(self, room: int = 4096, now_ns: int = NOW) -> list[naive.Told]:
        """One burst."""
        rows = np.zeros(room, FRAME)
        count, self.held_ns = kr.walk_blocks(self.words, self.table, rows, now_ns, WAIT)
        told = []
        for row in rows[:count]:
            at, caplen = int(row["offset"]), int(row["caplen"])
            numbers = (int(row[name]) for name in ("time_ns", "leg", "caplen", "wirelen", "vlan", "taken"))
            told.append(naive.Told(*numbers, self.octets[at : at + caplen].tobytes()))
            assert row["link"] == 1
        return told

    def twin(self) -> list[naive.Told]:
        """What the slow twin says."""
        return naive.walk(bytes(self.memory), SIZE, BLOCKS, len(self.table))

    def give_back(self, *done: int) -> None:
        """These numbers of blocks are done."""
        kr.give_back(self.words, self.table, np.array(done, np.int64))

    def statuses(self, leg: int = 0) -> list[int]:
        """The status word of each block."""
        at = leg * SIZE * BLOCKS
        return [int(self.words[(at + number * SIZE + kr.STATUS) // 4]) for number in range(BLOCKS)]

    def put(self, number: int, content: bytes, leg: int = 0) -> None:
        """The kernel fills a block."""
        at = (leg * BLOCKS + number % BLOCKS) * SIZE
        self.memory[at : at + SIZE] = content

    def column(self, name: int) -> list[int]:
        """A column of all legs."""
        found: list[int] = self.table[:, name].tolist()
        return found


def heard(*times_ms: int, **more: int) -> list[Heard]:
    """Frames that came at these times."""
    return [Heard(LONG_AGO + time * MS, b"frame %d" % time, **more) for time in times_ms]


def times(told: Sequence[naive.Told]) -> list[int]:
    """In milliseconds."""
    return [(one.time_ns - LONG_AGO) // MS for one in told]


def test_a_frame_as_it_lies_there() -> None:
    bench = Bench([block([Heard(1_700_000_000 * S + 123_456_789, b"x" * 61, wirelen=1514)], SIZE)])
    assert bench.walk() == [naive.Told(1_700_000_000 * S + 123_456_789, 0, 61, 1514, 0, 0, b"x" * 61)]


@pytest.mark.parametrize(("tci", "told"), [(-1, (0, 0)), (0, (0, 4)), (7, (7, 4)), (0xEFFF, (0xEFFF, 4))])
def test_the_tag_that_was_taken_out(tci: int, told: tuple[int, int]) -> None:
    (frame,) = Bench([block([Heard(S, b"x" * 60, tci=tci)], SIZE)]).walk()
    assert (frame.vlan, frame.taken) == told


def test_seconds_after_2038_and_a_nanosecond_that_cannot_be() -> None:
    late = Heard((2**32 - 1) * S, b"late")
    odd = bytearray(block([Heard(5 * S, b"odd")], SIZE))
    odd[48 + 8 : 48 + 12] = b"\xff\xff\xff\xff"
    assert [frame.time_ns for frame in Bench([bytes(odd), block([late], SIZE)]).walk()] == [
        5 * S + 999_999_999,
        (2**32 - 1) * S,
    ]


def test_what_this_machine_sent_is_passed_over() -> None:
    bench = Bench([block([*heard(1), *heard(2, kind=OUTGOING), *heard(3)], SIZE)])
    assert times(bench.walk()) == [1, 3]
    assert (bench.column(kr.FRAMES), bench.column(kr.OWN), bench.column(kr.DAMAGED)) == ([2], [1], [0])


@pytest.mark.parametrize("room", [1, 2, 3, 5, 100])
def test_a_full_table_is_resumed_where_it_stopped(room: int) -> None:
    bench = Bench([block(heard(*range(n, n + 5)), SIZE) for n in (0, 5, 10)])
    told = []
    while burst := bench.walk(room):
        assert len(burst) <= room
        told += burst
    assert times(told) == list(range(15))
    assert bench.column(kr.DONE) == [3]


def test_a_burst_begins_no_more_blocks_than_its_share() -> None:
    bench = Bench([block(heard(n), SIZE) for n in range(8)], share=3)
    assert [times(bench.walk()) for _ in range(4)] == [[0, 1, 2], [3, 4, 5], [6, 7, 0], [1, 2, 3]], (
        "nothing was given back, so the walk finds the same blocks again: the source never lets it come so far"
    )


def test_an_empty_block_is_passed_over() -> None:
    bench = Bench([block([], SIZE), block(heard(1), SIZE)])
    assert times(bench.walk()) == [1]
    assert bench.column(kr.DONE) == [2]


def test_nothing_ready_is_nothing() -> None:
    bench = Bench([])
    assert bench.walk() == []
    assert (bench.held_ns, bench.column(kr.DONE)) == (0, [0])


LIES = {
    "captured beyond the block": replace(heard(2)[0], caplen=SIZE),
    "captured beyond the memory": replace(heard(2)[0], caplen=0xFFFFFFFF),
    "a frame inside its header": replace(heard(2)[0], mac=48),
    "a frame that begins beyond the block": replace(heard(2)[0], mac=0xFFFF),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_frame_that_cannot_be_there_is_counted_and_passed_over(lie: Heard) -> None:
    bench = Bench([block([*heard(1), lie, *heard(3)], SIZE)])
    assert times(bench.walk()) == [1, 3]
    assert (bench.column(kr.FRAMES), bench.column(kr.DAMAGED)) == ([2], [1])


@pytest.mark.parametrize("step", [0, 8, 64, 84, 100, SIZE, 0x7FFFFFF8, 0xFFFFFFF8])
def test_a_next_header_that_cannot_be_there_ends_the_block(step: int) -> None:
    lost = [*heard(1), replace(heard(2)[0], step=step), *heard(3, 4)]
    bench = Bench([block(lost, SIZE), block(heard(5), SIZE)])
    assert times(bench.walk()) == [1, 2, 5]
    assert (bench.column(kr.FRAMES), bench.column(kr.DAMAGED), bench.column(kr.DONE)) == ([3], [2], [2])


@pytest.mark.parametrize("first", [0, 40, 47, 52, SIZE - 60, SIZE, 0xFFFFFFF0])
def test_a_first_header_that_cannot_be_there(first: int) -> None:
    bench = Bench([block(heard(1, 2), SIZE, first=first), block(heard(5), SIZE)])
    assert times(bench.walk()) == [5]
    assert (bench.column(kr.DAMAGED), bench.column(kr.DONE)) == ([2], [2])


def test_more_frames_than_a_block_can_hold() -> None:
    bench = Bench([block(heard(1), SIZE, count=0xFFFFFFFF)])
    assert times(bench.walk()) == [1]
    assert bench.column(kr.DAMAGED) == [SIZE // 68 - 1]


@pytest.mark.parametrize("seed", range(20))
def test_the_twin_agrees(seed: int) -> None:
    draw = random.Random(seed)
    legs = draw.randint(1, 4)
    rings = []
    for _ in range(legs):
        time, blocks = LONG_AGO, []
        for _ in range(draw.randint(0, 5)):
            frames = []
            for _ in range(draw.randint(0, 8)):
                time += draw.randint(0, 3) * MS
                kind = draw.choice([HOST, HOST, HOST, OUTGOING, 2, 3])
                octets = draw.randbytes(draw.randint(0, 300))
                tci = draw.choice([-1, draw.randrange(1 << 16)])
                frames.append(Heard(time, octets, draw.choice([0, 9000]), tci, kind))
            if frames and draw.random() < 0.2:
                place = draw.randrange(len(frames))
                lie = draw.choice([{"step": draw.randrange(SIZE)}, {"mac": draw.randrange(1 << 16)}, {"caplen": 5000}])
                frames[place] = replace(frames[place], **lie)
            blocks.append(block(frames, SIZE))
        rings.append(blocks)
    bench = Bench(*rings)
    assert bench.walk() == bench.twin()


@pytest.mark.parametrize("seed", range(20))
def test_any_octets_in_a_block(seed: int) -> None:
    """Whatever lies there: the walk ends, and no row points outside its block."""
    draw = random.Random(seed)
    filled = bytearray(block(heard(*range(20)), SIZE))
    for _ in range(draw.randint(1, 400)):
        filled[draw.randrange(12, SIZE)] = draw.randrange(256)
    bench = Bench([bytes(filled), block(heard(77), SIZE)])
    rows = np.zeros(4096, FRAME)
    count, _ = kr.walk_blocks(bench.words, bench.table, rows, NOW, WAIT)
    assert bench.column(kr.DONE) == [2]
    for row in rows[: count - 1]:
        assert row["offset"] >= kr.BLOCK_HEADER
        assert int(row["offset"]) + int(row["caplen"]) <= SIZE


# ---- order over legs ------------------------------------------------------------------------------------------------


def test_legs_are_merged_by_time() -> None:
    bench = Bench(
        [block(heard(1, 4, 5), SIZE), block(heard(9), SIZE)], [block(heard(2, 3), SIZE), block(heard(5, 8), SIZE)]
    )
    told = bench.walk()
    assert [(time, one.leg) for time, one in zip(times(told), told, strict=True)] == [
        *((1, 0), (2, 1), (3, 1), (4, 0), (5, 0), (5, 1), (8, 1), (9, 0)),
    ]


def young(age_ms: int) -> list[Heard]:
    """A frame that came a moment ago."""
    return [Heard(NOW - age_ms * MS, b"young")]


@pytest.mark.parametrize(("age_ms", "count"), [(0, 0), (30, 0), (59, 0), (60, 1), (200, 1)])
def test_a_young_frame_waits_for_a_leg_that_has_said_nothing_yet(age_ms: int, count: int) -> None:
    bench = Bench([block(young(age_ms), SIZE)], [])
    assert len(bench.walk()) == count
    assert bench.held_ns == (0 if count else NOW - age_ms * MS)
    assert len(bench.walk(now_ns=NOW + 60 * MS)) == 1 - count, "and is there when its time has come"


@pytest.mark.parametrize(("age_ms", "count"), [(60, 0), (500, 0), (959, 0), (960, 1)])
def test_a_frame_waits_longer_for_a_block_that_the_kernel_fills(age_ms: int, count: int) -> None:
    """Its timer is late: what the block holds may be older."""
    bench = Bench([block(young(age_ms), SIZE)], [block(young(age_ms + 1), SIZE, status=KERNEL)])
    assert len(bench.walk()) == count
    bench.put(0, block(young(age_ms + 1), SIZE), leg=1)
    assert len(bench.walk()) == 2 - count, "handed over at last: both are there, or the late one alone"


def test_a_block_that_was_given_back_is_not_taken_for_one_that_fills() -> None:
    bench = Bench([block(young(70), SIZE)], [block(heard(1), SIZE)])
    bench.walk()
    bench.give_back(0, 1)
    assert int(bench.words[(BLOCKS * SIZE + kr.FRAME_COUNT) // 4]) == 0


def test_no_frame_waits_when_every_leg_has_spoken() -> None:
    bench = Bench([block(young(1), SIZE)], [block(young(2), SIZE)])
    told = bench.walk()
    assert [one.leg for one in told] == [1], "the younger one waits again: its peer's next block may hold an older one"
    assert Bench([block(young(1), SIZE)]).walk(), "a single leg never waits"


def test_a_frame_from_the_future_waits_for_nobody() -> None:
    """The clock was set back."""
    assert len(Bench([block(young(-3_600_000), SIZE)], []).walk()) == 1


def test_nothing_waits_when_a_quarter_of_the_ring_does() -> None:
    few = Bench([block(young(9), SIZE), block(young(8), SIZE)], [])
    assert few.walk() == []
    many = Bench([block(young(9 - number), SIZE) for number in range(4)], [])
    assert len(many.walk()) == 2, "the oldest go until less than a quarter waits"
    assert many.held_ns


# ---- whose block is whose -------------------------------------------------------------------------------------------


def test_only_what_is_done_is_given_back() -> None:
    bench = Bench([block(heard(n), SIZE) for n in range(4)], [block(heard(n), SIZE) for n in range(2)])
    bench.walk()
    assert (bench.statuses(0), bench.statuses(1)) == ([1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0])
    bench.give_back(3, 1)
    assert (bench.statuses(0), bench.statuses(1)) == ([0, 0, 0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0])
    bench.give_back(3, 1)
    bench.give_back(4, 2)
    assert (bench.statuses(0), bench.statuses(1)) == ([0] * 8, [0] * 8)
    assert bench.column(kr.GIVEN) == [4, 2]


def test_round_and_round() -> None:
    bench = Bench([])
    told = []
    for number in range(3 * BLOCKS):
        bench.put(number, block(heard(number), SIZE))
        told += bench.walk()
        bench.give_back(number + 1)
        assert bench.statuses() == [0] * BLOCKS
    assert times(told) == list(range(3 * BLOCKS))
