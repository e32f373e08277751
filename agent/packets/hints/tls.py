"""TLS ClientHello (RFC 8446 section 4.1.2): the server name asked for, and the highest version offered."""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, u16, within

_HANDSHAKE, _CLIENT_HELLO = 22, 1
_EXTENSIONS_MAX = 64
_SERVER_NAME, _SUPPORTED_VERSIONS = 0, 43
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_VERSIONS = {0x0300: "ssl3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}


def _extensions_at(hello: bytes) -> int:
    """Offset of the extensions' length, behind session id, cipher suites and compression methods."""
    at = 9 + 2 + 32  # record and handshake headers, version, random
    at += 1 + (hello[at] if at < len(hello) else 0)
    at += 2 + u16(hello, at)
    return at + 1 + (hello[at] if at < len(hello) else 0)


def _server_name(value: bytes) -> str:
    """The first host_name of the list (RFC 6066 section 3)."""
    size = u16(value, 3)
    whole = value[2:3] == b"\0" and len(value) >= 5 + size
    return within(value[5 : 5 + size].decode("latin-1").lower(), _NAME) if whole else ""


def _version(value: bytes, legacy: int) -> int:
    """The highest known version of the list; unknown numbers (GREASE, RFC 8701) do not count."""
    offered = [u16(value, at) for at in range(1, min(len(value), 64) - 1, 2)]
    return max([legacy, *(number for number in offered if number in _VERSIONS)])


def read(payload: bytes) -> list[Signal]:
    """Signals of a ClientHello; one that is cut gives what was before the cut."""
    hello = payload[:PAYLOAD_MAX_OCTETS]
    if len(hello) < 44 or hello[0] != _HANDSHAKE or hello[5] != _CLIENT_HELLO or hello[1] != 3:
        return []
    version, name = u16(hello, 9), ""
    at = _extensions_at(hello) + 2
    for _ in range(_EXTENSIONS_MAX):
        end = at + 4 + u16(hello, at + 2)
        if at + 4 > len(hello) or end > len(hello):
            break
        if u16(hello, at) == _SERVER_NAME:
            name = _server_name(hello[at + 4 : end])
        elif u16(hello, at) == _SUPPORTED_VERSIONS:
            version = _version(hello[at + 4 : end], version)
        at = end
    return bounded([Signal("tls.sni", name), Signal("tls.version", _VERSIONS.get(version, ""))])
