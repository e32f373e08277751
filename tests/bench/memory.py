"""Memory over a long run: `python -m tests.bench.memory TRACE.pcap [--passes N]`.

The same capture over and over, its time going on, through one pipeline: what is anonymous memory after each pass, and
how much a million packets add once everything was seen. Tables as shipped.
"""

import argparse
import io
from pathlib import Path

import numpy as np

from agent.config import Config
from agent.packets.decoder import Decoder
from agent.service.intervals import memory_bytes
from agent.service.parts import judgement
from agent.service.pipeline import Pipeline
from agent.service.replay import Screen, Wanted
from agent.tap.replay import ReplaySource

S = 1_000_000_000


class Run:
    """One pipeline that is played to again and again."""

    def __init__(self) -> None:
        self.pipeline = Pipeline(
            Config(), judgement(Config(), bytes(32)), Screen(io.StringIO(), Wanted(json=False), Config())
        )
        self.pipeline.load()
        self._rows, self._shift_ns, self._last_ns = Decoder.buffer(), 0, 0

    def play(self, path: Path) -> None:
        """One pass, a second after the one before."""
        source, first_ns = ReplaySource([path]), 0
        while (burst := source.next_burst()) is not None:
            times = burst.frames["time_ns"][: burst.count]
            first_ns = first_ns or int(times[0])
            if self._last_ns and not self._shift_ns:
                self._shift_ns = self._last_ns + S - first_ns
            times += self._shift_ns
            last_ns = int(times[-1])
            for _ in self.pipeline.take_steps(self.pipeline.decode(burst, self._rows)):
                pass
        self._last_ns, self._shift_ns = last_ns, 0
        source.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--passes", type=int, default=8)
    options = parser.parse_args()
    run, seen = Run(), []
    for _ in range(options.passes):
        run.play(options.trace)
        seen.append((run.pipeline.frames.frames, memory_bytes()))
        frames, memory = seen[-1]
        print(
            f"{frames:>10} frames  {run.pipeline.cache.open:>6} open flows  {run.pipeline.devices:>5} devices  "
            f"{memory / 1e6:7.1f} MB",
            flush=True,
        )
    later = np.array(seen[1:], float)
    slope = np.polyfit(later[:, 0], later[:, 1], 1)[0] if len(later) > 1 else float("nan")
    print(f"after the first pass {slope * 1e6 / 1e3:.1f} kB for a million packets; {run.pipeline.conserved()=}")


if __name__ == "__main__":
    main()
