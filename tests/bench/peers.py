"""wardtap and its peers on one trace, in turn, as whole processes: `python -m tests.bench.peers TRACE.pcap [--runs N]`.

Peers are what is installed of softflowd, nfpcapd (nfdump), argus and ndpiReader (libndpi-bin); they alternate.
Medians; "faster" is the wall time of the peer over that of wardtap.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One run."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int


def run_once(command: list[str]) -> Figure:
    """Start, wait, account."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Figure(
        time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode
    )


def commands(trace: str, scratch: str) -> dict[str, list[str]]:
    """What is installed."""
    wanted = {
        "wardtap": [sys.executable, "-m", "agent", "replay", "--json", trace],
        "softflowd": ["softflowd", "-r", trace, "-n", "127.0.0.1:9", "-m", "100000"],
        "nfpcapd": ["nfpcapd", "-r", trace, "-l", scratch],
        "argus": ["argus", "-r", trace, "-w", f"{scratch}/argus.out"],
        "ndpiReader": ["ndpiReader", "-i", trace, "-q"],
    }
    return {name: command for name, command in wanted.items() if shutil.which(command[0])}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        chosen = commands(str(options.trace), scratch)
        figures: dict[str, list[Figure]] = {name: [] for name in chosen}
        for turn in range(options.runs + 1):  # the first one warms up
            for name, command in chosen.items():
                figure = run_once(command)
                if turn:
                    figures[name].append(figure)
    own = statistics.median(figure.wall_s for figure in figures["wardtap"])
    print(f"{'program':<12}{'wall s':>9}{'cpu s':>9}{'MB':>8}{'wardtap is':>16}")
    for name, runs in figures.items():
        wall, cpu, peak = (statistics.median(run[i] for run in runs) for i in range(3))
        failed = "" if all(run.code == 0 for run in runs) else f"  exit {runs[-1].code}"
        print(f"{name:<12}{wall:>9.2f}{cpu:>9.2f}{peak:>8.0f}{wall / own:>9.2f} x faster{failed}")


if __name__ == "__main__":
    main()
