"""How much a label looks like something that a person chose: a table of how often one letter follows another.

A domain's label by a person is made of words; one by a program that draws letters (a domain generation algorithm) is
not. The score is the mean log2 of what each pair is expected with, in bits above (or below) letters drawn at random.
Programs that put words together (suppobox, matsnu) look like a person's, and are not told apart by it.
"""

from collections.abc import Iterable
from itertools import pairwise
from math import log2
from pathlib import Path
from typing import Final

from agent.errors import InputError

MODEL: Final = "letters.bin"
HEAD: Final = b"wardtap-letters 1\n"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-"
_EDGE: Final = len(LETTERS)  # before the first letter and behind the last one
_SIZE: Final = _EDGE + 1
_INDEX: Final = {letter: index for index, letter in enumerate(LETTERS)}
_UNIT: Final = 16  # a stored step is a sixteenth of a bit
_FLOOR: Final = -127
CHARS_MAX: Final = 64  # of a label: DNS allows 63
_ORDINARY: Final = 0.5  # added to each count: what was never seen is rare and not impossible


class NameModel:
    """The table: for each pair sixteenths of a bit above chance."""

    def __init__(self, table: bytes = bytes(_SIZE * _SIZE)) -> None:
        """Without a table every label is as likely as any."""
        self._bits = [(value - 256 if value > 127 else value) / _UNIT for value in table]

    def score(self, label: str) -> float:
        """Mean bits a pair above letters drawn at random: words are well above nought, drawn letters at it or below."""
        places = [_EDGE, *(_INDEX.get(letter, _EDGE) for letter in label[:CHARS_MAX]), _EDGE]
        pairs = pairwise(places)
        return sum(self._bits[one * _SIZE + two] for one, two in pairs) / (len(places) - 1)


def train(words: Iterable[str]) -> bytes:
    """The table of a list of words in lower case, one octet a pair."""
    counts = [[_ORDINARY] * _SIZE for _ in range(_SIZE)]
    for word in words:
        places = [_EDGE, *(_INDEX[letter] for letter in word if letter in _INDEX), _EDGE]
        for one, two in pairwise(places):
            counts[one][two] += 1
    table = bytearray()
    for row in counts:
        total = sum(row)
        for count in row:
            table.append(max(_FLOOR, min(127, round(_UNIT * log2(count / total * _SIZE)))) & 255)
    return bytes(table)


def load_model(folder: Path) -> NameModel:
    """The model of a folder of packs. InputError when it is missing or is none."""
    path = folder / MODEL
    try:
        data = path.read_bytes()[: len(HEAD) + _SIZE * _SIZE + 1]
    except OSError as error:
        raise InputError(f"the letter model cannot be read: {error}", where=str(path)) from error
    if not data.startswith(HEAD) or len(data) != len(HEAD) + _SIZE * _SIZE:
        raise InputError("is no letter model", where=str(path), todo="build it with agent.findings.build_lists")
    return NameModel(data[len(HEAD) :])
