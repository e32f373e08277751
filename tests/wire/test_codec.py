"""Bytes that want to be something else than a message."""

import struct
import time
import tracemalloc
import zlib
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.codec import LIMITS, Limits, deflate, inflate, pack, packed_sizes, unpack

REFUSED_S = 0.25  # of the processor; measured 2 ms at most, the rest is for a slow machine
REFUSED_BYTES = 4 << 20

BOMBS: dict[str, bytes] = {
    "empty": b"",
    "1,000 deep": b"\x91" * 1000 + b"\x01",
    "100,000 deep": b"\x91" * 100_000 + b"\x01",
    "maps 1,000 deep": b"\x81\xa1a" * 1000 + b"\x01",
    "nine levels": b"\x91" * 9 + b"\x01",
    "array of 2**32 - 1": b"\xdd\xff\xff\xff\xff",
    "array of 65,535": b"\xdc\xff\xff" + b"\x01" * 65535,
    "map of 2**32 - 1": b"\xdf\xff\xff\xff\xff",
    "text of 2**32 - 1": b"\xdb\xff\xff\xff\xff",
    "octets of 2**32 - 1": b"\xc6\xff\xff\xff\xff",
    "1 MB of empty lists": b"\xdd" + struct.pack(">I", 1 << 20) + b"\x90" * (1 << 20),
    "many lists of lists": b"\xdc\x0f\xff" + (b"\xdc\x00\xff" + b"\x90" * 255) * 4095,
    "wide and deep": b"\xdc\x0f\xff" * 1000,
    "wide maps, deep": b"\xde\x00\xff\xa1a" * 1000,
    "same key twice": b"\x82\xa1a\x01\xa1a\x02",
    "integer key": b"\x81\x01\x01",
    "octets as key": b"\x81\xc4\x01a\x01",
    "nil key": b"\x81\xc0\x01",
    "list as key": b"\x81\x90\x01",
    "map as key": b"\x81\x80\x01",
    "extension": b"\xd4\x05a",
    "extension of no octets": b"\xc7\x00\x05",
    "timestamp 32": b"\xd6\xff\x00\x00\x00\x00",
    "timestamp 96": b"\xc7\x0c\xff" + struct.pack(">Iq", 0, 1 << 62),
    "timestamp of a bad length": b"\xc7\x03\xffabc",
    "float 32": b"\xca\x00\x00\x00\x00",
    "float 64": b"\xcb" + struct.pack(">d", 1.5),
    "float in a list": b"\x91\xcb" + struct.pack(">d", 1.5),
    "not a number": b"\x81\xa1a\xcb" + struct.pack(">d", float("nan")),
    "true": b"\xc3",
    "true in a map": b"\x81\xa1a\xc3",
    "never used 0xC1": b"\xc1",
    "0xC1 in a list": b"\x91\xc1",
    "bad UTF-8": b"\xa2\xff\xfe",
    "surrogate": b"\xa3\xed\xa0\x80",
    "overlong slash": b"\xa2\xc0\xaf",
    "trailing": b"\x01\x01",
    "cut list": b"\x92\x01",
    "cut integer": b"\xcf\x00",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_quickly_and_in_little_memory(name: str) -> None:
    tracemalloc.start()
    started = time.thread_time()
    with pytest.raises(WireError) as refused:
        unpack(BOMBS[name])
    took_s = time.thread_time() - started
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.reason in {"bad-encoding", "too-large"}
    assert took_s < REFUSED_S
    assert peak_bytes < REFUSED_BYTES + len(BOMBS[name])


def test_too_long_is_refused_before_anything_is_read() -> None:
    with pytest.raises(WireError, match="at most 3") as refused:
        unpack(b"\x93\x01\x01\x01", Limits(max_bytes=3))
    assert refused.value.reason == "too-large"


@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(max_array=1), [1, 2]),
        (Limits(max_map=1), {"a": 1, "b": 2}),
        (Limits(max_str=2), "abc"),
        (Limits(max_bin=2), b"abc"),
        (Limits(max_items=3), [[1], [2]]),
        (Limits(max_containers=2), [[1], [2]]),
        (Limits(max_depth=2), [[[]]]),
    ],
)
def test_every_limit_holds_and_one_less_passes(limits: Limits, data: Any) -> None:
    with pytest.raises(WireError):
        unpack(pack(data), limits)
    assert unpack(pack(data)) == data


