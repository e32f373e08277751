"""What a threshold buys: `python -m tests.bench.tradeoff` draws docs/pictures/detection-tradeoff.svg.

Three detectors rest on a number. For each: which share of misbehaviours passes a threshold, and which share of the
ward's own doings would, over every threshold. A beacon's score is that of calls with more and more jitter, against all
edges that devices of the ward begin within a day, as if no contract excused them. A sweep's is the log likelihood of a
worm whose targets answer now and then, against the largest that the ward's own fans reach.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np

from agent.findings import thresholds
from agent.findings.case import Case
from agent.findings.detectors import beacon
from agent.findings.detectors.beacon import Beacons, beat_of
from agent.findings.draft import Draft
from agent.findings.windows import Count, EdgeWindows
from tests.bench.device_days import Tap
from tests.simulators.medium import S
from tests.simulators.reel import HOUR_S
from tests.simulators.ward_days import life

OUT = Path(__file__).resolve().parents[2] / "docs" / "pictures" / "detection-tradeoff.svg"
SEED, HOURS = 1, 12.0
JITTERS = tuple(n / 50 for n in range(51))  # of a beacon's period, each way
ANSWERS = tuple(n / 50 for n in range(51))  # share of a worm's targets that answer
TARGETS = 100  # of a worm, within a fan's window
WIDTH, HEIGHT, LEFT, TOP = 300, 220, 46, 34
INK, BAD, OWN, BAR = "#222", "#c33", "#06c", "#999"


class Panel(NamedTuple):
    """One detector: values of misbehaviours and of the ward's own doings, and where it draws the line."""

    title: str
    unit: str
    bad: tuple[float, ...]
    own: tuple[float, ...]
    line: float
    top: float


class Watching(Beacons):
    """The detector, and beside it what every edge of the ward would score without its contract."""

    def __init__(self) -> None:
        super().__init__()
        self.scores: dict[tuple[object, ...], float] = {}
        self._all = EdgeWindows(beacon.WINDOW_NS, beacon.INTERVALS_KEPT)

    def judge(self, case: Case) -> Iterator[Draft]:
        """As the detector does."""
        rows = case.turn.counted
        fits = (rows["direction"] == 0) & (rows["flows"] > 0) & np.isin(rows["protocol"], (6, 17))
        fits &= rows["device"] < case.roles.shape[0]
        for _, key, counts in self._all.take(case, rows, fits):
            beat = beat_of(counts, case.turn.span_ns)
            if beat is not None and beat.period_ns >= beacon.PERIOD_MIN_NS:
                self.scores[tuple(key)] = max(beat.score, self.scores.get(tuple(key), 0.0))
        yield from super().judge(case)


def beacon_scores() -> tuple[float, ...]:
    """Of a beacon every 20 s for a quarter of an hour, at each jitter."""
    scores = []
    for jitter in JITTERS:
        rng = Random(str(jitter))
        at, calls = 0.0, []
        while at < 900:
            calls.append(at)
            at += 20 * (1 + rng.uniform(-jitter, jitter))
        counts = [_count([c for c in calls if minute <= c < minute + 60], minute, rng) for minute in range(0, 900, 60)]
        beat = beat_of([one for one in counts if one.flows], 60 * S)
        scores.append(beat.score if beat else 0.0)
    return tuple(scores)


def _count(calls: Sequence[float], minute: int, rng: Random) -> Count:
    size = 900 + rng.randrange(40)
    fields = dict.fromkeys(Count._fields, 0) | {"end_ns": (minute + 60) * S, "flows": len(calls)}
    return Count(**fields | {"last_ns": int(max(calls, default=0) * S), "octets_out": size * len(calls)})


def sweep_scores() -> tuple[float, ...]:
    """The largest log likelihood within a hundred targets, at each share of answers."""
    return tuple(
        max(_likelihoods([rng.random() < share for _ in range(TARGETS)]))
        for share in ANSWERS
        for rng in [Random(f"{share}")]
    )


def _likelihoods(answers: Sequence[bool]) -> Iterator[float]:
    score = 0.0
    for answered in answers:
        score += thresholds.FAN_STEP_ANSWERED if answered else thresholds.FAN_STEP_FAILED
        score = max(score, thresholds.FAN_SCORE_LOWER)
        yield score


def of_the_ward(seed: int, hours: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Beacon scores of edges and scan scores of fans, the largest of each, of a ward to which nothing happens."""
    tap, watching = Tap(life(seed)), Watching()
    tap.pipeline.engine._beacons = watching
    fans: dict[int, float] = {}
    for hour in range(int(hours)):
        tap.hear(hour * HOUR_S, (hour + 1) * HOUR_S)
        used = tap.pipeline.table._fans
        for place in np.flatnonzero(used["used"]).tolist():
            fans[place] = max(fans.get(place, -5.0), float(used["score"][place]))
    return tuple(watching.scores.values()), tuple(fans.values())


def draw(seed: int = SEED, hours: float = HOURS, out: Path = OUT) -> None:
    """Make the picture."""
    calls, fans = of_the_ward(seed, hours)
    panels = (
        Panel("beacon: calls of even pace and size", "score", beacon_scores(), calls, beacon.SCORE_MIN, 1.0),
        Panel("sweep: targets that fail", "log likelihood", sweep_scores(), fans, thresholds.FAN_SCORE_UPPER, 140.0),
    )
    out.write_text(picture(panels, hours), encoding="utf-8")


def picture(panels: Sequence[Panel], hours: float) -> str:
    """Panels side by side, in SVG."""
    parts = [_panel(panel, LEFT + number * (WIDTH + LEFT)) for number, panel in enumerate(panels)]
    width, height = len(panels) * (WIDTH + LEFT) + LEFT, HEIGHT + TOP + 62
    legend = (
        f'<text x="{LEFT}" y="{height - 8}" fill="{BAD}">share of misbehaviours above the threshold</text>'
        f'<text x="{LEFT + 290}" y="{height - 8}" fill="{OWN}">what the ward does itself in {hours:.0f} h</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{width}" height="{height}" fill="#fff"/>\n'
        + "\n".join(parts)
        + legend
        + "</svg>\n"
    )


def _panel(panel: Panel, left: int) -> str:
    def x(value: float) -> float:
        return left + WIDTH * max(0.0, min(1.0, value / panel.top))

    line = f'<line x1="{x(panel.line):.1f}" x2="{x(panel.line):.1f}" y1="{TOP}" y2="{TOP + HEIGHT}" stroke="{BAR}"/>'
    text = (
        f'<text x="{left}" y="20" fill="{INK}">{panel.title}</text>'
        f'<text x="{x(panel.line) + 3:.1f}" y="{TOP + 12}" fill="{INK}">{panel.line:.3g}</text>'
        f'<text x="{left}" y="{TOP + HEIGHT + 18}" fill="{INK}">0</text>'
        f'<text x="{left + WIDTH - 110}" y="{TOP + HEIGHT + 18}" fill="{INK}">{panel.unit} {panel.top:g}</text>'
    )
    frame = f'<rect x="{left}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="{BAR}"/>'
    return frame + line + text + _curve(panel.bad, panel.top, BAD, x) + _curve(panel.own, panel.top, OWN, x)


def _curve(values: Sequence[float], top: float, colour: str, x: Callable[[float], float]) -> str:
    steps = [top * n / 100 for n in range(101)]
    shares = [sum(value >= step for value in values) / max(len(values), 1) for step in steps]
    points = " ".join(
        f"{x(step):.1f},{TOP + HEIGHT * (1 - share):.1f}" for step, share in zip(steps, shares, strict=True)
    )
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
