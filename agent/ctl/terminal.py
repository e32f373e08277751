"""Text and tables for a terminal: what came from a network cannot move the cursor, turn a line or forge another."""

from collections.abc import Sequence

from agent.clock import FOR_PEOPLE, utc_text
from agent.paragraphs import wrapped
from agent.visible import visible

CELL_MAX = 80


def when(time_ns: int) -> str:
    """UTC to the second."""
    return utc_text(time_ns, FOR_PEOPLE) if time_ns else "-"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], width: int | None = None) -> str:
    """Columns as wide as they must be; the last one may be long.

    The columns on the right for which a terminal of `width` has no room stand below each row; no width: nothing does.
    """
    cells = [
        [visible(cell, 1000 if place == len(heads) - 1 else CELL_MAX) for place, cell in enumerate(row)] for row in rows
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
