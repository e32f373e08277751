"""What one and several workers carry before their first drop: `python -m tests.bench.carry TRACE.pcap` (root).

Sender, kernel and workers share the cores there are; where two workers would take two of two, nothing is left to send
with. So the sensor's cores are made slower, not fewer: each worker gets a share of a core (CFS bandwidth, cgroup v1),
one worker one share for the whole sensor, several as many. The rings are longer than as shipped, because a second's
judging takes so much longer, and an offer takes much longer than they could hold. The real sensor listens on a virtual
cable, its ladder held at full detail; tcpreplay (SCHED_FIFO: a sender that waits sends another rate) offers frames at
one rate after the other, and the highest at which none was dropped is what it carries.
"""

import argparse
import contextlib
import itertools
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent import config
from agent.service.crew import Crew
from agent.service.pipeline import Pipeline
from agent.service.sensor import run
from agent.service.status import load, status_file
from tests.bench.live import settled
from tests.conftest import ROOT
from tests.simulators.namespace import Namespace, cable

CONTROLLER = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 20_000  # a quota is a millisecond at least
RING_BYTES = 128 << 20  # 180,000 frames
FIRST = 1 << 18  # the group's weight: whatever else wants the cores waits
SECONDS = 10.0  # of one offer
NEAR = 1.02  # two rates so near each other are one
SENT_SHARE = 0.97  # of the wanted rate that the sender must reach
SENT = re.compile(r"Actual: (\d+) packets \(\d+ bytes\) sent in ([\d.]+) seconds")
CONFIG = '[tap]\nlegs = ["eth1"]\nbackend = "ring"\nworkers = {}\nbuffer_bytes = {}\n'


class Bench(NamedTuple):
    """One sensor on its cable."""

    namespace: Namespace
    state: Path
    pid: int
    trace: Path
    frames: int  # in the trace


def shortened(trace: Path, to: Path, packets: int) -> int:
    """The first packets of a capture (classic, of this machine's byte order), small enough to be sent from memory."""
    with trace.open("rb") as source, to.open("wb") as out:
        out.write(source.read(24))
        for count in range(packets):
            header = source.read(16)
            if len(header) < 16:
                return count
            out.write(header + source.read(struct.unpack_from("<I", header, 8)[0]))
    return packets


@contextlib.contextmanager
def shares(workers: int, share: float) -> Iterator[Path]:
    """A group of so many shares of a core, with one for each worker when there are several."""
    whole = CONTROLLER / f"wardtap-carry-{os.getpid()}"
    groups = [whole, *(whole / f"worker-{number}" for number in range(workers if workers > 1 else 0))]
    try:
        for group in groups:
            group.mkdir()
            cores = share * workers if group == whole else share
            (group / "cpu.shares").write_text(str(FIRST))
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(round(cores * PERIOD_US)))
        yield whole
    finally:
        for group in reversed(groups):
            group.rmdir()


def inside(group: Path, folder: Path) -> int:
    """The sensor, each of its workers in its own group."""
    numbers, work = itertools.count(), Crew._run

    def in_its_group(crew: Crew, *words: Any) -> None:
        (group / f"worker-{next(numbers)}" / "tasks").write_text(str(threading.get_native_id()))
        work(crew, *words)

    (group / "cgroup.procs").write_text(str(os.getpid()))
    Crew._run = in_its_group  # type: ignore[method-assign,assignment]
    Pipeline.look_as = lambda *_: None  # type: ignore[method-assign]
    return run(config.load(folder / "wardtap.toml"), folder / "state")


@contextlib.contextmanager
def sensing(workers: int, share: float, trace: Path, frames: int) -> Iterator[Bench]:
    """A sensor that listens, and rests."""
    with cable() as namespace, tempfile.TemporaryDirectory() as scratch, shares(workers, share) as group:
        folder = Path(scratch)
        (folder / "wardtap.toml").write_text(CONFIG.format(workers, RING_BYTES))
        words = ["-m", "tests.bench.carry", str(trace), "--inside", str(group), str(folder)]
        child = subprocess.Popen(namespace.command(sys.executable, *words), cwd=ROOT)
        try:
            while not status_file(folder / "state").exists():
                time.sleep(0.2)
            yield Bench(namespace, folder / "state", child.pid, trace, frames)
        finally:
            child.terminate()
            child.wait(120)


def counts(bench: Bench) -> tuple[int, int]:
    """(frames, dropped) of the leg, when the sensor has caught up."""
    settled(bench.pid)
    time.sleep(2.5)  # its status is of the second before
    found = load((status_file(bench.state),))
    assert found is not None
    (leg,) = found[0].legs
    return leg.frames, leg.dropped


def offered(bench: Bench, rate: int) -> int:
    """Put frames on the cable at a rate; how many."""
    loops = max(1, round(rate * SECONDS / bench.frames))
    words = [
        "chrt",
        "-f",
        "10",
        "tcpreplay",
        "-K",
        f"--pps={rate}",
        "--pps-multi=32",
        f"--loop={loops}",
        "-i",
        "ward",
        str(bench.trace),
    ]
    told = subprocess.run(bench.namespace.command(*words), capture_output=True, text=True, check=True, timeout=120)
    found = SENT.search(told.stdout)
    if found is None or int(found[1]) < SENT_SHARE * rate * float(found[2]):
        raise SystemExit(f"the sender does not reach {rate} frames a second here: take a smaller share\n{told.stdout}")
    return int(found[1])


def carries(bench: Bench, rate: int) -> bool:
    """Whether every frame of one offer was read."""
    before = counts(bench)
    sent = offered(bench, rate)
    after = counts(bench)
    read, dropped = after[0] - before[0], after[1] - before[1]
    print(f"  {rate} a second: {sent} sent, {read} read, {dropped} dropped", file=sys.stderr, flush=True)
    return dropped == 0 and read >= sent


def most(bench: Bench, rate: int) -> int:
    """The highest rate without a drop, from a first guess."""
    carries(bench, rate // 4)  # the devices of the trace get known
    low, high = (rate, 0) if carries(bench, rate) else (0, rate)
    while not low or not high:
        rate = round(rate * 1.5) if not high else round(rate / 1.5)
        low, high = (rate, high) if carries(bench, rate) else (low, rate)
    while high > low * NEAR:
        middle = round((low * high) ** 0.5)
        low, high = (middle, high) if carries(bench, middle) else (low, middle)
    return low


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--share", type=float, default=0.06, help="of a core, for each worker")
    parser.add_argument("--packets", type=int, default=100_000, help="of the trace, sent again and again")
    parser.add_argument("--guess", type=int, default=150_000, help="frames a second to begin with")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inside", nargs=2, type=Path, help="used by itself: the sensor")
    options = parser.parse_args()
    if options.inside:
        return inside(*options.inside)
    found: dict[int, list[int]] = {1: [], options.workers: []}
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch) / "short.pcap"
        frames = shortened(options.trace, trace, options.packets)
        for _ in range(options.runs):
            for workers, rates in found.items():
                with sensing(workers, options.share, trace, frames) as bench:
                    rates.append(most(bench, options.guess))
                print(f"{workers} workers carry {rates[-1]} frames a second", flush=True)
    ratios = [several / one for one, several in zip(*found.values(), strict=True)]
    print(f"over one: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
