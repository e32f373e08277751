"""Where the time of a burst goes: `python -m tests.bench.stages TRACE.pcap [--runs N]`. One thread, stages in turn."""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from agent.devices.table import DeviceLimits, DeviceTable
from agent.flows.cache import FlowCache, FlowLimits
from agent.packets import kernels, kernels_mirror, kernels_payload
from agent.packets.cursor import CURSOR_SIZE, SCRATCH
from agent.packets.decoder import Decoder
from agent.packets.records import PACKET, VERDICTS
from agent.service.limits import SCAN_TEST
from agent.tap.replay import ReplaySource


class Stages:
    """The kernels of the hot path with a stopwatch between them."""

    def __init__(self) -> None:
        self.rows, self.verdicts = Decoder.buffer(), np.zeros(VERDICTS, np.int64)
        self.cursor = np.zeros(CURSOR_SIZE, np.int64)
        self.scratch = np.zeros(SCRATCH, PACKET)
        self.recent = np.zeros((kernels_mirror.SLOTS, kernels_mirror.WORDS), np.uint64)
        self.cache, self.table = FlowCache(FlowLimits()), DeviceTable(DeviceLimits(scan_test=SCAN_TEST))
        self.spent: dict[str, float] = defaultdict(float)
        self.last = time.thread_time()

    def lap(self, name: str) -> None:
        """Time since the last lap belongs to this stage."""
        now = time.thread_time()
        self.spent[name] += now - self.last
        self.last = now

    def run(self, path: Path) -> int:
        """All bursts of a trace; returns the frames."""
        source, frames, second = ReplaySource([path]), 0, 0
        self.last = time.thread_time()
        while (burst := source.next_burst()) is not None:
            self.lap("walk")
            count = burst.count
            kernels.decode_burst(burst.frames, count, burst.octets, self.rows, self.verdicts, self.cursor, self.scratch)
            self.lap("decode")
            kernels_payload.recognise_burst(self.rows, count, burst.octets)
            self.lap("recognise")
            kernels_mirror.mark_duplicates(self.rows, count, self.recent, self.verdicts)
            self.lap("duplicates")
            self.table.attribute(self.rows, count)
            self.lap("attribute")
            for records in self.cache.meter(self.rows, count):
                self.lap("meter")
                self.table.relate(records)
                self.lap("relate")
            self.lap("meter")
            now = int(self.rows["time_ns"][count - 1]) // 1_000_000_000 if count else second
            if now > second:
                second = now
                for records in self.cache.expire(now):
                    self.table.relate(records)
                self.table.take_edges()
            self.lap("expire")
            frames += count
        return frames


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.runs + 1):  # the first one warms up
        stages = Stages()
        frames = stages.run(options.trace)
    total = sum(stages.spent.values())
    print(f"{frames} frames, last of {options.runs} runs: {frames / total / 1e6:.2f} million a second on one core")
    for name, spent in sorted(stages.spent.items(), key=lambda item: -item[1]):
        print(f"  {name:<11}{spent / frames * 1e9:7.1f} ns a frame {spent / total:6.1%}")


if __name__ == "__main__":
    main()
