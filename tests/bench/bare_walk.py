"""The least that any program can do with a capture: `python -m tests.bench.bare_walk TRACE.pcap [--runs N]`.

A kernel steps from record header to record header of the mapped file and looks at nothing else. Told: the best and the
median rate over the runs, in packets a second.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np

from agent.tap import kernels
from agent.tap.records import BURST_FRAMES_MAX, FRAME
from agent.tap.replay import PCAP_HEADER, PCAP_MAGICS


def walk(path: Path) -> tuple[int, float]:
    """(frames, seconds) of one pass over the mapping; the file is in the page cache."""
    octets = np.memmap(path, np.uint8, "c").view(np.ndarray)  # private and writable, as the kernels are compiled for
    swapped, tick_ns = PCAP_MAGICS[octets[:4].tobytes()]
    frames, at, total, count = np.zeros(BURST_FRAMES_MAX, FRAME), PCAP_HEADER, 0, 1
    began = time.perf_counter()
    while count:
        count, at, _ = kernels.walk_pcap(octets, at, frames, swapped, tick_ns, 1)
        total += count
    return total, time.perf_counter() - began


def rates(path: Path, runs: int) -> list[float]:
    """Packets a second, run after run; a first pass warms up."""
    walk(path)
    return [frames / seconds for frames, seconds in (walk(path) for _ in range(runs))]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    found = rates(options.trace, options.runs)
    print(f"{statistics.median(found) / 1e6:.2f} million packets a second (best {max(found) / 1e6:.2f})")


if __name__ == "__main__":
    main()
