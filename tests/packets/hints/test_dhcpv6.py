"""DHCPv6."""

from agent.packets.hints import dhcpv6
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import CLIENT_MAC, DHCPV6


def test_a_client_says_who_it_is_under_the_duids_address() -> None:
    assert dhcpv6.read(DHCPV6) == [
        Signal("dhcpv6.message", "solicit", CLIENT_MAC),
        Signal("dhcpv6.vendor", "311:MSFT 5.0", CLIENT_MAC),
        Signal("dhcpv6.host", "cart", CLIENT_MAC),
        Signal("dhcpv6.client-id", "card-and-time", CLIENT_MAC),
        Signal("dhcpv6.order", "1,16,39", CLIENT_MAC),
    ]


def test_what_is_asked_for_in_its_order() -> None:
    asked = b"\0\6\0\6\0\x17\0\x18\0\x40"
    assert Signal("dhcpv6.options", "23,24,64", CLIENT_MAC) in dhcpv6.read(DHCPV6 + asked)


def test_a_server_is_only_a_server() -> None:
    assert dhcpv6.read(b"\7" + DHCPV6[1:]) == [Signal("dhcpv6.message", "reply")]


def test_unknown_types_are_silent() -> None:
    assert dhcpv6.read(b"\x63" + DHCPV6[1:]) == []
