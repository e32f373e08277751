"""SNMP (RFC 1157, 3416, 3412): version, kind of message, and the maker's number of a system's object identifier.

The community is a password that everybody can read: only that one was sent leaves this file, never what it was, and not
its length. Variables are not read but for sysObjectID and a trap's enterprise.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded

_VERSIONS = {0: "1", 1: "2c", 3: "3"}
_KINDS = {
    0xA0: "get",
    0xA1: "get-next",
    0xA2: "response",
    0xA3: "set",
    0xA4: "trap",
    0xA5: "get-bulk",
    0xA6: "inform",
    0xA7: "trap",
    0xA8: "report",
}
_SEQUENCE, _INTEGER, _STRING, _OID = 0x30, 0x02, 0x04, 0x06
_TRAP_1, _RESPONSE, _VERSION_3 = 0xA4, 0xA2, 3
_VARIABLES_MAX = 16
_ENTERPRISES = b"\x2b\x06\x01\x04\x01"  # 1.3.6.1.4.1
_SYSTEM_OBJECT = b"\x2b\x06\x01\x02\x01\x01\x02\x00"  # 1.3.6.1.2.1.1.2.0, sysObjectID.0


def _element(octets: bytes, at: int) -> tuple[int, int, int]:
    """(tag, start of the value, its end) of the BER element at an offset; (0, 0, -1) when it is cut or too long."""
    if at + 2 > len(octets):
        return 0, 0, -1
    size, start = octets[at + 1], at + 2
    if size & 0x80:
        more = size & 0x7F
        if not 1 <= more <= 2 or start + more > len(octets):
            return 0, 0, -1
        size, start = int.from_bytes(octets[start : start + more], "big"), start + more
    end = start + size
    return (octets[at], start, end) if end <= len(octets) else (0, 0, -1)


def _enterprise(oid: bytes) -> str:
    """The maker's number (IANA private enterprise numbers) that an object identifier begins with."""
    if not oid.startswith(_ENTERPRISES):
        return ""
    number = 0
    for octet in oid[5:10]:  # 35 bits are more than any number given
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            return str(number)
    return ""


def _system(octets: bytes, at: int) -> str:
    """The maker's number in the variables of a response: request id, status and index come before them."""
    for _ in range(3):
        at = _element(octets, at)[2]
        if at < 0:
            return ""
    _, at, end = _element(octets, at)
    for _ in range(_VARIABLES_MAX):
        if not 0 < at < end:
            break
        _, start, after = _element(octets, at)
        tag, name, stop = _element(octets, start)
        if after < 0 or tag != _OID:
            break
        if octets[name:stop] == _SYSTEM_OBJECT:
            tag, start, stop = _element(octets, stop)
            return _enterprise(octets[start:stop]) if tag == _OID else ""
        at = after
    return ""


def read(payload: bytes) -> list[Signal]:
    """Signals of one message; of version 3 only the version, for the rest is in its security parameters' hands."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    tag, at, _ = _element(payload, 0)
    if tag != _SEQUENCE:
        return []
    tag, start, at = _element(payload, at)
    number = payload[start] if tag == _INTEGER and at == start + 1 else -1
    if number not in _VERSIONS:
        return []
    signals = [Signal("snmp.version", _VERSIONS[number])]
    if number == _VERSION_3:
        return signals
    tag, start, at = _element(payload, at)
    if tag != _STRING:
        return signals
    if at > start:
        signals.append(Signal("credentials.clear", "snmp"))
    tag, start, at = _element(payload, at)
    signals.append(Signal("snmp.message", _KINDS.get(tag, "")))
    if tag == _TRAP_1:
        kind, first, last = _element(payload, start)
        signals.append(Signal("snmp.enterprise", _enterprise(payload[first:last]) if kind == _OID else ""))
    elif tag == _RESPONSE:
        signals.append(Signal("snmp.enterprise", _system(payload, start)))
    return bounded(signals)
