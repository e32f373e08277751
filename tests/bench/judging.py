"""What judging costs: `python -m tests.bench.judging [TRACE.pcap] [--hours H]`, and the memory it holds, `--state`.

`--detectors` says which of them it goes to; asking the time for each call of each is then a tenth of what is measured.

Time: the share of `Engine.judge` in the processor time of everything that is done for a frame - reading, decoding,
metering, attributing, identity, summaries - over a trace, by both threads as the program reads one, or else over hours
of the ward of device_days.py. State: what engine and baseline hold after days of a full table, by tracemalloc.
"""

import argparse
import gc
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.config import Config
from agent.devices.baseline import Baseline
from agent.devices.roles import ROLES
from agent.findings.engine import Engine
from agent.service.feed import decoded_bursts
from agent.service.pipeline import COUNTED_MAX
from agent.service.startup import THRESHOLD_RUNNING
from agent.tap.replay import ReplaySource
from tests.bench.device_days import Tap
from tests.findings.bench import CONTRACTS, IN, OUT, Bench, S
from tests.simulators.reel import HOUR_S
from tests.simulators.ward_cast import empty
from tests.simulators.ward_days import life

DEVICES, MIB, DAYS = 4096, 1 << 20, 3
NAMES = ("infusion-pump", "patient-monitor", "ventilator", "printer", "hospital-server", "unknown", "phone")


class Stopwatch:
    """Time of this thread inside the judge, and inside each of its detectors when it is asked for."""

    def __init__(self, engine: Engine, *, detectors: bool) -> None:
        self.spent: Counter[str] = Counter()
        self._engine = engine
        engine.judge = self._timed("judge", engine.judge)  # type: ignore[method-assign]
        for name, part in vars(engine).items():
            if detectors and ".detectors." in type(part).__module__:
                part.judge = self._drained(name.strip("_"), part.judge)

    def _timed(self, name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any) -> Any:
            before = time.thread_time()
            found = run(*given)
            self.spent[name] += time.thread_time() - before
            return found

        return timed

    def _drained(self, name: str, run: Callable[..., Iterator[Any]]) -> Callable[..., Any]:
        """A detector yields; it is drained here, so that its time is its own."""
        return self._timed(name, lambda *given: list(run(*given)))


def share(tap: Tap, run: Callable[[], None], *, detectors: bool) -> None:
    """Print the judge's share."""
    watch, before = Stopwatch(tap.pipeline.engine, detectors=detectors), time.process_time()
    run()
    whole = time.process_time() - before
    judged = watch.spent.pop("judge")
    frames = tap.pipeline.frames.frames
    print(f"{frames} frames in {whole:.2f} CPU seconds; judging {judged:.3f}, {100 * judged / whole:.1f} %")
    for name, seconds in watch.spent.most_common(8):
        print(f"  {name:<20}{1000 * seconds:8.0f} ms  {100 * seconds / whole:5.2f} %")


def of_a_trace(tap: Tap, path: Path) -> None:
    """All of a capture file."""
    source, rows = ReplaySource([path]), tap.pipeline.buffer()
    while (burst := source.next_burst()) is not None:
        for _ in tap.pipeline.take_steps(tap.pipeline.decode(burst, rows)):
            pass
    tap.pipeline.drain()


def as_it_is_read(tap: Tap, path: Path) -> None:
    """All of a capture file, by two threads."""
    for decoded in decoded_bursts(ReplaySource([path]), tap.pipeline.decode):
        for _ in tap.pipeline.take_steps(decoded):
            pass
    tap.pipeline.drain()


def state() -> None:
    """Fill what can be filled, and say what is held."""
    bench = Bench()
    slots = [bench.add(NAMES[n % len(NAMES)], claims=(f"10.{n >> 8}.{n & 255}.7",)) for n in range(DEVICES)]
    rng = np.random.default_rng(1)
    tracemalloc.start()
    bench.baseline = Baseline(ROLES)
    bench.engine = Engine(CONTRACTS, bench.settings, bench.baseline)
    before = tracemalloc.get_traced_memory()[0]
    row = bench.edge(slots[0], "10.1.1.1", 3613)
    for interval in range(DAYS * 24):
        rows = np.repeat(row, COUNTED_MAX)
        rows["device"] = rng.permutation(np.repeat(slots, 2))[: len(rows)]
        rows["port"] = rng.choice((443, 3613, 2575, 22, 4444, 8081, 9999), len(rows))
        rows["direction"] = rng.choice((OUT, IN), len(rows))
        rows["peer_lo"] += rng.integers(0, 4000, len(rows)).astype(np.uint64)
        rows["last_ns"] = bench.now_ns + (interval % 3 + 1) * S
        bench.judge([rows[:4096]], [], HOUR_S * S, interval_closed=True, counted=rows, frames=1000, span_ns=60 * S)
        del rows
    held = tracemalloc.get_traced_memory()[0] - before
    print(f"{DEVICES} devices, {DAYS * 24} full intervals: engine and baseline hold {held / MIB:.1f} MiB (below 64)")


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path, nargs="?")
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--state", action="store_true")
    parser.add_argument("--detectors", action="store_true")
    given = parser.parse_args(arguments)
    if given.state:
        state()
        return 0
    ward = empty(1, 1.0) if given.trace else life(1)
    tap = Tap(ward, Config())
    tap.pipeline.load()
    gc.collect()
    gc.set_threshold(THRESHOLD_RUNNING)  # as the program does: what was made until now is not gone through again
    gc.freeze()
    if given.trace:
        share(tap, lambda: as_it_is_read(tap, given.trace), detectors=given.detectors)
    else:
        share(tap, lambda: tap.hear(0.0, given.hours * HOUR_S), detectors=given.detectors)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
