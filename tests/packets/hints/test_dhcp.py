"""DHCP: what a client says, what a server gives."""

from pathlib import Path

import pytest

from agent.packets.hints import dhcp
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CLIENT_MAC, DISCOVER, OFFER
from tests.packets.hints.tshark import fields


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


def test_a_server_that_routes_itself_says_so() -> None:
    """RFC 2132 sections 3.5 and 9.7: the router it gives is its own identifier, as of every box that joins a home."""
    itself = OFFER.replace(b"\x03\x04\x0a\x29\x07\x01", b"\x03\x04\x0a\x29\x07\x0a")
    assert itself != OFFER
    assert Signal("dhcp.routes", "itself") in dhcp.read(itself)
    assert not [signal for signal in dhcp.read(OFFER) if signal.kind == "dhcp.routes"]


def _with_option(code: int, value: bytes) -> bytes:
    return DISCOVER[:240] + bytes([code, len(value)]) + value + b"\xff"


def test_client_names_in_both_forms() -> None:
    assert dhcp.read(_with_option(81, b"\0\0\0cart-7.ward"))[0].value == "cart-7.ward"
    assert dhcp.read(_with_option(81, b"\4\0\0\6cart-7\4ward\0"))[0].value == "cart-7.ward"
    assert dhcp.read(_with_option(61, b"\1\0\xd0\x75"))[0] == Signal("dhcp.client-id", "0100d075", CLIENT_MAC)


def test_options_go_on_in_fields_that_are_not_used() -> None:
    """RFC 2132 section 9.3: option 52 says where; an option in two parts is one (RFC 3396)."""
    message = bytearray(DISCOVER[:240]) + b"\x35\1\1\x34\1\3\x0c\4cart\xff"
    message[44:50] = b"\x0c\2-7\xff\0"
    message[108:115] = b"\x3c\4ward\xff"
    signals = dhcp.read(bytes(message))
    assert Signal("dhcp.host", "cart-7", CLIENT_MAC) in signals
    assert Signal("dhcp.vendor", "ward", CLIENT_MAC) in signals
    assert Signal("dhcp.order", "53,52,12,60,12", CLIENT_MAC) in signals


def test_overload_in_overload_ends() -> None:
    message = bytearray(DISCOVER[:240]) + b"\x34\1\3\xff"
    message[44:48] = message[108:112] = b"\x34\1\3\xff"
    assert Signal("dhcp.order", "52,52,52", CLIENT_MAC) in dhcp.read(bytes(message))


def test_vendor_class_by_enterprise_and_largest_message() -> None:
    assert dhcp.read(_with_option(124, b"\0\0\x01\x37\4MSFT"))[0] == Signal("dhcp.vendor-class", "311:MSFT", CLIENT_MAC)
    assert dhcp.read(_with_option(57, b"\5\xdc"))[0] == Signal("dhcp.size", "1500", CLIENT_MAC)


def test_not_ethernet_or_not_dhcp_is_silent() -> None:
    assert dhcp.read(DISCOVER[:1] + b"\x06" + DISCOVER[2:]) == []
    assert dhcp.read(DISCOVER[:236] + b"\0\0\0\0" + DISCOVER[240:]) == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    same = 0
    names = ("udp.payload", "dhcp.option.type", "dhcp.option.hostname", "dhcp.option.vendor_class_id", "dhcp.type")
    for path in [*sorted((captures / "identity").glob("*.pcap*")), *sorted((captures / "clinical").glob("*.pcap*"))]:
        for payload, kinds, hosts, classes, kind in fields(path, "dhcp && udp.payload", *names):
            found = {signal.kind: signal.value for signal in dhcp.read(bytes.fromhex(payload[0]))}
            if kind != ["1"]:
                continue
            same += 1
            assert found["dhcp.order"].split(",") == [number for number in kinds if number not in {"0", "255"}][:32]
            assert found.get("dhcp.host", "") == (hosts[0] if hosts else "")
            assert found.get("dhcp.vendor", "") == (classes[0].strip() if classes else "")
    assert same > 10


def test_several_name_servers_in_order() -> None:
    servers = bytes(range(1, 25))
    offer = OFFER.replace(b"\x06\x04\x0a\x29\x07\x0a", b"\x06\x18" + servers)
    given = [signal.address for signal in dhcp.read(offer) if signal.kind == "dhcp.dns"]
    assert given == [servers[at : at + 4] for at in range(0, 16, 4)], "four of six"
