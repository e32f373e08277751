"""Names that say whose a phone is: `Annas-iPhone`, `iPhone-von-Anna`; and names that many phones have.

A name is worth what it tells apart. The maker's own (`iPhone`, `Galaxy-S21`, `Pixel-7`) stands on every phone of the
kind; with an owner in it few have it. Two Annas are two all the same: who uses this has to see that no two do
(`folding`). Names of nobody in particular (`Nurses-iPad`) count as a maker's.
"""

import re
from typing import Final

_NAME_MAX_CHARS: Final = 32
_KIND: Final = r"(?:iphone|ipad|ipod|apple-watch|macbook|galaxy|pixel|xperia|phone|handy|tablet|watch)"
_MODEL: Final = r"(?:-[a-z0-9]{1,8}){0,3}"  # Pro-Max, S21-5G
_OWNER: Final = r"([a-z]{2,16})"
# `Anna's iPhone` is sent without its apostrophe; other languages put the owner last.
_OWNED: Final = (
    re.compile(rf"(?:[a-z]{{2,16}}-)?{_OWNER}s-{_KIND}{_MODEL}"),
    re.compile(rf"{_KIND}{_MODEL}-(?:von|van|de|di|da|of|av|af)-{_OWNER}(?:-[a-z]{{2,16}})?"),
)
_NOBODY: Final = frozenset(
    {
        "admin", "apple", "doctor", "guest", "hospital", "icu", "kid", "my", "nurse", "office", "patient", "pflege",
        "reception", "samsung", "staff", "station", "team", "test", "user", "visitor", "ward",
    }
)  # fmt: skip


def owned(name: str) -> str:
    """The name in small letters when it says whose the device is; empty for any other."""
    text = name.lower()
    if len(text) > _NAME_MAX_CHARS:
        return ""
    found = next((match for pattern in _OWNED if (match := pattern.fullmatch(text))), None)
    return text if found is not None and found[1] not in _NOBODY else ""
