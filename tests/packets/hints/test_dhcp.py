"""DHCP: what a client says, what a server gives."""

from agent.packets.hints import dhcp
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CLIENT_MAC, DISCOVER, OFFER


def test_a_client_says_who_it_is_under_its_own_address() -> None:
    signals = dhcp.read(DISCOVER)
    assert Signal("dhcp.message", "discover", CLIENT_MAC) in signals
    assert Signal("dhcp.vendor", "ALARIS-PCU-8015", CLIENT_MAC) in signals
    assert Signal("dhcp.host", "PCU-13408871", CLIENT_MAC) in signals
    assert Signal("dhcp.options", "1,3,6,15,42", CLIENT_MAC) in signals
    assert Signal("dhcp.order", "53,12,55,60", CLIENT_MAC) in signals


def test_a_server_is_the_sender_and_its_lease_is_the_clients() -> None:
    signals = dhcp.read(OFFER)
    assert Signal("dhcp.message", "offer") in signals
    assert Signal("dhcp.lease", "offer", CLIENT_MAC, b"\x0a\x29\x07\x6f") in signals
    assert Signal("dhcp.server", "offer", None, b"\x0a\x29\x07\x0a") in signals
    assert Signal("dhcp.router", "offer", None, b"\x0a\x29\x07\x01") in signals
    assert Signal("dhcp.dns", "offer", None, b"\x0a\x29\x07\x0a") in signals


def _with_option(code: int, value: bytes) -> bytes:
    return DISCOVER[:240] + bytes([code, len(value)]) + value + b"\xff"


def test_client_names_in_both_forms() -> None:
    assert dhcp.read(_with_option(81, b"\0\0\0cart-7.ward"))[0].value == "cart-7.ward"
    assert dhcp.read(_with_option(81, b"\4\0\0\6cart-7\4ward\0"))[0].value == "cart-7.ward"
    assert dhcp.read(_with_option(61, b"\1\0\xd0\x75"))[0] == Signal("dhcp.client-id", "0100d075", CLIENT_MAC)


def test_not_ethernet_or_not_dhcp_is_silent() -> None:
    assert dhcp.read(DISCOVER[:1] + b"\x06" + DISCOVER[2:]) == []
    assert dhcp.read(DISCOVER[:236] + b"\0\0\0\0" + DISCOVER[240:]) == []
