"""Live capture on a virtual cable: `python -m tests.bench.live TRACE.pcap [--packets N] [--known N]` (root).

tcpreplay puts the frames on one end at full speed, or at `--mbps`, with the program at the other; the programs take
turns. Told: frames offered, frames that the program counted as read and as dropped, and the CPU time that the program
used from the first frame until it was done, for a million frames; what the kernel does for the cable counts nowhere.
With `--known` the program has seen the trace before: a ward's devices are not new every second. With `--workers N` the
ring with one worker and with N takes turns instead of the programs; `--senders` puts the frames on the cable several
times at once, and `--mbps` in steps of several runs finds the rate at which each begins to drop. Cores that the senders
use are not the workers': say how many there were.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.spool.reader import SpoolReader
from agent.wire import body
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.simulators.namespace import Namespace, cable

TICKS = os.sysconf("SC_CLK_TCK")
CONFIG = '[tap]\nlegs = ["eth1"]\nbackend = "{}"\nworkers = {}\n[summaries]\ninterval_s = 5\n'


class Figure(NamedTuple):
    """One run."""

    offered: int
    read: int
    dropped: int
    cpu_s: float
    wall_s: float


def cpu_s(process: int) -> float:
    """User and system time of a process and its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def settled(process: int) -> None:
    """Wait until it uses no more than a tenth of a core."""
    before = cpu_s(process)
    for _ in range(120):
        time.sleep(0.5)
        now = cpu_s(process)
        if now - before <= 0.05:
            return
        before = now
    raise SystemExit(f"process {process} never rests")


def replayed(namespace: Namespace, options: argparse.Namespace) -> tuple[int, float]:
    """Put the frames on the cable. (frames, seconds)"""
    speed = [f"--mbps={options.mbps}"] if options.mbps else ["--topspeed"]
    words = ["tcpreplay", "-K", *speed, f"--limit={options.packets}", "-i", "ward", str(options.trace)]
    senders = [
        subprocess.Popen(namespace.command(*words), stdout=subprocess.PIPE, text=True) for _ in range(options.senders)
    ]
    frames, seconds = 0, 0.0
    for sender in senders:
        told = sender.communicate(timeout=300)[0]
        found = re.search(r"Actual: (\d+) packets \(\d+ bytes\) sent in ([\d.]+) seconds", told)
        if found is None:
            raise SystemExit(told)
        frames, seconds = frames + int(found[1]), max(seconds, float(found[2]))
    return frames, seconds


def sensor_counts(folder: Path) -> tuple[int, int]:
    """(frames read, dropped) as its summaries say."""
    read = dropped = 0
    for record in SpoolReader(folder / "state" / "sensor" / "spool").records():
        if record.type == MessageType.SUMMARY:
            summary = Summary.from_content(body.decode(record.type, record.body)[1])
            read += sum(leg.frames for leg in summary.legs)
            dropped = max(dropped, sum(leg.dropped for leg in summary.legs))
    return read, dropped


def sensor(backend: str, workers: int = 1) -> Callable[[Path], list[str]]:
    """wardtap with one of its backends."""

    def command(folder: Path) -> list[str]:
        (folder / "wardtap.toml").write_text(CONFIG.format(backend, workers))
        words = ["sensor", "--config", str(folder / "wardtap.toml"), "--state", str(folder / "state")]
        return [sys.executable, "-m", "agent", *words]

    return command


def softflowd(folder: Path) -> list[str]:
    """As it is usually run: NetFlow to a collector that is not there."""
    control = ["-p", str(folder / "pid"), "-c", str(folder / "control")]
    return ["softflowd", "-d", "-i", "eth1", "-n", "127.0.0.1:9", "-m", "100000", *control]


def softflowd_counts(folder: Path) -> tuple[int, int]:
    """(frames read, dropped) as it answers."""
    told = subprocess.run(
        ["softflowctl", "-c", str(folder / "control"), "statistics"], capture_output=True, text=True, check=True
    ).stdout
    numbers = [re.search(pattern, told) for pattern in (r"Packets processed: (\d+)", r"dropped by libpcap: (\d+)")]
    dropped = int(numbers[1][1]) if numbers[1] else -1
    return int(numbers[0][1]) if numbers[0] else -1, dropped


def run_once(
    command: Callable[[Path], list[str]], counts: Callable[[Path], tuple[int, int]], options: argparse.Namespace
) -> Figure:
    """One program on one cable."""
    with cable() as namespace, tempfile.TemporaryDirectory() as scratch:
        namespace.run("ip", "link", "set", "lo", "up")
        folder = Path(scratch)
        with (folder / "said").open("w") as said:
            words = namespace.command(*command(folder))
            child = subprocess.Popen(words, stdout=said, stderr=said, cwd=Path(__file__).resolve().parents[2])
        try:
            time.sleep(2)
            settled(child.pid)
            for _ in range(options.known):
                replayed(namespace, options)
                settled(child.pid)
            before = cpu_s(child.pid)
            offered, wall_s = replayed(namespace, options)
            settled(child.pid)
            used = cpu_s(child.pid) - before
            found = counts(folder) if counts is softflowd_counts else (0, 0)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(60)
        read, dropped = found if counts is softflowd_counts else counts(folder)
        return Figure(offered, read, dropped, used, wall_s)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--mbps", type=float, default=0)
    parser.add_argument("--known", type=int, default=0, help="passes before the one that is measured")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1, help="compare one worker with so many")
    parser.add_argument("--senders", type=int, default=1, help="how many put the frames on the cable at once")
    options = parser.parse_args()
    chosen = {"ring": (sensor("ring"), sensor_counts), "pcapy": (sensor("pcapy"), sensor_counts)}
    if options.workers > 1:
        chosen = {f"{count} workers": (sensor("ring", count), sensor_counts) for count in (1, options.workers)}
    elif shutil.which("softflowd"):
        chosen["softflowd"] = (softflowd, softflowd_counts)
    figures: dict[str, list[Figure]] = {name: [] for name in chosen}
    for _ in range(options.runs):
        for name, (command, counts) in chosen.items():
            figure = run_once(command, counts, options)
            figures[name].append(figure)
            print(json.dumps({"program": name} | figure._asdict()), flush=True)
    for name, runs in figures.items():
        cpu = statistics.median(run.cpu_s / run.offered * 1e6 for run in runs)
        print(f"{name:10} {cpu:6.2f} CPU s for a million frames, dropped {[run.dropped for run in runs]}")


if __name__ == "__main__":
    main()