def test_eight_levels_pass_and_nine_do_not_on_both_sides() -> None:
    value: Any = 1
    for _ in range(LIMITS.max_depth):
        value = [value]
    assert unpack(pack(value)) == value
    with pytest.raises(WireError, match="nested"):
        pack([value])
    with pytest.raises(WireError, match="nested"):
        pack({"a": value})


class _Number(IntEnum):
    ONE = 1


class _Name(StrEnum):
    A = "a"


def test_enumerations_are_packed_as_what_they_are() -> None:
    assert unpack(pack([_Number.ONE, _Name.A])) == [1, "a"]


@pytest.mark.parametrize(
    "value", [1.0, True, [1, False], {"a": 0.5}, {1: 1}, {b"a": 1}, object(), {1}, 1 << 64, "\ud800"]
)
def test_what_unpack_would_refuse_is_never_packed(value: Any) -> None:
    with pytest.raises(WireError) as refused:
        pack(value)
    assert refused.value.reason == "bad-encoding"


def test_sizes_are_those_of_each_value_packed() -> None:
    values: list[Any] = [(1, 128, b""), [[bytes(300)], "ü" * 40], {"a": -33}, _Number.ONE, (1 << 32, 65535, 256)]
    assert packed_sizes(values) == [len(pack(value)) for value in values]
    assert packed_sizes([(np.int64(300), np.uint64(7))]) == [len(pack((300, 7)))]
    for odd in (1 << 64, object()):
        with pytest.raises(WireError):
            packed_sizes([odd])


SCALARS = st.integers(-(2**63), 2**64 - 1) | st.text(max_size=40) | st.binary(max_size=40) | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=4).filter(lambda value: _depth(value) <= LIMITS.max_depth))
def test_what_is_packed_comes_back(value: list[Any]) -> None:
    assert unpack(pack(value)) == value


def _depth(value: Any) -> int:
    if isinstance(value, list | dict):
        children = value.values() if isinstance(value, dict) else value
        return 1 + max(map(_depth, children), default=0)
    return 0


@given(st.binary(max_size=200))
def test_any_octets_give_a_value_or_a_refusal(data: bytes) -> None:
    try:
        value = unpack(data)
    except WireError:
        return
    assert unpack(pack(value)) == value


@given(st.binary(max_size=2000))
def test_deflated_comes_back(data: bytes) -> None:
    assert inflate(deflate(data), 2000) == data


def test_a_zlib_bomb_stops_at_the_cap() -> None:
    bomb = zlib.compress(bytes(50 << 20), 9)
    tracemalloc.start()
    started = time.thread_time()
    with pytest.raises(WireError) as refused:
        inflate(bomb, 65536)
    took_s = time.thread_time() - started
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.reason == "too-large"
    assert took_s < REFUSED_S
    assert peak_bytes < 1 << 20


def test_inflate_takes_exactly_the_cap_and_not_one_octet_more() -> None:
    assert inflate(deflate(bytes(100)), 100) == bytes(100)
    with pytest.raises(WireError):
        inflate(deflate(bytes(101)), 100)


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\x00",
        b"garbage",
        zlib.compress(b"abc")[:-1],  # checksum cut
        zlib.compress(b"abc") + b"x",  # a tail nobody signed for anything
        zlib.compress(b"abc") * 2,
        zlib.compress(b"abc")[:-1] + b"\x00",  # checksum wrong
    ],
)
def test_a_stream_must_be_whole_and_alone(stream: bytes) -> None:
    with pytest.raises(WireError) as refused:
        inflate(stream, 100)
    assert refused.value.reason == "bad-encoding"
