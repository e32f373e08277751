"""Bounded text."""

import pytest

from agent.packets.hints.records import SIGNALS_MAX, VALUE_MAX_CHARS, Signal
from agent.packets.hints.text import bounded, headers, printable, u16, within


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b" a\x00b\x1b[31m ", "ab[31m"),
        ("Dräger".encode(), "Dräger"),
        (b"\xff\xfeabc", "abc"),
        ("a\u202eb\u200bc".encode(), "abc"),
        (b"", ""),
    ],
)
def test_printable(octets: bytes, text: str) -> None:
    assert printable(octets) == text


def test_printable_is_bounded() -> None:
    assert len(printable(b"x" * 10_000)) == VALUE_MAX_CHARS
    assert printable(b"abcdef", 3) == "abc"


def test_within_an_alphabet() -> None:
    assert within("1.2", frozenset("12.")) == "1.2"
    assert within("1.2x", frozenset("12.")) == ""
    assert within("1" * 200, frozenset("1")) == ""


def test_headers_first_of_a_name_and_no_line_that_is_cut() -> None:
    first, found = headers(b"A B\r\nX: 1\r\nx: 2\r\nY : 3\r\nZ: 4", frozenset({b"x", b"y", b"z"}))
    assert first == b"A B"
    assert found == {b"x": b"1", b"y": b"3"}


def test_a_signal_once_and_sixteen_at_most() -> None:
    signals = [Signal("dns.asks", str(number // 2)) for number in range(100)] + [Signal("dns.asks", "")]
    kept = bounded(signals)
    assert len(kept) == SIGNALS_MAX
    assert len(set(kept)) == SIGNALS_MAX


def test_numbers_past_the_end_are_short_not_errors() -> None:
    assert u16(b"\1\2", 0) == 0x0102
    assert u16(b"\1\2", 5) == 0
