"""A bar for each number, as SVG: what a benchmark found, to look at."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, ROW, TOP = 760, 190, 26, 56  # drawing units
OWN, OTHER, LIMIT = "#0b7285", "#adb5bd", "#868e96"


class Bar(NamedTuple):
    """One row of the picture."""

    name: str
    value: float
    said: str  # the number as people read it
    kind: str = "other"  # own, other or limit


def drawing(title: str, note: str, bars: Sequence[Bar]) -> str:
    """The picture; the longest bar fills the width."""
    longest = max(bar.value for bar in bars)
    height = TOP + ROW * len(bars) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        f'  font-size="13" role="img" aria-label="{escape(title)}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="16" y="41" fill="#495057">{escape(note)}</text>',
    ]
    colours = {"own": OWN, "limit": LIMIT}
    for number, bar in enumerate(bars):
        y = TOP + ROW * number
        size = max(2.0, (WIDTH - LEFT - 200) * bar.value / longest)
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{LEFT}" y="{y + 2}" width="{size:.0f}" height="18" fill="{colours.get(bar.kind, OTHER)}"/>',
            f'<text x="{LEFT + size + 8:.0f}" y="{y + 15}">{escape(bar.said)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
