"""Threads that hand over, meet and end: every frame once, in order, bounded; a failure is raised; nobody hangs."""

import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from agent.clock import SystemClock
from agent.flows.cache import FlowLimits
from agent.service.batches import Batch, Batches
from agent.service.crew import Crew
from agent.service.overload import Detail
from agent.service.worker import Worker, no_servers
from agent.tap.records import FRAME, Burst
from tests.simulators.bursts import HASHES, SECRET

pytestmark = HASHES
S = 1_000_000_000
BEGIN = 1_700_000_000 * S
OCTETS = np.zeros(4096, np.uint8)


class Clock(SystemClock):
    """Time passes by itself; the second is what the test says."""

    second = 1_700_000_000

    def wall_ns(self) -> int:
        return self.second * S


class Reader:
    """Bursts of frames at given times; then silence."""

    def __init__(self, *bursts: list[int]) -> None:
        self._bursts = list(bursts)
        self.known_ns = 0
        self.held = self.most_held = self.reads = 0
        self.silent = threading.Event()

    def read(self, frames: np.ndarray) -> Burst:  # type: ignore[type-arg]
        self.reads += 1
        if not self._bursts:
            self.known_ns = BEGIN + S
            self.silent.set()
            threading.Event().wait(0.002)
            return Burst(frames, 0, OCTETS)
        times = self._bursts.pop(0)
        frames[: len(times)] = np.zeros(len(times), FRAME)
        frames["time_ns"][: len(times)] = np.array(times) + BEGIN
        frames["link"][: len(times)], frames["caplen"][: len(times)] = 1, 60
        self.held += 1
        self.most_held = max(self.most_held, self.held)
        return Burst(frames, len(times), OCTETS)

    def release(self, bursts: int) -> None:
        self.held -= bursts


class Ignorant(Reader):
    """Hears nothing, and never knows whether anything came."""

    def read(self, frames: np.ndarray) -> Burst:  # type: ignore[type-arg]
        burst = super().read(frames)
        self.known_ns = 0
        return burst


class Bench:
    """A crew whose judge only notes what he is given."""

    def __init__(self, *readers: Reader) -> None:
        self.clock, self.readers = Clock(), readers
        limits, servers = FlowLimits(slots_max=64), no_servers()
        self.workers = [Worker(limits, SECRET, servers) for _ in readers]
        self.crew = Crew(self.workers, readers, self.clock, lambda: Detail.FULL, self.judge)
        self.times: list[int] = []
        self.free_to_judge, self.judges = threading.Event(), 0
        self.free_to_judge.set()

    def judge(self, batches: Batches, until: int) -> None:
        """As the pipeline takes them; never two at a time."""
        self.judges += 1
        assert self.judges == 1
        self.free_to_judge.wait()
        while (taken := batches.take(until)) is not None:
            self.times += (batches.order[taken.rows] - BEGIN).tolist()
        self.judges -= 1

    def until_still(self) -> None:
        """Everybody waits, and everything is taken."""
        while not self.crew.stand_still():
            pass

    def until_taken(self, frames: int) -> None:
        """So many frames were judged; the workers do that by themselves."""
        while len(self.times) < frames:
            assert not self.crew.ended
            threading.Event().wait(0.002)

    def go_on(self) -> None:
        """That second is judged."""
        self.crew.go_on(self.clock.second)

    def until_ended(self) -> None:
        """They read what is left, and end."""
        self.crew.finish()
        while not self.crew.ended:
            self.crew.stand_still()
        self.crew.stand_still()


@pytest.fixture
def crews() -> Iterator[list[Bench]]:
    """Whatever is in it is ended, and ends."""
    made: list[Bench] = []
    yield made
    for bench in made:
        bench.crew.close()
        assert not any(thread.is_alive() for thread in bench.crew._threads)


def started(crews: list[Bench], *readers: Reader) -> Bench:
    """A crew at work, past its first meeting."""
    bench = Bench(*readers)
    crews.append(bench)
    bench.crew.start()
    bench.until_still()
    assert all(reader.reads == 0 for reader in readers), "before they meet nobody reads"
    bench.go_on()
    return bench


def test_frames_of_all_come_in_order_of_time(crews: list[Bench]) -> None:
    bench = started(crews, Reader([1, 5, 9], [13, 14]), Reader([2, 3, 10], [11, 20]))
    bench.until_taken(10)
    assert bench.times == [1, 2, 3, 5, 9, 10, 11, 13, 14, 20]
    assert [worker.frames.frames for worker in bench.workers] == [5, 5]


def test_who_is_silent_is_waited_for_until_he_knows(crews: list[Bench]) -> None:
    loud, silent = Reader([1, 2, 3]), Reader()
    silent.silent.set()
    bench = Bench(loud, silent)
    crews.append(bench)
    bench.crew._give(bench.crew._hands[0], None, BEGIN + 3)
    bench.crew._collect()
    assert bench.crew._until() == 0, "nobody has said that nothing came before"
    bench.crew._give(bench.crew._hands[1], None, BEGIN + 2)
    assert bench.crew._until() == 0, "what is known since belongs to what was not collected"
    bench.crew._collect()
    assert bench.crew._until() == BEGIN + 2


