"""DHCP (RFC 2131; options RFC 2132, 3396, 3925, 4702): what a client says of itself, and what a server hands out."""

from collections.abc import Iterator

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_OPTIONS_AT = 240  # fixed header (236) and magic cookie (4), RFC 2131 section 2
_COOKIE = b"\x63\x82\x53\x63"
_OPTIONS_MAX = 64
_MESSAGES = ("", "discover", "offer", "request", "decline", "ack", "nak", "release", "inform")
_RESOLVERS_MAX = 4  # of option 6, in order
_GIVES = frozenset({"offer", "ack"})
_OVERLOAD, _IN_FILE, _IN_NAME = 52, 1, 2  # RFC 2132 section 9.3: options go on in fields that are not used
_FILE, _NAME = slice(108, 236), slice(44, 108)
_VALUE_MAX_OCTETS = 512  # of one option that comes in several parts (RFC 3396)


def _options(payload: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Options in the order sent; a cut option ends the walk."""
    for _ in range(_OPTIONS_MAX):
        if at >= len(payload) or payload[at] == 255:
            return
        if payload[at] == 0:  # pad
            at += 1
            continue
        end = at + 2 + payload[at + 1] if at + 1 < len(payload) else len(payload) + 1
        if end > len(payload):
            return
        yield payload[at], payload[at + 2 : end]
        at = end


def _numbers(codes: bytes | list[int]) -> str:
    """Option numbers, comma between, at most as many as fit a signal."""
    return ",".join(str(code) for code in codes[:32])


def _all_options(payload: bytes) -> tuple[list[int], dict[int, bytes]]:
    """Numbers in the order sent, and values: of an option in several parts the parts together."""
    order: list[int] = []
    options: dict[int, bytes] = {}
    places = [(payload, _OPTIONS_AT)]
    while places:
        for code, value in _options(*places.pop(0)):
            order.append(code)
            options[code] = (options.get(code, b"") + value)[:_VALUE_MAX_OCTETS]
            if code == _OVERLOAD and len(order) <= _OPTIONS_MAX and len(value) == 1 and order.count(code) == 1:
                places += [(payload[_FILE], 0)] * bool(value[0] & _IN_FILE)
                places += [(payload[_NAME], 0)] * bool(value[0] & _IN_NAME)
    return order, options


def _enterprise(value: bytes) -> str:
    """The vendor class of RFC 3925, `enterprise number:text`; the first one of the list."""
    if len(value) < 6:
        return ""
    text = printable(value[5 : 5 + value[4]], 100)
    return f"{int.from_bytes(value[:4], 'big')}:{text}" if text else ""


def _client(mac: int, options: dict[int, bytes]) -> list[Signal]:
    """What the client says of itself."""
    fqdn = options.get(81, b"")[3:]  # RFC 4702: flags and two obsolete octets, then the name
    if options.get(81, b"\0")[:1] and options.get(81, b"\0")[0] & 4:  # E bit: DNS wire format
        fqdn = b".".join(_labels(fqdn))
    return [
        Signal("dhcp.vendor", printable(options.get(60, b"")), mac),
        Signal("dhcp.vendor-class", _enterprise(options.get(124, b"")), mac),
        Signal("dhcp.host", printable(options.get(12, b"")), mac),
        Signal("dhcp.fqdn", printable(fqdn), mac),
        Signal("dhcp.options", _numbers(options.get(55, b"")), mac),
        Signal("dhcp.client-id", options.get(61, b"")[:32].hex(), mac),
        Signal("dhcp.size", str(u16(options[57], 0)) if len(options.get(57, b"")) == 2 else "", mac),
    ]


def _labels(wire: bytes) -> list[bytes]:
    """Labels of an uncompressed DNS name."""
    labels: list[bytes] = []
    at = 0
    while at < len(wire) and 0 < wire[at] < 64 and len(labels) < 16:
        labels.append(wire[at + 1 : at + 1 + wire[at]])
        at += 1 + wire[at]
    return labels


def _server(mac: int, leased: bytes, message: str, options: dict[int, bytes]) -> list[Signal]:
    """What the server gives, and to whom."""
    signals = [Signal("dhcp.lease", message, mac, leased)] if any(leased) else []
    for code, kind, most in ((54, "dhcp.server", 1), (3, "dhcp.router", 1), (6, "dhcp.dns", _RESOLVERS_MAX)):
        value = options.get(code, b"")[: 4 * most]
        found = [value[at : at + 4] for at in range(0, len(value) - 3, 4)]
        signals += [Signal(kind, message, None, address) for address in found]
    router, identifier = options.get(3, b"")[:4], options.get(54, b"")[:4]
    if len(router) == 4 and router == identifier:
        signals.append(Signal("dhcp.routes", "itself"))
    return signals


def read(payload: bytes) -> list[Signal]:
    """Signals of one message; client facts and leases are bound to chaddr: a relay repeats them under its own MAC."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if (
        len(payload) < _OPTIONS_AT
        or payload[236:240] != _COOKIE
        or payload[1:3] != b"\x01\x06"
        or payload[0] not in {1, 2}
    ):
        return []
    mac = int.from_bytes(payload[28:34], "big")
    order, options = _all_options(payload)
    number = options.get(53, b"\0")[:1]
    message = _MESSAGES[number[0]] if number and number[0] < len(_MESSAGES) else ""
    if payload[0] == 2:
        given = _server(mac, payload[16:20], message, options) if message in _GIVES else []
        return bounded([Signal("dhcp.message", message), *given])
    return bounded(
        [Signal("dhcp.message", message, mac), *_client(mac, options), Signal("dhcp.order", _numbers(order), mac)]
    )
