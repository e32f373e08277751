"""DHCPv6 (RFC 8415): message type, vendor class (option 16), client FQDN (option 39, RFC 4704); subject by DUID."""

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
_CLIENT_ID, _VENDOR_CLASS, _FQDN = 1, 16, 39
_OPTIONS_MAX = 32


def _options(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Code (2), length (2), value; a cut one ends the walk."""
    at = 4
    for _ in range(_OPTIONS_MAX):
        end = at + 4 + u16(payload, at + 2)
        if at + 4 > len(payload) or end > len(payload):
            return
        yield u16(payload, at), payload[at + 4 : end]
        at = end


def _duid_mac(duid: bytes) -> int | None:
    """The Ethernet address of a DUID-LLT (type 1) or DUID-LL (type 3)."""
    if duid[:4] == b"\0\1\0\1" and len(duid) == 14:
        return int.from_bytes(duid[8:], "big")
    return int.from_bytes(duid[4:], "big") if duid[:4] == b"\0\3\0\1" and len(duid) == 10 else None


def read(payload: bytes) -> list[Signal]:
    """Signals of one message. The DUID's MAC need not be the sending card's, but names the same machine."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    kind = _MESSAGES.get(payload[0], "") if len(payload) >= 4 else ""
    if not kind:
        return []
    if payload[0] in _FROM_SERVER:
        return [Signal("dhcpv6.message", kind)]
    options = dict(_options(payload))
    mac = _duid_mac(options.get(_CLIENT_ID, b""))
    vendor = options.get(_VENDOR_CLASS, b"")
    text = printable(vendor[6 : 6 + u16(vendor, 4)], 100)
    host = name(options.get(_FQDN, b"")[1:] + b"\0", 0)[0]
    return bounded(
        [
            Signal("dhcpv6.message", kind, mac),
            Signal("dhcpv6.vendor", f"{int.from_bytes(vendor[:4], 'big')}:{text}" if text else "", mac),
            Signal("dhcpv6.host", printable(host.encode()), mac),
        ]
    )
