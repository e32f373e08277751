"""Numbers in groups of seven bits: one spelling each, and nothing else is read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.varint import NUMBER_BYTES_MAX, number_bytes, put_numbers, take_numbers
from tests.golden.wire import reader

U63 = st.integers(0, 2**63 - 1) | st.integers(0, 300)


@settings(max_examples=60, deadline=None)
@given(st.lists(U63, max_size=40))
def test_numbers_come_back_and_the_slow_reader_agrees(values: list[int]) -> None:
    octets = put_numbers(values)
    assert take_numbers(octets, len(values), "column") == values == reader.numbers(octets, len(values))
    assert len(octets) == sum(map(number_bytes, values))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 40))
def test_whatever_is_read_would_be_written_so(octets: bytes, count: int) -> None:
    """Any octets: refused, or the one spelling of exactly these numbers."""
    try:
        values = take_numbers(octets, count, "column")
    except WireError:
        return
    assert len(values) == count
    assert max(values, default=0) < 2**63
    assert put_numbers(values) == octets


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (300, "ac02"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (2**63 - 1, "ffffffffffffffff7f"),
    ],
)
def test_spellings(value: int, octets: str) -> None:
    assert put_numbers([value]).hex() == octets
    assert number_bytes(value) == len(octets) // 2 <= NUMBER_BYTES_MAX


@pytest.mark.parametrize("value", [-1, 2**63, 2**70])
def test_what_has_no_place_is_refused(value: int) -> None:
    with pytest.raises(WireError) as refused:
        put_numbers([1, value])
    assert refused.value.reason == "bad-schema"


@pytest.mark.parametrize(
    ("octets", "count"),
    [
        (b"", 1),  # nothing there
        (b"\x01", 4096),  # many promised
        (b"\x01\x02", 1),  # one too many
        (b"\x80", 1),  # cut off
        (b"\x81\x80", 1),
        (b"\x80\x00", 1),  # a longer spelling of 0
        (b"\x81\x80\x00", 1),
        (b"\xff" * 9 + b"\x01", 1),  # ten groups
        (b"\xff" * 60_000, 1),  # no end
    ],
)
def test_what_is_no_column_is_refused(octets: bytes, count: int) -> None:
    with pytest.raises(WireError) as refused:
        take_numbers(octets, count, "column")
    assert (refused.value.reason, refused.value.where) == ("bad-schema", "column")
