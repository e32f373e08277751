"""Field tables: what a value may be, and the most octets it can take packed. Messages are declared with these.

`check` raises WireError (`bad-schema`) with the path of the field. `max_bytes` is the worst case of the msgpack
encoding; the sizes of messages are computed from it and asserted against `wire.types`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from agent.errors import WireError
from agent.wire.codec import LIMITS, pack

U64_MAX = 2**64 - 1
I64_MAX = 2**63 - 1
LEVELS_ABOVE = 2  # of a field of a message: [header, content], and content itself
ID_PATTERN = re.compile(r"[a-z0-9-]{1,32}")


class Field(Protocol):
    """One row of a field table."""

    @property
    def max_bytes(self) -> int:
        """Most octets of its msgpack encoding."""

    def check(self, value: Any, where: str) -> None:
        """WireError when `value` is not allowed at `where`."""


def refuse(what: str, where: str) -> WireError:
    """The refusal of a value that is well-formed msgpack."""
    return WireError(what, reason="bad-schema", where=where)


def int_bytes(low: int, high: int) -> int:
    """Most octets of an integer between the bounds (msgpack spec, int format family)."""
    return max(_one_int_bytes(low), _one_int_bytes(high))


def _one_int_bytes(value: int) -> int:
    if -32 <= value <= 127:
        return 1
    limits = ((8, 2), (16, 3), (32, 5))
    for bits, octets in limits:
        if -(1 << (bits - 1)) <= value < (1 << bits):
            return octets
    return 9


def _length_bytes(count: int, small: int, *, has_8: bool) -> int:
    """Octets in front of `count` entries: fix format below `small`, then 8 (str and bin only), 16, 32 bit."""
    if count < small:
        return 1
    if has_8 and count < 256:
        return 2
    return 3 if count < 65536 else 5


@dataclass(frozen=True, slots=True)
class Int:
    """An integer between `low` and `high`; a boolean is none."""

    low: int = 0
    high: int = U64_MAX

    @property
    def max_bytes(self) -> int:
        """1 to 9."""
        return int_bytes(self.low, self.high)

    def check(self, value: Any, where: str) -> None:
        """Kind and range."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise refuse(f"not an integer from {self.low} to {self.high}", where)


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 text of at most `octets` octets, matching `pattern` as a whole when there is one."""

    octets: int
    pattern: re.Pattern[str] | None = None

    @property
    def max_bytes(self) -> int:
        """Length and text."""
        return _length_bytes(self.octets, 32, has_8=True) + self.octets

    def check(self, value: Any, where: str) -> None:
        """Kind, length, pattern."""
        if not isinstance(value, str):
            raise refuse("not text", where)
        try:
            octets = len(value.encode())
        except UnicodeEncodeError as error:
            raise refuse("not UTF-8 text", where) from error
        if octets > self.octets:
            raise refuse(f"text of {octets} octets, at most {self.octets}", where)
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise refuse("text of another form", where)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few texts."""

    values: tuple[str, ...]

    @property
    def max_bytes(self) -> int:
        """Of the longest."""
        return max(Text(len(value.encode())).max_bytes for value in self.values)

    def check(self, value: Any, where: str) -> None:
        """Membership."""
        if not isinstance(value, str) or value not in self.values:
            raise refuse(f"none of {', '.join(self.values)}", where)


@dataclass(frozen=True, slots=True)
class Octets:
    """A byte string whose length is one of `lengths`, or at most `most` when no lengths are given."""

    lengths: tuple[int, ...] = ()
    most: int = 0

    @property
    def max_bytes(self) -> int:
        """Length and octets."""
        octets = max(self.lengths, default=self.most)
        return _length_bytes(octets, 0, has_8=True) + octets

    def check(self, value: Any, where: str) -> None:
        """Kind and length."""
        if not isinstance(value, bytes):
            raise refuse("not octets", where)
        fits = len(value) in self.lengths if self.lengths else len(value) <= self.most
        if not fits:
            raise refuse(f"{len(value)} octets", where)


@dataclass(frozen=True, slots=True)
class ListOf:
    """Up to `most` values of one field."""

    item: Field
    most: int

    @property
    def max_bytes(self) -> int:
        """Full."""
        return _length_bytes(self.most, 16, has_8=False) + self.most * self.item.max_bytes

    def check(self, value: Any, where: str) -> None:
        """Kind, number, each."""
        if not isinstance(value, list) or len(value) > self.most:
            raise refuse(f"not a list of at most {self.most}", where)
        if not _all_fit(self.item, value):
            for index, item in enumerate(value):
                self.item.check(item, f"{where}[{index}]")


@dataclass(frozen=True, slots=True)
class Places:
    """A list with a fixed meaning for each place."""

    places: tuple[Field, ...]

    @property
    def max_bytes(self) -> int:
        """All places full."""
        return _length_bytes(len(self.places), 16, has_8=False) + sum(place.max_bytes for place in self.places)

    def check(self, value: Any, where: str) -> None:
        """Kind, number of places, each."""
        if not isinstance(value, list) or len(value) != len(self.places):
            raise refuse(f"not a list of {len(self.places)}", where)
        for index, place in enumerate(self.places):
            place.check(value[index], f"{where}[{index}]")


