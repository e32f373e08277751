"""Text and tables for a terminal: what came from a network cannot move the cursor, turn a line or forge another."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agent.clock import NS_PER_S

CELL_MAX = 80


def printable(value: object, most: int = CELL_MAX) -> str:
    """One line with every invisible character as ⟨U+202E⟩, cut to `most` characters."""
    text = str(value)
    shown = [c if c.isprintable() else f"⟨U+{ord(c):04X}⟩" for c in text[:most]]
    return "".join(shown) + ("…" if len(text) > most else "")


def when(time_ns: int) -> str:
    """UTC to the second."""
    try:
        return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_ns else "-"
    except (OverflowError, ValueError, OSError):
        return "?"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as they must be; the last one may be long."""
    cells = [
        [printable(cell, 1000 if place == len(heads) - 1 else CELL_MAX) for place, cell in enumerate(row)]
        for row in rows
    ]
    widths = [max(len(line[place]) for line in [list(heads), *cells]) for place in range(len(heads))]
    lines = [list(heads), ["-" * min(width, CELL_MAX) for width in widths], *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
