"""What a threshold buys: `python -m tests.bench.tradeoff` draws docs/pictures/detection-tradeoff.svg.

Eight detectors rest on a number. For each: which share of misbehaviours passes a threshold, and which share of the
ward's own doings would, over every threshold (`tradeoff_scores.py` has both).
"""

import argparse
from collections.abc import Callable, Sequence
from math import log
from pathlib import Path
from typing import NamedTuple

from agent.findings import thresholds
from agent.findings.detectors import beacon, credential_guessing, dns_tunnel, flood, generated_names, heartbeat_lost
from agent.findings.volumes import FACTOR
from tests.bench import tradeoff_scores
from tests.bench.device_days import Tap
from tests.simulators.ward_days import life

OUT = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "detection-tradeoff.svg"
SEED, HOURS = 1, 12.0
WIDTH, HEIGHT, LEFT, TOP, FOOT, COLUMNS = 220, 150, 30, 34, 36, 4
INK, BAD, OWN, BAR = "#222", "#c33", "#06c", "#999"
SSH = 22


class Panel(NamedTuple):
    """One detector: values of misbehaviours and of the ward's own doings, and where it draws the line."""

    title: str
    unit: str
    bad: tuple[float, ...]
    own: tuple[float, ...]
    line: float
    least: float
    most: float
    by_factors: bool = False  # the axis: each factor of two as wide as any other

    def place(self, value: float) -> float:
        """0 at the left end of the axis, 1 at the right one."""
        low, high, at = self.least, self.most, min(max(value, self.least), self.most)
        return log(at / low) / log(high / low) if self.by_factors else (at - low) / (high - low)

    def steps(self) -> list[float]:
        """Thresholds from left to right."""
        low, high = self.least, self.most
        shares = [n / 100 for n in range(101)]
        return [low * (high / low) ** n if self.by_factors else low + (high - low) * n for n in shares]


def panels(own: tradeoff_scores.Own) -> tuple[Panel, ...]:
    """All of them."""
    spread = tradeoff_scores.spread
    return (
        Panel("beacon: even pace and size", "score", tradeoff_scores.beacon_scores(), own.calls,
              beacon.SCORE_MIN, 0, 1),
        Panel("sweep: targets that fail", "log likelihood", tradeoff_scores.sweep_scores(), own.fans,
              thresholds.FAN_SCORE_UPPER, 0, 140),
        Panel("exfiltration: volume", "times the role's", spread(1, 4096), own.volumes, FACTOR, 0.01, 4096,
              by_factors=True),
        Panel("flood: datagrams unanswered", "a second", spread(10, 10_000), own.datagrams, flood.DATAGRAMS_A_SECOND,
              0.1, 10_000, by_factors=True),
        Panel("guessing: sessions to one port", "in five minutes", spread(1, 600), own.sessions,
              credential_guessing.SESSIONS_MIN[SSH], 1, 600, by_factors=True),
        Panel("heartbeat: silence", "periods (minutes at least)", spread(1, 60), own.pauses,
              heartbeat_lost.PERIODS, 1, 60, by_factors=True),
        Panel("tunnel: names below a domain", "in ten minutes", spread(1, 1000), own.names, dns_tunnel.NAMES_MIN, 1,
              1000, by_factors=True),
        Panel("drawn domains: letters", "bits below chance", tradeoff_scores.drawn_names(),
              tradeoff_scores.chosen_names(), generated_names.DRAWN_BITS, -3, 3),
    )  # fmt: skip


def draw(seed: int = SEED, hours: float = HOURS, out: Path = OUT) -> None:
    """Make the picture."""
    own = tradeoff_scores.of_the_ward(Tap(life(seed)), hours)
    out.write_text(picture(panels(own), hours), encoding="utf-8")


def picture(shown: Sequence[Panel], hours: float) -> str:
    """Panels in rows, in SVG."""
    wide, high = WIDTH + LEFT, TOP + HEIGHT + FOOT
    rows = -(-len(shown) // COLUMNS)
    width, height = COLUMNS * wide + LEFT, rows * high + 28
    parts = [
        _panel(panel, LEFT + number % COLUMNS * wide, number // COLUMNS * high) for number, panel in enumerate(shown)
    ]
    legend = (
        f'<text x="{LEFT}" y="{height - 8}" fill="{BAD}">share of misbehaviours above the threshold</text>'
        f'<text x="{LEFT + 290}" y="{height - 8}" fill="{OWN}">share of what the ward does itself in {hours:.0f} h '
        f"(letters: of well-known sites), if no contract excused it</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{width}" height="{height}" fill="#fff"/>\n'
        + "\n".join(parts)
        + legend
        + "</svg>\n"
    )


def _panel(panel: Panel, left: int, top: int) -> str:
    def x(value: float) -> float:
        return left + WIDTH * panel.place(value)

    base = top + TOP + HEIGHT
    line = f'<line x1="{x(panel.line):.1f}" x2="{x(panel.line):.1f}" y1="{top + TOP}" y2="{base}" stroke="{BAR}"/>'
    text = (
        f'<text x="{left}" y="{top + 24}" fill="{INK}">{panel.title}</text>'
        f'<text x="{x(panel.line) + 3:.1f}" y="{top + TOP + 12}" fill="{INK}">{panel.line:.3g}</text>'
        f'<text x="{left}" y="{base + 16}" fill="{INK}">{panel.least:g}</text>'
        f'<text x="{left + WIDTH}" y="{base + 16}" fill="{INK}" text-anchor="end">{panel.unit} {panel.most:g}</text>'
    )
    frame = f'<rect x="{left}" y="{top + TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="{BAR}"/>'
    return frame + line + text + _curve(panel, panel.bad, BAD, x, base) + _curve(panel, panel.own, OWN, x, base)


def _curve(panel: Panel, values: Sequence[float], colour: str, x: Callable[[float], float], base: int) -> str:
    shares = [(step, sum(value >= step for value in values) / max(len(values), 1)) for step in panel.steps()]
    points = " ".join(f"{x(step):.1f},{base - HEIGHT * share:.1f}" for step, share in shares)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--hours", type=float, default=HOURS)
    given = parser.parse_args(arguments)
    draw(given.seed, given.hours)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
