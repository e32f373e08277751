"""What to say about a mistake in the configuration: its line, the nearest right name, the value in the right unit."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

UNIT_WORDS = {"_s": "seconds", "_bytes": "bytes", "_permille": "thousandths", "_max": "a count"}
_UNIT_SUFFIX = re.compile(
    r"_(s|sec|secs|seconds|ms|us|ns|m|min|minutes|h|hours|d|days|bytes|b|kb|kib|mb|mib|gb|gib|percent|pct|permille|max)$"
)
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z%]+)\s*")
_FACTORS: dict[str, dict[str, float]] = {
    "_s": {
        "ms": 1e-3, "s": 1, "sec": 1, "seconds": 1, "m": 60, "min": 60, "minutes": 60,
        "h": 3600, "hours": 3600, "d": 86400, "days": 86400,
    },
    "_bytes": {
        "b": 1, "bytes": 1, "kb": 10**3, "k": 2**10, "kib": 2**10, "mb": 10**6, "m": 2**20, "mib": 2**20,
        "gb": 10**9, "g": 2**30, "gib": 2**30,
    },
    "_permille": {"%": 10, "percent": 10, "permille": 1},
}  # fmt: skip


def line_of(text: str, section: str, key: str = "") -> int:
    """The line where a key, or without one a section, is written; 1 when it cannot be told.

    tomllib keeps no places. The text is good TOML here, so headers and `name =` at a line's start are enough.
    """
    current, header_line = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([^\]]+?)\s*\]", line)
        if header:
            current = header[1].strip("\"'")
            if current.split(".")[0].strip("\"' ") == section and not header_line:
                header_line = number
            if key and current == f"{section}.{key}":
                return number
            continue
        name = re.match(r"\s*([^=#]+?)\s*=", line)
        if name is None:
            continue
        path = [part.strip("\"' ") for part in name[1].split(".")]
        full = path if not current else [current, *path]
        if full[:2] == [section, key]:
            return number
        if full[0] == section and not current and not header_line:
            header_line = number  # `section.other = ...` or `section = { ... }`
    return header_line or 1


def shown(name: str) -> str:
    """A name from the file on one line of plain text: a quoted key may hold line breaks and terminal codes."""
    return name[:60].encode("unicode_escape").decode()


def unit_of(key: str) -> str:
    """The unit that a key's name ends with, in words; empty when it has none."""
    return next((words for suffix, words in UNIT_WORDS.items() if key.endswith(suffix)), "")


def _close(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is most like this one, if any is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    return get_close_matches(name, list(known), n=1, cutoff=0.5)


def nearest_section(name: str, keys: Mapping[str, Iterable[str]]) -> str:
    """What to do about an unknown section (or a key that stands before the first one)."""
    for section, known in keys.items():
        if name in known:
            return f"{shown(name)} belongs in the section [{section}]"
    close = _close(name, keys)
    return f"did you mean [{close[0]}]?" if close else f"sections are {', '.join(keys)}"


def nearest_key(section: str, key: str, keys: Mapping[str, Iterable[str]]) -> str:
    """What to do about an unknown key: the same quantity in our unit, the section it belongs in, the nearest name."""
    here = list(keys[section])
    stem = _UNIT_SUFFIX.sub("", key)
    for known in here:
        if _UNIT_SUFFIX.sub("", known) == stem:
            unit = unit_of(known)
            return f"did you mean {known}{f', in {unit}' if unit else ''}?"
    for other, known_there in keys.items():
        if key in known_there:
            return f"{shown(key)} belongs in the section [{other}]"
    close = _close(key, here)
    return f"did you mean {close[0]}?" if close else f"[{section}] has {', '.join(here)}"


def value_hint(key: str, value: Any) -> str:
    """`512 MiB` for a key in bytes: the line to write. Empty when there is nothing to say."""
    suffix = next((suffix for suffix in _FACTORS if key.endswith(suffix)), "")
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) and suffix else None
    factor = _FACTORS[suffix].get(found[2].lower()) if found else None
    if found is None or factor is None:
        unit = unit_of(key)
        return f"it is in {unit}" if suffix and unit else ""
    amount = float(found[1]) * factor
    return f"write {key} = {amount:.0f}" if amount == int(amount) else f"it is in {unit_of(key)}, whole ones"
