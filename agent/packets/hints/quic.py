"""QUIC, by its version only (RFC 8999 section 5: the one thing every version has in the same place)."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, printable

_LONG_HEADER, _OLD_HEADER, _OLD_VERSION_AT = 0x80, 0x09, 9  # Google's first form: flags, connection (8), version
_VERSIONS = {0x00000001: "1", 0x6B3343CF: "2", 0x709A50C4: "2-draft"}
_DRAFT, _DRAFT_MASK = 0xFF000000, 0xFFFFFF00
_RESERVED = 0x0A0A0A0A  # RFC 9000 section 15: versions that only test tolerance
_GOOGLE = frozenset(b"QT")
_DIGITS = frozenset(b"0123456789")


def _is_google(octets: bytes) -> bool:
    """Whether four octets are a version of Google's own, Q039 to T051."""
    return len(octets) == 4 and octets[0] in _GOOGLE and _DIGITS.issuperset(octets[1:])


def _name(version: int, octets: bytes) -> str:
    """A version as people write it, or `other`."""
    if _is_google(octets):
        return printable(octets)
    if version & _DRAFT_MASK == _DRAFT:
        return f"draft-{version & 0xFF}"
    return _VERSIONS.get(version, "other")


def read(payload: bytes) -> list[Signal]:
    """`quic.version` of a packet with a long header; a version negotiation (0) and test versions are silent."""
    if len(payload) < 7:
        return []
    if not payload[0] & _LONG_HEADER:
        old = payload[_OLD_VERSION_AT : _OLD_VERSION_AT + 4]
        is_old = payload[0] & _OLD_HEADER == _OLD_HEADER and _is_google(old)
        return [Signal("quic.version", printable(old))] if is_old else []
    version = int.from_bytes(payload[1:5], "big")
    if version == 0 or version & 0x0F0F0F0F == _RESERVED:
        return []
    return bounded([Signal("quic.version", _name(version, payload[1:5]))])
