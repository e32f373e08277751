"""NTP."""

from agent.packets.hints import ntp
from agent.packets.hints.records import Signal


def message(first: int, stratum: int, reference: bytes = b"\x0a\x29\7\1") -> bytes:
    """48 octets."""
    return bytes([first, stratum]) + bytes(10) + reference + bytes(32)


def test_who_asks() -> None:
    assert ntp.read(message(0x23, 0)) == [Signal("ntp.asks", "version-4")]
    assert ntp.read(message(0x1B, 0)) == [Signal("ntp.asks", "version-3")]


def test_who_serves() -> None:
    assert ntp.read(message(0x24, 2)) == [Signal("ntp.serves", "stratum-2")]
    assert ntp.read(message(0x25, 1, b"DCF\0")) == [Signal("ntp.serves", "stratum-1"), Signal("ntp.reference", "DCF")]


def test_a_reference_of_an_unknown_kind_is_left_out() -> None:
    assert ntp.read(message(0x24, 1, b"WD7\0")) == [Signal("ntp.serves", "stratum-1")]


def test_what_is_no_time_is_silent() -> None:
    for first, stratum in ((0x24, 0), (0x24, 16), (0x26, 1), (0x04, 1), (0x3C, 1)):
        assert ntp.read(message(first, stratum)) == []
