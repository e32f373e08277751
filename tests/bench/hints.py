"""What hints cost: `python -m tests.bench.hints TRACE.pcap [--runs N]`. One thread, with and without, in turn.

Without: nobody wants a hint, so none is compared with what was heard, read or weighed; recognising the application
stays, for flows need it. Share by difference: (with - without) / with, of the medians of the thread's CPU time. By
stopwatch, in the runs with: choosing the news (kernels), and readers with all that identity makes of them (Python).
The budget bounds a second whatever comes (agent/packets/budgets.py); from the stopwatch follows what it may cost.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from agent.config import Config
from agent.packets import budgets
from agent.packets.hints import READERS
from agent.packets.news import News
from agent.packets.records import HintKind
from agent.tap.replay import ReplaySource
from tests.bench.device_days import Tap
from tests.bench.judging import of_a_trace
from tests.packets.hints.payloads import PAYLOADS
from tests.simulators.bursts import SECRET
from tests.simulators.ward_days import life

SHARE_MAX = 0.15
READINGS = 50


class Run(NamedTuple):
    """One pass over the trace: CPU seconds of the thread, of these choosing and hearing; frames, hints read."""

    whole_s: float
    tell_s: float
    hear_s: float
    frames: int
    hints: int


class Stopwatch:
    """CPU time of this thread inside some calls."""

    def __init__(self) -> None:
        self.spent_s = 0.0

    def timed(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, its time added."""

        def call(*given: Any) -> Any:
            before = time.thread_time()
            found = run(*given)
            self.spent_s += time.thread_time() - before
            return found

        return call


def one(path: Path, *, wanted: bool, watched: bool) -> Run:
    """A fresh pipeline over the whole trace. The stopwatch runs in some of the runs only: it costs too."""
    tap, tell, hear = Tap(life(1), Config()), Stopwatch(), Stopwatch()
    pipeline = tap.pipeline
    if not wanted:
        pipeline._news = News(SECRET, ())
    pipeline.load()
    if watched:
        pipeline._news.tell = tell.timed(pipeline._news.tell)  # type: ignore[method-assign]
        pipeline._hear = hear.timed(pipeline._hear)  # type: ignore[method-assign]
    before = time.thread_time()
    of_a_trace(tap, path)
    whole_s = time.thread_time() - before
    return Run(whole_s, tell.spent_s, hear.spent_s, pipeline.frames.frames, pipeline.ward.hints_read)


def heaviest() -> list[tuple[float, str]]:
    """Microseconds and kind of the readers, slowest first: of their samples, and of those repeated up to the most."""
    found = []
    for kind, payloads in PAYLOADS.items():
        long = [(payload * budgets.HINT_OCTETS_MAX)[: budgets.HINT_OCTETS_MAX] for payload in payloads]
        found.append((max(_reading_us(kind, payload) for payload in (*payloads, *long)), kind.name.lower()))
    return sorted(found, reverse=True)


def _reading_us(kind: HintKind, payload: bytes) -> float:
    before = time.thread_time()
    for _ in range(READINGS):
        READERS[kind](payload)
    return 1e6 * (time.thread_time() - before) / READINGS


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 1 when the share is above its bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--runs", type=int, default=5, help="of each kind, in turn")
    given = parser.parse_args(arguments)
    for burst in iter(ReplaySource([given.trace]).next_burst, None):
        del burst  # the file into the page cache
    runs: dict[str, list[Run]] = {"with": [], "without": [], "watched": []}
    for _ in range(given.runs):
        for name, of in runs.items():
            of.append(one(given.trace, wanted=name != "without", watched=name == "watched"))
    middle = {name: statistics.median(run.whole_s for run in of) for name, of in runs.items()}
    frames, hints = runs["watched"][0].frames, runs["watched"][0].hints
    tell, hear = (statistics.median(getattr(run, name) for run in runs["watched"]) for name in ("tell_s", "hear_s"))
    whole = middle["watched"]
    share = (middle["with"] - middle["without"]) / middle["with"]
    print(f"{frames} frames, {hints} hints read; {given.runs} runs of each kind, medians of one thread's CPU time")
    print(f"  with {middle['with']:.2f} s, without {middle['without']:.2f} s: {100 * share:.1f} % by difference")
    print(
        f"  by stopwatch {100 * tell / whole:.1f} %: choosing {100 * (tell - hear) / whole:.1f} %, "
        f"reading and identity {100 * hear / whole:.1f} %"
    )
    slow, left, worst_us = heaviest(), budgets.HINTS_PER_SECOND, 0.0
    for us, _ in slow:
        worst_us += us * min(left, budgets.HINTS_PER_KIND)
        left -= min(left, budgets.HINTS_PER_KIND)
    print(
        f"  {1e6 * hear / max(hints, 1):.0f} us a hint; slowest readers on 8 kB that repeat a sample: "
        f"{', '.join(f'{name} {us:.0f} us' for us, name in slow[:4])}"
    )
    print(
        f"  a second's budget ({budgets.HINTS_PER_SECOND}, {budgets.HINTS_PER_KIND} of a kind) of the slowest: "
        f"{worst_us / 1000:.0f} ms"
    )
    return int(max(share, tell / whole) > SHARE_MAX)


if __name__ == "__main__":
    raise SystemExit(main())
