"""Several workers without threads or rings: a capture, split as the kernel would split it, through their batches.

Every piece of a burst goes through all workers before the judge sees it, and the places of its frames are their order:
whatever differs from one worker's result differs for a reason.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agent.config import Config
from agent.packets.kernels_order import LAST
from agent.service.batches import Batches
from agent.service.overload import Detail
from agent.service.pipeline import Pipeline
from agent.tap.fanout import number_program
from agent.tap.records import Burst
from tests.service.bench import Kept, parts
from tests.simulators.bpf import ETHERNET, run
from tests.simulators.bursts import SECRET

KEY = 0x5EED_1234
HEAD = 66  # octets of a frame that the program may look at: Ethernet, three tags, an IPv6 header
S = 1_000_000_000
PROGRAM = number_program(KEY)


@lru_cache(1 << 16)
def share_of(head: bytes, workers: int) -> int:
    """The worker of a frame, by the program that the kernel is given."""
    return run(PROGRAM, head, ETHERNET) % workers


def shares(burst: Burst, workers: int) -> npt.NDArray[np.int64]:
    """The worker of every frame; what is not Ethernet is all worker 0's, as good a share as any."""
    told = np.zeros(burst.count, np.int64)
    for number in range(burst.count):
        frame = burst.frames[number]
        if frame["link"] == 1 and workers > 1:
            at, size = int(frame["offset"]), min(int(frame["caplen"]), HEAD)
            told[number] = share_of(burst.octets[at : at + size].tobytes(), workers)
    return told


class Several:
    """A pipeline with several workers; what leaves it is kept."""

    def __init__(self, config: Config, workers: int) -> None:
        self.kept = Kept()
        self.pipeline = Pipeline(config, parts(), self.kept, SECRET, workers)
        self._batches = Batches(workers, 1)
        self.deal = shares
        self.detail = Detail.FULL
        self.loads = [0] * workers  # frames of each

    def play(self, bursts: Iterable[Burst]) -> "Several":
        """At file time, as `Pipeline.take_steps` does for one worker."""
        for burst in bursts:
            if not burst.count:
                continue
            seconds = np.maximum.accumulate(burst.frames["time_ns"][: burst.count]) // S
            cuts = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist(), burst.count]
            told = self.deal(burst, len(self.loads))
            for start, stop in pairwise(cuts):
                self.pipeline.advance(max(int(seconds[start]), self.pipeline.now_ns // S))
                self._piece(burst, told, start, stop)
        return self

    def _piece(self, burst: Burst, told: npt.NDArray[np.int64], start: int, stop: int) -> None:
        """Frames of one second: all workers prepare, all meter, the judge takes."""
        workers, filled = self.pipeline.workers, []
        for number, worker in enumerate(workers):
            (batch,) = self._batches.of(number)
            mine = start + np.flatnonzero(told[start:stop] == number)
            batch.frames[: len(mine)] = burst.frames[mine]
            batch.order[: len(mine)] = mine
            self.loads[number] += len(mine)
            worker.prepare(batch, Burst(batch.frames, len(mine), burst.octets), self.detail)
            filled.append(batch)
        for worker, batch in zip(workers, filled, strict=True):
            worker.meter(batch)
            self._batches.add(batch)
        self.pipeline.take_batches(self._batches, int(LAST))
        assert self._batches.done() == filled

    def end(self) -> Kept:
        """As at the end of a replay; every count must add up."""
        self.pipeline.settle()
        self.pipeline.drain()
        assert self.pipeline.conserved()
        return self.kept
