"""Sentences for a terminal: broken between words, never cut; whole in a file or a pipe, where people search."""

import shutil
import sys
import textwrap
from typing import Final

ROOM_MIN: Final = 20  # characters beside the indent, which gives way where there are fewer


def terminal_width() -> int | None:
    """Columns of the terminal (or of COLUMNS there); None where standard output is a file or a pipe."""
    return (shutil.get_terminal_size((0, 0)).columns or None) if sys.stdout.isatty() else None


def wrapped(text: str, width: int | None, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most `width`, the first one behind `first`, the others behind `rest`; without a width one line."""
    if width is None:
        return [first + text]
    rest = " " * len(first) if rest is None else rest
    if width < len(rest) + ROOM_MIN:
        first, rest = first.lstrip(), ""
    return textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def counted(number: int, noun: str) -> str:
    """`1 device`, `2 devices`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
