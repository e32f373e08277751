"""What two workers drain from real rings, over one: `python -m tests.bench.rings TRACE.pcap [--packets N]` (root).

Sender and sensor on two cores would share them, so nothing can be told live of what two cores carry. Here the rings of
a virtual cable are filled first, while nobody reads; then the sensor's own loop drains them as fast as it can, alone on
the machine for that moment (SCHED_FIFO). One worker and several take turns; every run is a process of its own.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from agent.clock import SystemClock
from agent.config import Config
from agent.service.batches import Batches
from agent.service.pipeline import Pipeline
from agent.service.together import listen_together
from agent.tap.ring import RingLive
from agent.tap.shared import SharedLive
from tests.conftest import ROOT
from tests.service.bench import Kept, parts
from tests.simulators.bursts import SECRET
from tests.simulators.namespace import cable

S = 1_000_000_000
BUFFER_BYTES = 1 << 30  # more than the frames take


class Quiet(Kept):
    """An outlet that wants no flow records, as the spool's."""

    wants_flows = False


class Drained(NamedTuple):
    """One run."""

    frames: int
    dropped: int
    seconds: float
    cpu_s: float


def filled(trace: Path, packets: int) -> int:
    """Put the frames on the cable; how many."""
    words = ["tcpreplay", "-K", "--topspeed", f"--limit={packets}", "-i", "ward", str(trace)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Actual: (\d+) packets", told)
    if found is None:
        raise SystemExit(told)
    time.sleep(0.2)  # the last block closes by its timer
    return int(found[1])


def by_one(legs: RingLive, pipeline: Pipeline, frames: int) -> None:
    """The sensor's loop for one worker."""
    rows, second = pipeline.buffer(), 0
    while pipeline.frames.frames < frames:
        burst = legs.next_burst()
        now_s = time.time_ns() // S
        if now_s != second:
            second = now_s
            pipeline.advance(now_s)
        if burst is not None and burst.count:
            pipeline.take_live(burst, rows)


def by_several(legs: SharedLive, pipeline: Pipeline, frames: int) -> float:
    """The sensor's loop for several. When the last frame was attributed."""
    stop, take, last = threading.Event(), pipeline.take_batches, [0.0, 0.0]

    def take_and_look(batches: Batches, until: int) -> None:
        take(batches, until)
        if pipeline.table.attributed != last[0]:
            last[:] = pipeline.table.attributed, time.perf_counter()
        if pipeline.frames.frames >= frames:
            stop.set()

    pipeline.take_batches = take_and_look  # type: ignore[method-assign]
    listen_together(legs, pipeline, SystemClock(), stop, lambda: None)
    return last[1]


def drain(trace: Path, packets: int, workers: int) -> Drained:
    """In the namespace: take up the leg, let it fill, drain it."""
    pipeline = Pipeline(Config(), parts(), Quiet(), SECRET, workers)
    pipeline.load()
    pipeline.load_live()
    one = RingLive(["eth1"], BUFFER_BYTES) if workers == 1 else None
    several = SharedLive(["eth1"], workers, BUFFER_BYTES) if workers > 1 else None
    if one is not None:
        one.next_burst()
    elif several is not None:
        several.hear()
    frames = filled(trace, packets)
    pipeline.advance(time.time_ns() // S)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    began, cpu_s, ended = time.perf_counter(), time.process_time(), 0.0
    if several is not None:
        ended = by_several(several, pipeline, frames)
    elif one is not None:
        by_one(one, pipeline, frames)
    ended, cpu_s = ended or time.perf_counter(), time.process_time() - cpu_s
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    (leg,) = several.legs() if several is not None else one.legs() if one is not None else ()
    return Drained(pipeline.frames.frames, leg.dropped, ended - began, cpu_s)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--packets", type=int, default=800_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--drain", type=int, default=0, help="used by itself: drain with so many workers")
    options = parser.parse_args()
    if options.drain:
        print(json.dumps(drain(options.trace, options.packets, options.drain)))
        return
    spent: dict[int, list[Drained]] = {1: [], options.workers: []}
    for _ in range(options.runs):
        for workers, runs in spent.items():
            with cable() as namespace:
                words = ["-m", "tests.bench.rings", str(options.trace), f"--packets={options.packets}"]
                command = namespace.command(sys.executable, *words, f"--drain={workers}")
                told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
                runs.append(Drained(*json.loads(told.splitlines()[-1])))
    for workers, runs in spent.items():
        rate = statistics.median(run.frames / run.seconds for run in runs) / 1e6
        ratios = [one.seconds / run.seconds for one, run in zip(spent[1], runs, strict=True)]
        cpu = statistics.median(run.cpu_s / run.frames for run in runs) * 1e9
        print(
            f"{workers} workers: {rate:.2f} million frames a second, {cpu:.0f} ns of processor time a frame, over one: "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
            f"dropped {[run.dropped for run in runs]}"
        )


if __name__ == "__main__":
    main()
