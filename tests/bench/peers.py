"""wardtap and its peers on the same traces, in turn, as whole processes: `python -m tests.bench.peers TRACE.pcap ...`.

Peers are what is installed of softflowd, nfpcapd (nfdump), argus and ndpiReader (libndpi-bin), and NFStream in a Python
that has it. They alternate, so a machine that drifts hurts all alike. Medians. With several traces (a short one first)
the slope between the first two is told: what more packets cost more, the start being the same.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.bare_walk import rates
from tests.bench.bars import Bar, drawing

NFSTREAM = (
    "import sys\nfrom nfstream import NFStreamer\nfor f in NFStreamer(sys.argv[1], statistical_analysis=True): pass"
)


class Figure(NamedTuple):
    """One run."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int
    told: dict[str, float]  # wardtap's own stats line


class Column(NamedTuple):
    """All runs on one trace."""

    packets: int
    runs: dict[str, list[Figure]]

    def median(self, name: str, field: str = "wall_s") -> float:
        """Of one program."""
        return statistics.median(getattr(run, field) for run in self.runs[name])


def run_once(command: list[str]) -> Figure:
    """Start, wait, account."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(max(0, said.tell() - 4096))
        last = said.read().splitlines()[-1:]
    told = json.loads(last[0]) if last and last[0].startswith(b'{"type":"stats"') else {}
    return Figure(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode, told)


def commands(trace: str, scratch: str, nfstream_python: str) -> dict[str, list[str]]:
    """What is installed."""
    wanted = {
        "wardtap": [sys.executable, "-m", "agent", "replay", "--json", trace],
        "softflowd": ["softflowd", "-r", trace, "-n", "127.0.0.1:9", "-m", "100000"],
        "nfpcapd": ["nfpcapd", "-r", trace, "-l", scratch],
        "argus": ["argus", "-r", trace, "-w", f"{scratch}/argus.out"],
        "ndpiReader": ["ndpiReader", "-i", trace, "-q"],
    }
    if nfstream_python:
        wanted["NFStream"] = [nfstream_python, "-c", NFSTREAM, trace]
    return {name: command for name, command in wanted.items() if shutil.which(command[0])}


def warm(trace: Path) -> None:
    """Into the page cache, for everybody."""
    with trace.open("rb") as handle:
        while handle.read(1 << 24):
            pass


def measure(trace: Path, runs: int, nfstream_python: str) -> Column:
    """Every program on one trace, in turn; the first turn warms up."""
    warm(trace)
    with tempfile.TemporaryDirectory() as scratch:
        chosen = commands(str(trace), scratch, nfstream_python)
        figures: dict[str, list[Figure]] = {name: [] for name in chosen}
        for turn in range(runs + 1):
            for name, command in chosen.items():
                figure = run_once(command)
                if turn:
                    figures[name].append(figure)
    packets = int(figures["wardtap"][-1].told["packets"])
    own = statistics.median(figure.wall_s for figure in figures["wardtap"])
    print(f"{trace.name}: {packets} packets, {trace.stat().st_size / 1e6:.0f} MB, medians of {runs}")
    print(f"  {'program':<12}{'wall s':>9}{'CPU s':>9}{'MB':>8}{'wardtap is':>16}")
    for name, found in figures.items():
        wall, cpu, peak = (statistics.median(run[i] for run in found) for i in range(3))
        failed = "" if all(run.code == 0 for run in found) else f"  exit {found[-1].code}"
        print(f"  {name:<12}{wall:>9.2f}{cpu:>9.2f}{peak:>8.0f}{wall / own:>9.2f} x faster{failed}", flush=True)
    return Column(packets, figures)


def slopes(short: Column, long: Column) -> dict[str, float]:
    """Steady rates, packets a second: what the further packets cost."""
    more = long.packets - short.packets
    return {name: more / (long.median(name) - short.median(name)) for name in short.runs if name in long.runs}


def told_rate(column: Column) -> float:
    """wardtap's own steady rate."""
    return statistics.median(run.told["packets_per_s"] for run in column.runs["wardtap"])


def tell_slopes(steady: dict[str, float], own_word: float) -> None:
    """What further packets cost, and whether the program's own word agrees."""
    print("slope between the first two traces")
    for name, rate in steady.items():
        print(f"  {name:<12}{rate / 1e6:>8.2f} million packets a second; wardtap {steady['wardtap'] / rate:.2f} times")
    print(f"  packets_per_s says {own_word / 1e6:.2f} million: {own_word / steady['wardtap']:.2f} of the slope")


def tell_rates(column: Column, bare: float) -> list[Bar]:
    """wardtap's steady rate beside the peers' over all of the last trace; prints them and makes bars of them."""
    own = told_rate(column)
    rates_of = {name: column.packets / column.median(name) for name in column.runs if name != "wardtap"}
    print("wardtap's steady rate, and the peers' over all")
    for name, rate in {"wardtap": own, **rates_of, "bare walk": bare}.items():
        print(f"  {name:<12}{rate / 1e6:>8.2f} million packets a second; wardtap {own / rate:.2f} times as many")
    said = {name: f"{rate / 1e6:.2f} million/s" for name, rate in rates_of.items()}
    bars = [Bar(name, rate, said[name]) for name, rate in rates_of.items()]
    limit = Bar("bare walk of the file", bare, f"{bare / 1e6:.2f} million/s", "limit")
    return [limit, Bar("wardtap, steady", own, f"{own / 1e6:.2f} million/s", "own"), *bars]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--nfstream-python", default="", help="a Python that has nfstream")
    parser.add_argument("--picture", type=Path, help="where to draw the rates on the last trace (SVG)")
    options = parser.parse_args()
    columns = [measure(trace, options.runs, options.nfstream_python) for trace in options.traces]
    if len(columns) > 1:
        tell_slopes(slopes(columns[0], columns[1]), told_rate(columns[1]))
    last = columns[-1]
    bars = tell_rates(last, statistics.median(rates(options.traces[-1], options.runs)))
    if options.picture:
        note = f"{last.packets:,} packets of 50,000 flows, two cores; more is better"
        options.picture.write_text(drawing("Packets a second of a replay", note, bars), encoding="utf-8")


if __name__ == "__main__":
    main()