@dataclass(frozen=True, slots=True)
class Columns:
    """A table stored by columns: one list per field, all of the same length, at most `most` rows."""

    fields: tuple[Field, ...]
    most: int

    @property
    def row_bytes_max(self) -> int:
        """Most octets one row adds over all columns."""
        return sum(item.max_bytes for item in self.fields)

    @property
    def empty_bytes_max(self) -> int:
        """Octets of the lists themselves, however long they become."""
        return _length_bytes(len(self.fields), 16, has_8=False) + len(self.fields) * _length_bytes(
            self.most, 16, has_8=False
        )

    @property
    def max_bytes(self) -> int:
        """Full."""
        return self.empty_bytes_max + self.most * self.row_bytes_max

    def check(self, value: Any, where: str) -> None:
        """Number of columns, equal lengths, each column."""
        Places(tuple(ListOf(item, self.most) for item in self.fields)).check(value, where)
        if len({len(column) for column in value}) != 1:
            raise refuse("columns of different lengths", where)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The first of several fields that fits."""

    fields: Sequence[Field]

    @property
    def max_bytes(self) -> int:
        """Of the largest."""
        return max(item.max_bytes for item in self.fields)

    def check(self, value: Any, where: str) -> None:
        """Any of them."""
        for item in self.fields:
            try:
                item.check(value, where)
            except WireError:
                continue
            return
        raise refuse("a value of no allowed kind", where)


@dataclass(frozen=True, slots=True)
class MapOf:
    """Up to `most` entries, keys of at most `key_octets` octets."""

    item: Field
    most: int
    key_octets: int = 32

    @property
    def max_bytes(self) -> int:
        """Full."""
        entry = Text(self.key_octets).max_bytes + self.item.max_bytes
        return _length_bytes(self.most, 16, has_8=False) + self.most * entry

    def check(self, value: Any, where: str) -> None:
        """Kind, number, keys, each."""
        if not isinstance(value, dict) or len(value) > self.most:
            raise refuse(f"not a map of at most {self.most}", where)
        for key, item in value.items():
            Text(self.key_octets).check(key, where)
            self.item.check(item, f"{where}.{key}")


@dataclass(frozen=True, slots=True)
class Record:
    """A map with exactly the known keys: an agent that knows more uses a later version of the type."""

    fields: Mapping[str, Field] = field(default_factory=dict)

    @property
    def max_bytes(self) -> int:
        """All fields full."""
        entries = sum(Text(len(key.encode())).max_bytes + item.max_bytes for key, item in self.fields.items())
        return _length_bytes(len(self.fields), 16, has_8=False) + entries

    def check(self, value: Any, where: str) -> None:
        """Kind, keys, each."""
        if not isinstance(value, dict):
            raise refuse("not a map", where)
        if value.keys() != self.fields.keys():
            odd = sorted(value.keys() ^ self.fields.keys(), key=str)
            raise refuse(f"missing or unknown field {str(odd[0])[:32]!r}", where)
        for key, item in self.fields.items():
            item.check(value[key], f"{where}.{key}")


@dataclass(frozen=True, slots=True)
class Free:
    """A map for a handler that checks it itself: text keys, any kinds `pack` allows, at most `octets` octets packed."""

    octets: int

    @property
    def max_bytes(self) -> int:
        """As given."""
        return self.octets

    def check(self, value: Any, where: str) -> None:
        """Kind and size."""
        if not isinstance(value, dict):
            raise refuse("not a map", where)
        if len(pack(value, LIMITS.max_depth - LEVELS_ABOVE)) > self.octets:
            raise refuse(f"more than {self.octets} octets", where)


def _all_fit(item: Field, values: Sequence[Any]) -> bool:
    """Whether all of them surely fit, by passes over all at once: a summary has 10,000 numbers and hundreds of cards.

    False is no refusal: then each is checked by itself, so that a refusal names its place.
    """
    kinds = set(map(type, values))
    match item:
        case Int(low, high):
            return kinds <= {int} and low <= min(values, default=low) and max(values, default=low) <= high
        case Octets(lengths, most):
            return kinds <= {bytes} and all(n in lengths if lengths else n <= most for n in set(map(len, values)))
        case Text(octets, None):
            return kinds <= {str} and _utf8_octets_max(values) <= octets
        case Places(places):
            lists = kinds <= {list} and set(map(len, values)) <= {len(places)}
            return lists and all(map(_all_fit, places, zip(*values, strict=True)))
        case ListOf(inner, most):
            lists = kinds <= {list} and max(map(len, values), default=0) <= most
            return lists and _all_fit(inner, [*chain.from_iterable(values)])
    return False


def _utf8_octets_max(texts: Sequence[str]) -> float:
    """Octets of the longest; infinite when one is no UTF-8."""
    try:
        return max(map(len, map(str.encode, texts)), default=0)
    except UnicodeEncodeError:
        return math.inf


IDENT = Text(32, ID_PATTERN)
TIME = Int(0, I64_MAX)
COUNT = Int(0, I64_MAX)  # what SQLite and most languages can hold: a taken-over tap must not stop a collector
ID16 = Octets((16,))


def clip(text: str, octets: int) -> str:
    """`text` cut to `octets` octets of UTF-8, `…` in place of what is missing; lone surrogates become `?`."""
    if len(text) <= octets and text.isascii():
        return text
    raw = text.encode("utf-8", "replace")
    if len(raw) <= octets:
        return raw.decode()
    return raw[: octets - 3].decode("utf-8", "ignore") + "…"
