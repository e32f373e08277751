"""DHCPv6 (RFC 8415): message type, vendor class, client FQDN (RFC 4704), options and their order; subject by DUID."""

from collections.abc import Iterator

from agent.packets.hints.dns_message import name
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_MESSAGES = {
    1: "solicit",
    2: "advertise",
    3: "request",
    5: "renew",
    6: "rebind",
    7: "reply",
    8: "release",
    11: "information",
}
_FROM_SERVER = frozenset({2, 7})
_CLIENT_ID, _REQUESTED, _VENDOR_CLASS, _FQDN = 1, 6, 16, 39
_DUIDS = {1: "card-and-time", 2: "enterprise", 3: "card", 4: "uuid"}
_DUID_OCTETS = range(4, 65)  # of one that is told whole; RFC 8415 section 11.1 allows 130, hosts use 10 to 22
_OPTIONS_MAX = 32
_ORDER_MAX = 20  # numbers that fit a signal


def _options(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Code (2), length (2), value; a cut one ends the walk."""
    at = 4
    for _ in range(_OPTIONS_MAX):
        end = at + 4 + u16(payload, at + 2)
        if at + 4 > len(payload) or end > len(payload):
            return
        yield u16(payload, at), payload[at + 4 : end]
        at = end


def _numbers(value: bytes) -> str:
    """Option numbers asked for, comma between, as many as fit a signal."""
    return ",".join(str(u16(value, at)) for at in range(0, min(len(value) - 1, 2 * _ORDER_MAX), 2))


def _duid_mac(duid: bytes) -> int | None:
    """The Ethernet address of a DUID-LLT (type 1) or DUID-LL (type 3)."""
    if duid[:4] == b"\0\1\0\1" and len(duid) == 14:
        return int.from_bytes(duid[8:], "big")
    return int.from_bytes(duid[4:], "big") if duid[:4] == b"\0\3\0\1" and len(duid) == 10 else None


def read(payload: bytes) -> list[Signal]:
    """Signals of one message. The DUID's MAC need not be the sending card's, but names the same machine.

    The DUID itself speaks of the card that sent it (a relay's messages are others): it is how a host with a new card is
    known again.
    """
    payload = payload[:PAYLOAD_MAX_OCTETS]
    kind = _MESSAGES.get(payload[0], "") if len(payload) >= 4 else ""
    if not kind:
        return []
    if payload[0] in _FROM_SERVER:
        return [Signal("dhcpv6.message", kind)]
    sent = list(_options(payload))
    options = dict(reversed(sent))  # of two with one number the first counts
    duid = options.get(_CLIENT_ID, b"")
    mac = _duid_mac(duid)
    vendor = options.get(_VENDOR_CLASS, b"")
    text = printable(vendor[6 : 6 + u16(vendor, 4)], 100)
    host = name(options.get(_FQDN, b"")[1:] + b"\0", 0)[0]
    return bounded(
        [
            Signal("dhcpv6.message", kind, mac),
            Signal("dhcpv6.vendor", f"{int.from_bytes(vendor[:4], 'big')}:{text}" if text else "", mac),
            Signal("dhcpv6.host", printable(host.encode()), mac),
            Signal("dhcpv6.client-id", _DUIDS.get(u16(duid, 0), ""), mac),
            Signal("dhcpv6.duid", duid.hex() if len(duid) in _DUID_OCTETS else ""),
            Signal("dhcpv6.options", _numbers(options.get(_REQUESTED, b"")), mac),
            Signal("dhcpv6.order", ",".join(str(code) for code, _ in sent[:_ORDER_MAX]), mac),
        ]
    )
