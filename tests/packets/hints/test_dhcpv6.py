"""DHCPv6."""

import random
import struct

import pytest

from agent.packets.hints import dhcpv6
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CLIENT_MAC, DHCPV6


def test_a_client_says_who_it_is_under_the_duids_address() -> None:
    assert dhcpv6.read(DHCPV6) == [
        Signal("dhcpv6.message", "solicit", CLIENT_MAC),
        Signal("dhcpv6.vendor", "311:MSFT 5.0", CLIENT_MAC),
        Signal("dhcpv6.host", "cart", CLIENT_MAC),
        Signal("dhcpv6.client-id", "card-and-time", CLIENT_MAC),
        Signal("dhcpv6.duid", f"0001000101020304{CLIENT_MAC:012x}"),
        Signal("dhcpv6.order", "1,16,39", CLIENT_MAC),
    ]


def test_what_is_asked_for_in_its_order() -> None:
    asked = b"\0\6\0\6\0\x17\0\x18\0\x40"
    assert Signal("dhcpv6.options", "23,24,64", CLIENT_MAC) in dhcpv6.read(DHCPV6 + asked)


def test_a_server_is_only_a_server() -> None:
    assert dhcpv6.read(b"\7" + DHCPV6[1:]) == [Signal("dhcpv6.message", "reply")]


def test_unknown_types_are_silent() -> None:
    assert dhcpv6.read(b"\x63" + DHCPV6[1:]) == []


def duid_of(message: bytes) -> bytes:
    """The slow twin, from RFC 8415 sections 8, 11.1 and 21.1: the first option 1 among the first 32 that are whole."""
    if not message or message[0] not in {1, 3, 5, 6, 8, 11}:
        return b""
    rest = message[4:]
    for _ in range(32):
        if len(rest) < 4:
            return b""
        code, size = struct.unpack(">HH", rest[:4])
        if len(rest) < 4 + size:
            return b""
        if code == 1:
            return rest[4 : 4 + size]
        rest = rest[4 + size :]
    return b""


def told(message: bytes) -> str:
    """What the reader gives."""
    return next((signal.value for signal in dhcpv6.read(message) if signal.kind == "dhcpv6.duid"), "")


@pytest.mark.parametrize("size", [0, 2, 3, 4, 10, 14, 18, 64, 65, 130])
def test_a_duid_of_any_size(size: int) -> None:
    message = b"\1\0\0\7" + struct.pack(">HH", 1, size) + b"\0\2" * (size // 2) + b"\7" * (size % 2)
    assert told(message) == (duid_of(message).hex() if 4 <= size <= 64 else "")


def test_damaged_messages_give_the_duid_that_the_standard_gives() -> None:
    rng = random.Random(8415)
    found = 0
    for _ in range(3000):
        octets = bytearray(struct.pack(">HHH", 6, 2, 23).join((DHCPV6[:4], DHCPV6[4:])))
        for _ in range(rng.randint(0, 3)):
            octets[rng.randrange(len(octets))] = rng.choice((0, 1, 2, 14, rng.randrange(256)))
        message = bytes(octets[: rng.randint(1, len(octets))] if rng.random() < 0.5 else octets)
        duid = duid_of(message)
        assert told(message) == (duid.hex() if 4 <= len(duid) <= 64 else ""), message.hex()
        found += bool(duid)
    assert found > 1000


def test_the_duid_speaks_of_who_sent_it_and_not_of_the_card_in_it() -> None:
    (signal,) = (signal for signal in dhcpv6.read(DHCPV6) if signal.kind == "dhcpv6.duid")
    assert signal.subject_mac is None
