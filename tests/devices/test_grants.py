"""A DHCP message as a grant: who gave what to whom."""

from agent.devices.grants import grant_of
from agent.devices.records import Grant
from agent.packets.hints.records import Signal

OFFER = [
    Signal("dhcp.message", "offer"),
    Signal("dhcp.lease", "offer", 0x00D075183C04, bytes([10, 41, 7, 133])),
    Signal("dhcp.server", "offer", None, bytes([10, 41, 7, 10])),
    Signal("dhcp.router", "offer", None, bytes([10, 41, 7, 1])),
    Signal("dhcp.dns", "offer", None, bytes([10, 41, 7, 10])),
]


def test_an_offer() -> None:
    given = Grant(5, 7, 0x00D075183C04, "offer", 0x0A290785, 0x0A29070A, 0x0A290701, 0x0A29070A, (0x0A29070A,))
    assert grant_of(7, OFFER, 5) == given


def test_of_several_name_servers_the_first_is_the_first() -> None:
    second = Signal("dhcp.dns", "offer", None, bytes([10, 41, 7, 11]))
    given = grant_of(7, [*OFFER, second], 5)
    assert given is not None
    assert (given.dns, given.resolvers) == (0x0A29070A, (0x0A29070A, 0x0A29070B))


def test_what_is_not_there_is_nought() -> None:
    assert grant_of(7, OFFER[:2], 5) == Grant(5, 7, 0x00D075183C04, "offer", 0x0A290785, 0, 0, 0)


def test_what_a_client_says_gives_nothing() -> None:
    assert grant_of(7, [Signal("dhcp.message", "discover", 1), Signal("dhcp.host", "x", 1)], 5) is None
    assert grant_of(7, [], 5) is None
    assert grant_of(7, [Signal("mdns.host", "x")], 5) is None
    assert grant_of(7, [OFFER[0]], 5) is None
