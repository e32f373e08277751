"""Field tables refuse what they do not describe, and never promise too small a size."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.codec import pack
from agent.wire.schema import (
    I64_MAX,
    ID16,
    IDENT,
    U64_MAX,
    Choice,
    Columns,
    Field,
    Free,
    Int,
    ListOf,
    MapOf,
    Octets,
    OneOf,
    Places,
    Record,
    Text,
    clip,
    int_bytes,
)

REFUSED: list[tuple[Field, Any]] = [
    (Int(0, 5), 6),
    (Int(0, 5), -1),
    (Int(0, 5), True),
    (Int(0, 5), "1"),
    (Text(2), "abc"),
    (Text(2), "€"),
    (Text(2), b"a"),
    (Text(9), "\ud800"),
    (IDENT, "A"),
    (IDENT, ""),
    (IDENT, "a/b"),
    (IDENT, "a\n"),
    (IDENT, "a" * 33),
    (Choice(("a", "b")), "c"),
    (Choice(("a", "b")), ["a"]),
    (Octets((4, 16)), b"abc"),
    (Octets(most=2), b"abc"),
    (Octets(most=2), "a"),
    (ID16, bytes(15)),
    (ListOf(Int(), 1), [1, 2]),
    (ListOf(Int(0, 3), 9), [1, 4]),
    (ListOf(Int(0, 3), 9), [-1]),
    (ListOf(Int(), 9), [True]),
    (ListOf(Int(), 9), (1,)),
    (ListOf(Text(3), 9), [1]),
    (Places((Int(), Int())), [1]),
    (Places((Int(), Int())), [1, "a"]),
    (Places((Int(), Int())), {"a": 1}),
    (Columns((Int(), Text(4)), 9), [[1], []]),
    (Columns((Int(), Text(4)), 9), [[1]]),
    (Columns((Int(), Text(4)), 1), [[1, 2], ["a", "b"]]),
    (Columns((Int(), Text(4)), 9), [["a"], ["a"]]),
    (OneOf((Int(), Text(3))), b"a"),
    (MapOf(Int(), 1), {"a": 1, "b": 2}),
    (MapOf(Int(), 9), {"a": "b"}),
    (MapOf(Int(), 9, 2), {"abc": 1}),
    (MapOf(Int(), 9), [1]),
    (Record({"a": Int()}), {}),
    (Record({"a": Int()}), {"a": 1, "b": 2}),
    (Record({"a": Int()}), {"a": None}),
    (Record({"a": Int()}), [1]),
    (Free(10), {"a": "b" * 10}),
    (Free(10), [1]),
    (Free(10), {"a": 1.5}),
]


@pytest.mark.parametrize(("table", "value"), REFUSED)
def test_refuses(table: Field, value: Any) -> None:
    with pytest.raises(WireError) as refused:
        table.check(value, "place")
    assert refused.value.reason in {"bad-schema", "bad-encoding"}


@pytest.mark.parametrize(("table", "value"), REFUSED)
def test_a_list_refuses_what_its_field_refuses_and_names_it(table: Field, value: Any) -> None:
    with pytest.raises(WireError) as alone:
        table.check(value, "place[0]")
    for around in (ListOf(table, 9), Places((ListOf(Places((table,)), 9),))):
        listed = [value] if isinstance(around, ListOf) else [[[value]]]
        with pytest.raises(WireError) as refused:
            around.check(listed, "place")
        assert refused.value.what == alone.value.what
        if refused.value.reason == "bad-schema":
            assert refused.value.where.startswith("place[0]")


@pytest.mark.parametrize("kinds", [(1, True), (1, 1.0), ("a", b"a"), (b"a", bytearray(b"a")), ([1], (1,)), (1, None)])
def test_one_odd_value_among_many_is_found(kinds: tuple[Any, Any]) -> None:
    good, odd = kinds
    tables = {int: Int(0, 9), str: Text(4), bytes: Octets(most=4), list: Places((Int(),))}
    table = ListOf(tables[type(good)], 99)
    table.check([good] * 40, "x")
    with pytest.raises(WireError, match=r"^x\[20\]"):
        table.check([good] * 20 + [odd] + [good] * 19, "x")


def test_text_of_many_octets_and_few_characters_is_counted_in_octets() -> None:
    names = ListOf(Text(6), 9)
    names.check(["Dräge", "abcdef", ""], "x")
    with pytest.raises(WireError, match=r"^x\[1\]: text of 7 octets"):
        names.check(["abcdef", "Dräger"], "x")


def test_the_refusal_names_the_place() -> None:
    table = Record({"a": ListOf(Places((Int(), Text(3))), 9)})
    with pytest.raises(WireError, match=r"^x\.a\[1\]\[1\]: text of 4 octets"):
        table.check({"a": [[1, "a"], [2, "abcd"]]}, "x")


FULL: list[tuple[Field, Any]] = [
    (Int(), U64_MAX),
    (Int(-1, I64_MAX), I64_MAX),
    (Int(0, 127), 127),
    (Int(0, 255), 255),
    (Int(-128, 5), -128),
    (Int(0, 65535), 65535),
    (Int(-(2**63), 0), -(2**63)),
    (Text(31), "a" * 31),
    (Text(32), "a" * 32),
    (Text(256), "a" * 256),
    (Text(65536), "a" * 65536),
    (Choice(("a", "abc")), "abc"),
    (Octets((4, 16)), bytes(16)),
    (Octets(most=300), bytes(300)),
    (ListOf(Int(), 15), [U64_MAX] * 15),
    (ListOf(Int(), 16), [U64_MAX] * 16),
    (Places((Int(), Octets((32,)))), [U64_MAX, bytes(32)]),
    (Columns((Int(), Int(0, 1)), 20), [[U64_MAX] * 20, [1] * 20]),
    (OneOf((Int(), Text(3))), U64_MAX),
    (OneOf((Int(0, 1), Text(3))), "abc"),
    (MapOf(Int(), 2, 1), {"a": U64_MAX, "b": U64_MAX}),
    (Record({"a": Int(), "bb": Text(5)}), {"a": U64_MAX, "bb": "abcde"}),
]


@pytest.mark.parametrize(("table", "value"), FULL)
def test_the_largest_value_has_exactly_the_size_that_the_table_says(table: Field, value: Any) -> None:
    table.check(value, "place")
    ListOf(table, 9).check([value] * 3, "place")
    assert len(pack(value)) == table.max_bytes


@given(st.integers(-(2**63), 2**64 - 1), st.integers(-(2**63), 2**64 - 1))
def test_no_integer_of_a_range_is_longer_than_the_table_says(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert max(len(pack(value)) for value in (low, high, (low + high) // 2)) <= int_bytes(low, high)


@given(st.text(max_size=60), st.integers(3, 40))
def test_clip_keeps_the_limit_and_whole_characters(text: str, octets: int) -> None:
    cut = clip(text, octets)
    assert len(cut.encode()) <= octets
    if len(text.encode("utf-8", "replace")) <= octets:
        assert cut == text
    else:
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])


def test_clip_takes_lone_surrogates() -> None:
    assert clip("a\udcff", 10) == "a?"
