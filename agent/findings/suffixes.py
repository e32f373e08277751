"""What an owner registered of a name: by the public suffix list, kept as a sorted text of rules in A-label form.

The rules are those of publicsuffix.org: the longest rule that fits counts, `*.` stands for one label, `!` takes a name
out of a `*.` rule; where no rule fits, the last label is the suffix. What is registered is one label more.
"""

from pathlib import Path
from typing import Final

from agent.errors import InputError

SUFFIXES: Final = "suffixes.bin"
HEAD: Final = "wardtap-suffixes "  # then the list's version; a rule a line follows
FILE_MAX_BYTES: Final = 1 << 20
LABELS_MAX: Final = 16  # the last ones of a name: no rule has more than five


class Suffixes:
    """The list, loaded: about two milliseconds and one megabyte."""

    def __init__(self, rules: frozenset[str] = frozenset(), version: str = "") -> None:
        """Without rules every last label is a suffix."""
        self.version: Final = version
        self._rules = rules

    def __len__(self) -> int:
        """How many rules there are."""
        return len(self._rules)

    def registered(self, name: str) -> str:
        """The registered domain of a name in lower case; a name that is a suffix itself, or has no dot, as it is."""
        labels = [label for label in name.split(".") if label][-LABELS_MAX:]
        return ".".join(labels[max(0, len(labels) - self._suffix_labels(labels) - 1) :])

    def _suffix_labels(self, labels: list[str]) -> int:
        """How many labels of a name are its suffix."""
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            if f"!{name}" in self._rules:
                return len(labels) - start - 1
            if name in self._rules or f"*.{'.'.join(labels[start + 1 :])}" in self._rules:
                return len(labels) - start
        return 1


def load_suffixes(folder: Path) -> Suffixes:
    """The list of a folder of packs. InputError when it is missing or is none."""
    path = folder / SUFFIXES
    try:
        data = path.read_bytes()[: FILE_MAX_BYTES + 1]
        head, _, text = data.decode("ascii").partition("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the suffix list cannot be read: {error}", where=str(path)) from error
    if len(data) > FILE_MAX_BYTES or not head.startswith(HEAD):
        raise InputError("is no suffix list", where=str(path), todo="build it with agent.findings.build_lists")
    return Suffixes(frozenset(text.split()), head.removeprefix(HEAD))
