"""NetBIOS over UDP (RFC 1002): computer names of the name service, and browser announcements of the datagram service.

The messenger name (suffix 03) is the user's: it is not read.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_ENCODED = 32  # a first-level encoded name: two letters an octet, RFC 1001 section 14.1
_DATAGRAM_TYPES = frozenset({0x10, 0x11, 0x12})
_SOURCE_NAME_AT = 14
_DATA_AT = _SOURCE_NAME_AT + 2 * (_ENCODED + 2)
_BROWSE = b"\\MAILSLOT\\BROWSE\0"
_ANNOUNCEMENTS = frozenset({1, 15})  # host and local master announcement, [MS-BRWS] 2.2.1
_SERVICES = {0x1B: "domain-master", 0x1C: "domain-controller", 0x20: "file-server"}
_REGISTRATION, _REFRESH = 5, 8


def _name(octets: bytes, at: int) -> tuple[str, int]:
    """The name and its suffix at an offset (length octet 32 first); ("", -1) when it is none."""
    coded = octets[at + 1 : at + 1 + _ENCODED]
    if octets[at : at + 1] != b"\x20" or len(coded) < _ENCODED or not all(0x41 <= c <= 0x50 for c in coded):
        return "", -1
    plain = bytes((coded[i] - 0x41) << 4 | (coded[i + 1] - 0x41) for i in range(0, _ENCODED, 2))
    return printable(plain[:15]).strip(), plain[15]


def _held(name: str, suffix: int, *, group: bool, address: bytes = b"") -> list[Signal]:
    """What holding a name says of its holder."""
    signals = [Signal("netbios.service", _SERVICES.get(suffix, ""))]
    if group:
        return [*signals, Signal("netbios.group", name if suffix in {0x00, 0x1C, 0x1E} else "")]
    return [*signals, Signal("netbios.host", name if suffix in {0x00, 0x20} else "", None, address)]


def _name_service(payload: bytes) -> list[Signal]:
    """A registration, refresh or positive answer tells who holds a name; a question tells nothing of the sender."""
    flags, operation = u16(payload, 2), u16(payload, 2) >> 11 & 15
    name, suffix = _name(payload, 12)
    if suffix < 0:
        return []
    answer = bool(flags & 0x8000) and not flags & 15
    if not answer and operation not in {_REGISTRATION, _REFRESH, 9}:
        return []
    at = 12 + _ENCODED + 2 if answer else 12 + _ENCODED + 2 + 4  # a request repeats the name as a pointer
    at = at + 10 if answer else at + 2 + 10
    address = payload[at + 2 : at + 6]
    return _held(name, suffix, group=bool(u16(payload, at) & 0x8000), address=address if len(address) == 4 else b"")


def _datagram(payload: bytes) -> list[Signal]:
    """Source name, and version and kind of a browser announcement."""
    name, suffix = _name(payload, _SOURCE_NAME_AT)
    if suffix < 0:
        return []
    signals = [Signal("netbios.host", name if suffix in {0x00, 0x20} else "", None, payload[4:8])]
    at = payload.find(_BROWSE, _DATA_AT)
    command = at + len(_BROWSE)
    if at >= 0 and len(payload) >= command + 24 and payload[command] in _ANNOUNCEMENTS:
        signals.append(Signal("netbios.os", f"{payload[command + 22]}.{payload[command + 23]}"))
    return signals


def read(payload: bytes) -> list[Signal]:
    """Signals of one message of UDP 137 or 138; which of the two is told by the datagram header's own length."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if len(payload) < 12:
        return []
    if payload[0] in _DATAGRAM_TYPES and len(payload) >= _DATA_AT and payload[_SOURCE_NAME_AT] == _ENCODED:
        return bounded(_datagram(payload))
    return bounded(_name_service(payload))
