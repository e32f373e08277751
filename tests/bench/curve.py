"""What a packet costs by how many flows there are: `python -m tests.bench.curve [--packets N] [--runs N] [FLOWS ...]`.

Ward-like traces of as many packets (tests/bench/trace.py) with 1,000 to 1,000,000 flows, and one in which each packet
is a flow of its own, replayed as whole processes in turn. CPU time of all threads without that of a replay of nothing,
wall time of the pipeline; the least of the runs, because whatever else the machine does only adds. `--svg` draws the
curve (docs/pictures/cost-by-flows.svg).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.trace import write
from tests.forge.pcap import Pcap

FLOWS = (1_000, 10_000, 100_000, 1_000_000)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 320, 60, 40, 20
INK, LINE, BAR = "#222", "#06c", "#bbb"


class Cost(NamedTuple):
    """Nanoseconds a packet."""

    cpu_ns: float
    wall_ns: float
    flows: int  # that were seen


def replayed(trace: Path) -> tuple[float, dict[str, float]]:
    """(CPU seconds of the process, its `stats` line)."""
    command = [sys.executable, "-m", "agent", "replay", "--json", str(trace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        last = child.stdout.read().splitlines()[-1]
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, trace
    return usage.ru_utime + usage.ru_stime, json.loads(last)


def cost(trace: Path, start_s: float) -> Cost:
    """Of one replay."""
    cpu_s, stats = replayed(trace)
    packets = stats["packets"]
    return Cost((cpu_s - start_s) / packets * 1e9, stats["pipeline_s"] / packets * 1e9, int(stats["flows"]))


def traces(folder: Path, packets: int, flows: list[int]) -> dict[str, Path]:
    """The files, by what they are called in the table; those that are there are used again."""
    found = {f"{count:,} flows": (folder / f"flows-{count}-{packets}.pcap", count) for count in flows}
    found["each packet a flow"] = (folder / f"scan-{packets}.pcap", 0)
    for path, count in found.values():
        if not path.exists():
            write(path, packets, count, seed=1, scan=not count)
    return {name: path for name, (path, _) in found.items()}


def least(paths: Mapping[str, Path], runs: int, nothing: Path) -> dict[str, Cost]:
    """The least of each, the traces in turn."""
    found: dict[str, Cost] = {}
    for _ in range(runs):
        start_s = min(replayed(nothing)[0] for _ in range(2))
        for name, path in paths.items():
            now, before = cost(path, start_s), found.get(name)
            found[name] = (
                Cost(min(now.cpu_ns, before.cpu_ns), min(now.wall_ns, before.wall_ns), now.flows) if before else now
            )
    return found


def picture(costs: Mapping[str, Cost]) -> str:
    """The CPU time as a line over the number of flows, each decade as wide, and twice the first as a bar across."""
    points = list(costs.items())
    top = max(one.cpu_ns for _, one in points) * 1.1
    step = (WIDTH - LEFT - 60) / max(len(points) - 1, 1)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)

    places = [(LEFT + 20 + index * step, y(one.cpu_ns)) for index, (_, one) in enumerate(points)]
    twice = 2 * points[0][1].cpu_ns
    right, size = WIDTH - 20, f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"'
    line = " ".join(f"{x:.0f},{v:.0f}" for x, v in places)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M{LEFT} {y(0):.0f}H{right}" stroke="{INK}"/>',
        f'<path d="M{LEFT} {y(twice):.0f}H{right}" stroke="{BAR}" stroke-dasharray="6 4"/>',
        f'<text x="{right}" y="{y(twice) - 5:.0f}" text-anchor="end" fill="{INK}">twice the first</text>',
        f'<polyline fill="none" stroke="{LINE}" stroke-width="2" points="{line}"/>',
        f'<text x="14" y="{TOP}" fill="{INK}">CPU ns a packet</text>',
    ]
    for (name, one), (x, v) in zip(points, places, strict=True):
        lines += [
            f'<circle cx="{x:.0f}" cy="{v:.0f}" r="4" fill="{LINE}"/>',
            f'<text x="{x:.0f}" y="{v - 10:.0f}" text-anchor="middle" fill="{INK}">{one.cpu_ns:.0f}</text>',
            f'<text x="{x:.0f}" y="{HEIGHT - 15}" text-anchor="middle" fill="{INK}">{name}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flows", nargs="*", type=int, default=list(FLOWS), metavar="FLOWS")
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where traces are kept for another time")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        nothing = Path(scratch) / "nothing.pcap"
        nothing.write_bytes(Pcap().octets([]))
        costs = least(traces(folder, options.packets, options.flows), options.runs, nothing)
    first = next(iter(costs.values()))
    print(f"{'trace':<20}{'flows seen':>12}{'CPU ns':>9}{'ratio':>7}{'wall ns':>9}{'ratio':>7}")
    for name, one in costs.items():
        print(
            f"{name:<20}{one.flows:>12,}{one.cpu_ns:>9.0f}{one.cpu_ns / first.cpu_ns:>7.2f}"
            f"{one.wall_ns:>9.0f}{one.wall_ns / first.wall_ns:>7.2f}"
        )
    if options.svg:
        options.svg.parent.mkdir(parents=True, exist_ok=True)
        options.svg.write_text(picture(costs), encoding="utf-8")


if __name__ == "__main__":
    main()
