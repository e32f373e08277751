"""Headers are exact."""

from dataclasses import astuple
from typing import Any

import pytest

from agent.errors import WireError
from agent.wire.codec import pack
from agent.wire.header import HEADER_BYTES_MAX, Header
from tests.wire.samples import header

BAD: list[tuple[str, Any]] = [
    ("agent", "Tap"),
    ("agent", "tap/1"),
    ("site", ""),
    ("stream", "other"),
    ("boot", bytes(15)),
    ("run", b""),
    ("before_run", bytes(15)),
    ("before_seq", -1),
    ("seq", 0),
    ("seq", 2**64),
    ("prev", bytes(31)),
    ("mono_ns", -1),
    ("wall_ns", 2**63),
    ("clock_state", "good"),
    ("clock_error_ns", -2),
]


def test_a_header_comes_back() -> None:
    one = header()
    assert Header.from_list(one.to_list()) == one


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_field_is_refused_both_ways(name: str, value: Any) -> None:
    with pytest.raises(WireError, match="header"):
        header(**{name: value}).to_list()
    with pytest.raises(WireError, match="header"):
        Header.from_list(list(astuple(header(**{name: value}))))


@pytest.mark.parametrize("places", [None, [], {}, [1] * 13, [*header().to_list(), 1], header().to_list()[:-1]])
def test_what_is_no_header_is_refused(places: Any) -> None:
    with pytest.raises(WireError):
        Header.from_list(places)


def test_the_largest_header_has_the_size_of_the_table() -> None:
    full = header(
        agent="a" * 32,
        site="b" * 32,
        before_run=bytes(16),
        before_seq=2**64 - 1,
        seq=2**64 - 1,
        mono_ns=2**63 - 1,
        wall_ns=2**63 - 1,
        clock_state="holdover",
        clock_error_ns=2**63 - 1,
    )
    assert len(pack(full.to_list())) == HEADER_BYTES_MAX