def test_a_worker_without_a_batch_left_waits_for_nobody_who_is_silent(crews: list[Bench]) -> None:
    """Order is worth less than a loss: it hands over four bursts, and the judge takes them."""
    loud = Reader(*[[number] for number in range(1, 40)])
    bench = started(crews, loud, Ignorant())
    bench.until_taken(36)
    bench.until_ended()
    assert bench.times == list(range(1, 40))
    assert loud.most_held <= 4, "no queue without bound: the ring keeps the rest"


def test_a_judge_who_is_slow_is_waited_for(crews: list[Bench]) -> None:
    loud, other = Reader(*[[number] for number in range(0, 200, 2)]), Reader(*[[number] for number in range(1, 200, 2)])
    bench = Bench(loud, other)
    crews.append(bench)
    bench.crew.start()
    bench.until_still()
    bench.free_to_judge.clear()
    bench.go_on()
    while max(loud.reads, other.reads) < 4:
        threading.Event().wait(0.005)
    threading.Event().wait(0.05)
    assert max(loud.reads, other.reads) == 4, "one works until its hands are empty; the other takes to the judge"
    bench.free_to_judge.set()
    bench.until_ended()
    assert sorted(bench.times) == list(range(200))
    assert max(loud.most_held, other.most_held) <= 4


def test_all_stand_still_when_a_second_is_over(crews: list[Bench]) -> None:
    bench = started(crews, Reader([1, 2]), Reader([3]))
    for reader in bench.readers:
        assert reader.silent.wait(60)
    for _ in range(3):
        bench.clock.second += 1
        bench.until_still()
        reads = [reader.reads for reader in bench.readers]
        threading.Event().wait(0.02)
        assert [reader.reads for reader in bench.readers] == reads
        assert all(
            reader.held == 0 or not hand.out for reader, hand in zip(bench.readers, bench.crew._hands, strict=True)
        )
        bench.go_on()
    assert bench.times == [1, 2, 3], "what was heard before is taken before"


def test_at_the_end_everything_that_was_held_is_taken(crews: list[Bench]) -> None:
    bench = started(crews, Reader(*[[number] for number in range(0, 60, 2)]), Reader([1, 3, 5, 7]))
    bench.until_ended()
    assert sorted(bench.times) == sorted([*range(0, 60, 2), 1, 3, 5, 7])
    assert bench.crew._until() > max(bench.times) + BEGIN


def test_told_to_end_while_all_stand_still(crews: list[Bench]) -> None:
    bench = Bench(Reader([4]), Reader([5]))
    crews.append(bench)
    bench.crew.start()
    bench.until_still()
    bench.until_ended()
    assert bench.times == [4, 5]


class Broken(Reader):
    """Cannot be read."""

    def read(self, frames: np.ndarray) -> Burst:  # type: ignore[type-arg]
        raise MemoryError("no more")


def test_a_judge_who_fails_ends_it(crews: list[Bench]) -> None:
    bench = Bench(Reader([1]), Reader([2]))
    crews.append(bench)
    bench.crew.start()
    bench.until_still()

    def fail(*_: object) -> None:
        raise KeyError("no such thing")

    bench.crew._judge = fail
    bench.go_on()
    with pytest.raises(KeyError, match="no such thing"):  # noqa: PT012 - it comes with one of the turns
        while True:
            bench.crew.stand_still()


def test_a_failure_is_raised_where_the_judge_waits(crews: list[Bench]) -> None:
    bench = started(crews, Reader([1]), Broken())
    with pytest.raises(MemoryError, match="no more"):  # noqa: PT012 - it comes with one of the turns
        while True:
            bench.crew.stand_still()


def test_closing_ends_those_who_wait_for_a_judge_who_is_gone(crews: list[Bench]) -> None:
    loud = Reader(*[[number] for number in range(100)])
    bench = Bench(loud, Ignorant())
    crews.append(bench)
    bench.crew._hands[1].out = 1  # a batch of which the judge never sees the end
    bench.crew.start()
    bench.until_still()
    bench.go_on()
    while loud.reads < 4:
        threading.Event().wait(0.005)
    bench.crew.close()
    assert bench.crew.ended


def test_batches_come_back_to_who_filled_them(crews: list[Bench]) -> None:
    bench = started(crews, Reader([1], [3]), Reader([2], [4]))
    bench.until_taken(4)
    bench.clock.second += 1
    bench.until_still()
    free = [list(hand.free) for hand in bench.crew._hands]
    assert [{batch.worker for batch in batches} for batches in free] == [{0}, {1}]
    assert [len(batches) for batches in free] == [4, 4]
    assert all(isinstance(one, Batch) and one is not other for batches in free for one, other in pairwise(batches))
