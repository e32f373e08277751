"""Text and tables for a terminal: what came from a network cannot move the cursor, turn a line or forge another."""

from collections.abc import Sequence
from datetime import UTC, datetime

from agent.clock import NS_PER_S
from agent.paragraphs import wrapped

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


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """Columns as wide as they must be; the last one may be long.

    The columns on the right for which a terminal of `width` has no room stand below each row; no width: nothing does.
    """
    cells = [
        [printable(cell, 1000 if place == len(heads) - 1 else CELL_MAX) for place, cell in enumerate(row)]
        for row in rows
    ]
    widths = [max(len(line[place]) for line in [list(heads), *cells]) for place in range(len(heads))]
    beside = _fitting(widths, width)
    rule = ["-" * min(width, CELL_MAX) for width in widths]
    told = [_line(heads, widths[:beside]), _line(rule, widths[:beside])]
    for row in cells:
        told.append(_line(row, widths[:beside]))
        below = list(zip(heads[beside:], row[beside:], strict=True))
        text = ", ".join(f"{head} {cell}" if len(below) > 1 else cell for head, cell in below if cell)
        told += wrapped(text, width, " " * 4) if text else []
    return "\n".join(told)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=False)).rstrip()


def _fitting(widths: Sequence[int], width: int | None) -> int:
    """How many columns from the left have room beside one another."""
    if width is None:
        return len(widths)
    fitting = [n for n in range(1, len(widths) + 1) if sum(widths[:n]) + 2 * (n - 1) <= width]
    return fitting[-1] if fitting else 1
