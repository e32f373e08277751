"""How the page writes values: hostile strings visible, times in UTC, numbers that people can read."""

from agent.clock import FOR_PEOPLE, utc_text
from agent.collector.names import ASPECTS
from agent.visible import TEXT_MAX, visible
from agent.wire.in_words import measure, measured, signal_words

NEVER = "\u2013"
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def safe_text(value: object, most: int = TEXT_MAX) -> str:
    """A string from the wire: one line, invisible characters shown; the template escapes the markup."""
    return visible(value, most)


def when(time_ns: int) -> str:
    """`2026-11-23 14:05:12`, UTC; a dash for never, a question mark for a time no calendar has."""
    return utc_text(time_ns, FOR_PEOPLE) if time_ns else NEVER


def number(value: float) -> str:
    """Thousands apart by a thin space."""
    return f"{round(value):,}".replace(",", "\u202f")


def octets(value: float) -> str:
    """`1.2 MB`, decimal units."""
    size, unit = float(value), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def label(text: str) -> str:
    """`infusion-pump` as people write it."""
    return text.replace("-", " ")


def aspect(name: str) -> str:
    """What an aspect of a posture is called; one of a later release by its key."""
    return ASPECTS.get(name) or visible(name)


FILTERS = {
    "safe_text": safe_text,
    "when": when,
    "number": number,
    "octets": octets,
    "label": label,
    "aspect": aspect,
    "signal": signal_words,
    "measure": measure,
    "measured": measured,
}
