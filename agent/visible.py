"""Strings that reach people: hostile ones are shown as what they are, never obeyed.

A host name may carry terminal codes, line breaks that forge a mail header, or characters that turn the reading
direction (CVE-2021-42574). Templates escape markup; this makes what is invisible visible.
"""

import unicodedata

TEXT_MAX = 300  # characters; a longer one is a sign of its own and is shown cut
COMBINING_MAX = 2  # marks on one letter; more is a picture, not a name


def visible(value: object, most: int = TEXT_MAX) -> str:
    r"""`value` on one line: control, direction and unassigned characters as ⟨U+202E⟩, cut to `most` characters.

    >>> visible("pump\u202e\r\nBcc: x")
    'pump⟨U+202E⟩⟨U+000D⟩⟨U+000A⟩Bcc: x'
    """
    text = str(value)
    shown, marks = [], 0
    for character in text[:most]:
        marks = marks + 1 if unicodedata.category(character) == "Mn" else 0
        hidden = not character.isprintable() or marks > COMBINING_MAX
        shown.append(f"⟨U+{ord(character):04X}⟩" if hidden else character)
    return "".join(shown) + ("…" if len(text) > most else "")
