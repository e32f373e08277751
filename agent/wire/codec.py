"""Strict msgpack and capped zlib: the only place that imports msgpack.

The library's defaults accept what a hostile sender wants: 100 MiB buffers, 1,024 levels, duplicate keys (the last
wins, so two readers can see two messages), extension types, floats. What the format does not need is refused here.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, NoReturn

import msgpack  # type: ignore[import-untyped]

from agent.errors import WireError

DEFLATE_LEVEL = 6
SCALARS = frozenset({int, str, bytes, type(None)})
KINDS = SCALARS | {list, dict}
UNPACKABLE = (ValueError, TypeError, OverflowError, UnicodeError)  # what the library raises for what it cannot pack


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may hold, in octets or entries; `max_items` counts every element of every container."""

    max_bytes: int = 1 << 20
    max_array: int = 4096  # rows of a column
    max_map: int = 256
    max_str: int = 65536
    max_bin: int = 1 << 20
    max_items: int = 1 << 17  # ~10 MB of Python objects at worst
    max_containers: int = 1 << 13  # each costs ten times an integer; a part full of cards has 6,500 at most
    max_depth: int = 8  # the deepest message (a card's evidence) has 6 levels


LIMITS = Limits()


def bad(what: str, reason: str = "bad-encoding", where: str = "") -> WireError:
    """The refusal of bytes; `reason` is the counter's name."""
    return WireError(what, reason=reason, where=where)


class _Guard:
    """Hooks of one `unpack` call: they see every container as soon as it is complete, so a bomb ends early."""

    __slots__ = ("containers_left", "left")

    def __init__(self, limits: Limits) -> None:
        self.left, self.containers_left = limits.max_items, limits.max_containers

    def items(self, values: list[Any]) -> list[Any]:
        """A complete array: only kinds we use, and not too many in all."""
        self.left -= len(values) + 1
        self.containers_left -= 1
        if self.left < 0 or self.containers_left < 0:
            raise bad("too many elements", "too-large")
        if not KINDS.issuperset(map(type, values)):
            raise bad("a value that is no integer, text, octets, list or map")
        return values

    def pairs(self, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
        """A complete map: text keys, each once."""
        found = dict(pairs)
        if len(found) != len(pairs):
            raise bad("a map has the same key twice")
        if not all(type(key) is str for key in found):
            raise bad("a map key is not text")
        self.items(list(found.values()))
        return found


def _refuse_ext(code: int, data: bytes) -> NoReturn:
    """Extension types (timestamps included) have their own parsers; none is needed."""
    raise bad(f"extension type {code} of {len(data)} octets")


def unpack(data: bytes, limits: Limits = LIMITS) -> Any:
    """The one value in `data`.

    WireError (`too-large`, `bad-encoding`) for anything but exactly one value of allowed kinds within `limits`.
    """
    if len(data) > limits.max_bytes:
        raise bad(f"{len(data)} octets, at most {limits.max_bytes}", "too-large")
    guard = _Guard(limits)
    try:
        _check_whole(data)
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            ext_hook=_refuse_ext,
            list_hook=guard.items,
            object_pairs_hook=guard.pairs,
            max_array_len=limits.max_array,
            max_map_len=limits.max_map,
            max_str_len=limits.max_str,
            max_bin_len=limits.max_bin,
            max_ext_len=0,
        )
    except WireError:
        raise
    except Exception as error:  # the library raises at least six unrelated classes on hostile bytes
        raise bad(f"not msgpack as we allow it ({type(error).__name__})") from error
    if type(value) not in KINDS:
        raise bad("a value that is no integer, text, octets, list or map")
    if type(value) is list or type(value) is dict:
        _check_depth(value, limits.max_depth)
    return value


def _check_whole(data: bytes) -> None:
    """Exactly one complete value, walked without making any object.

    A list is allocated when its header is read: 3 KiB of headers that promise 4,096 entries each would cost 33 MB
    before the first entry is found missing. After this, what is allocated is really there.
    """
    walker = msgpack.Unpacker(max_buffer_size=max(len(data), 1))
    walker.feed(data)
    walker.skip()
    if walker.tell() != len(data):
        raise bad("octets after the value")


def _check_depth(value: list[Any] | dict[str, Any], max_depth: int) -> None:
    """Level by level, no recursion: the depth is the sender's choice."""
    level: list[Any] = [value]
    for _ in range(max_depth):
        inner = [parent.values() if type(parent) is dict else parent for parent in level]
        level = [child for values in inner for child in values if type(child) is list or type(child) is dict]
        if not level:
            return
    raise bad(f"nested deeper than {max_depth}")


def pack(value: Any, max_depth: int = LIMITS.max_depth) -> bytes:
    """The shortest msgpack of `value`; WireError for floats, booleans and all else that `unpack` would refuse."""
    _check_kinds(value, max_depth)
    return pack_checked(value)


def pack_checked(value: Any) -> bytes:
    """The shortest msgpack of what field tables have allowed, whose kinds need not be looked at again."""
    try:
        packed: bytes = msgpack.packb(value, use_bin_type=True)
    except UNPACKABLE as error:
        raise bad(f"cannot be packed ({error})") from error
    return packed


def packed_sizes(values: Iterable[Any]) -> list[int]:
    """Octets that each value takes packed. Kinds are left to `pack`, which sees all that is sent."""
    pack_one = msgpack.Packer(use_bin_type=True, default=index).pack
    try:
        return list(map(len, map(pack_one, values)))
    except UNPACKABLE as error:
        raise bad(f"cannot be packed ({error})") from error


def _check_kinds(value: Any, depth: int) -> None:
    """Our own side: a float or a numpy integer is our fault and must be seen in the first test that packs it."""
    if isinstance(value, list | tuple | dict):
        if depth < 1:
            raise bad("nested too deep")
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise bad("a map key is not text")
            value = value.values()
        if not SCALARS.issuperset(map(type, value)):
            for child in value:
                if type(child) not in SCALARS:
                    _check_kinds(child, depth - 1)
    elif isinstance(value, bool) or not isinstance(value, int | str | bytes | None):
        raise bad(f"{type(value).__name__} has no place in a message")


def deflate(data: bytes) -> bytes:
    """Deflated octets as a zlib stream (RFC 1950)."""
    return zlib.compress(data, DEFLATE_LEVEL)


def inflate(data: bytes, max_bytes: int) -> bytes:
    """The octets inside a zlib stream; WireError when there are more than `max_bytes`, or it is cut, bad or has a tail.

    zlib reaches 1028:1, so the output is capped while it is made, never measured afterwards.
    """
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise bad("not a zlib stream") from error
    if len(plain) > max_bytes:
        raise bad(f"inflates to more than {max_bytes} octets", "too-large")
    if not stream.eof or stream.unused_data or stream.unconsumed_tail:
        raise bad("a zlib stream that is cut or has a tail")
    return plain
