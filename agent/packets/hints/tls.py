"""TLS hellos (RFC 8446 section 4.1): name, protocols, version; JA3 and JA4 of a client, the version a server chose.

JA3 and JA4 are computed of whole hellos only: of a cut one they would name no client. Reserved numbers (GREASE, RFC
8701) count nowhere. Of the JA4 family only the TLS client's method is free of terms (BSD 3-clause): no other is here.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16, within

_HANDSHAKE, _CLIENT_HELLO, _SERVER_HELLO = 22, 1, 2
_RANDOM_END = 9 + 2 + 32  # record and handshake headers, version, random
_EXTENSIONS_MAX = 128  # in eight kilobytes two thousand empty ones would fit; no client sends thirty
_NUMBERS_MAX = 2048  # of one list: what four kilobytes hold, more than any client has
_PROTOCOLS_MAX = 4
_SERVER_NAME, _GROUPS, _POINT_FORMATS, _SIGNATURES, _ALPN, _SUPPORTED_VERSIONS = 0, 10, 11, 13, 16, 43
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_PROTOCOL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-./_")
_VERSIONS = {0x0300: "ssl3", 0x0301: "1.0", 0x0302: "1.1", 0x0303: "1.2", 0x0304: "1.3"}
_JA4_VERSIONS = {0x0002: "s2", 0x0300: "s3", 0x0301: "10", 0x0302: "11", 0x0303: "12", 0x0304: "13"}
_ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Hello(NamedTuple):
    """A hello as far as it could be read; `whole` says that nothing of it is missing."""

    version: int  # of the hello itself, as old as 1.2 for every newer one
    suites: list[int]
    extensions: list[tuple[int, bytes]]
    whole: bool

    def extension(self, kind: int) -> bytes:
        """The first extension of that number, or nothing."""
        return next((value for number, value in self.extensions if number == kind), b"")


def is_reserved(number: int) -> bool:
    """Whether a number is one of the sixteen that only test tolerance (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _numbers(octets: bytes) -> list[int]:
    """A list of 16-bit numbers without the reserved ones."""
    found = (u16(octets, at) for at in range(0, min(len(octets) - 1, 2 * _NUMBERS_MAX), 2))
    return [number for number in found if not is_reserved(number)]


def _extensions(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each extension; a cut one ends the walk."""
    at = 0
    for _ in range(_EXTENSIONS_MAX):
        end = at + 4 + u16(octets, at + 2)
        if at + 4 > len(octets) or end > len(octets):
            return
        yield u16(octets, at), octets[at + 4 : end]
        at = end


def _hello(record: bytes, *, client: bool) -> Hello | None:
    """The hello of a record, or None."""
    kind = _CLIENT_HELLO if client else _SERVER_HELLO
    if len(record) < _RANDOM_END + 1 or record[0] != _HANDSHAKE or record[1] != 3 or record[5] != kind:
        return None
    size = int.from_bytes(record[6:9], "big")
    whole = 9 + size <= min(len(record), 5 + u16(record, 3))
    body = record[: 9 + size]
    at = _RANDOM_END + 1 + body[_RANDOM_END] if len(body) > _RANDOM_END else len(body)
    if client:
        suites = body[at + 2 : at + 2 + u16(body, at)]
        at += 2 + u16(body, at)
        at += 1 + (body[at] if at < len(body) else 0)
    else:
        suites = body[at : at + 2]
        at += 3
    end = at + 2 + u16(body, at)
    extensions = list(_extensions(body[at + 2 : end]))
    walked = sum(4 + len(value) for _, value in extensions)
    fits = at + 2 + walked == end == len(body) or (at == len(body) and not extensions)
    return Hello(u16(body, 9), _numbers(suites), extensions, whole and fits)


def _server_name(value: bytes) -> str:
    """The first host_name of the list (RFC 6066 section 3)."""
    size = u16(value, 3)
    whole = value[2:3] == b"\0" and len(value) >= 5 + size
    return within(value[5 : 5 + size].decode("latin-1").lower(), _NAME) if whole else ""


def _protocols(value: bytes) -> list[bytes]:
    """Names of an ALPN list (RFC 7301), the first ones, whole ones only."""
    names, at = [], 2
    for _ in range(_PROTOCOLS_MAX):
        size = value[at] if at < len(value) else 0
        if not size or at + 1 + size > len(value):
            break
        names.append(value[at + 1 : at + 1 + size])
        at += 1 + size
    return names


def _version(hello: Hello) -> int:
    """The highest version offered; unknown numbers do not count."""
    offered = _numbers(hello.extension(_SUPPORTED_VERSIONS)[1:])
    return max([hello.version, *(number for number in offered if number in _VERSIONS)])


def ja3(hello: Hello) -> str:
    """MD5 of `version,suites,extensions,groups,point formats` in decimal numbers (salesforce/ja3)."""
    lists = (
        hello.suites,
        [number for number, _ in hello.extensions if not is_reserved(number)],
        _numbers(hello.extension(_GROUPS)[2:]),
        list(hello.extension(_POINT_FORMATS)[1:]),
    )
    text = ",".join([str(hello.version), *("-".join(map(str, numbers)) for numbers in lists)])
    return hashlib.md5(text.encode("ascii"), usedforsecurity=False).hexdigest()


def _short(text: str) -> str:
    """Twelve characters of SHA-256, zeros for nothing, as JA4 has it."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:12] if text else "0" * 12


def _hexadecimal(numbers: list[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _ends(protocol: bytes) -> str:
    """First and last character of the first protocol; of its hexadecimal form when one is no letter or digit."""
    if not protocol:
        return "00"
    if protocol[0] in _ALNUM and protocol[-1] in _ALNUM:
        return chr(protocol[0]) + chr(protocol[-1])
    return protocol.hex()[0] + protocol.hex()[-1]


def ja4(hello: Hello) -> str:
    """JA4 of a TLS client over TCP: what can be counted, then hashes of the sorted suites and of the extensions."""
    kinds = [number for number, _ in hello.extensions if not is_reserved(number)]
    highest = max(_numbers(hello.extension(_SUPPORTED_VERSIONS)[1:]), default=hello.version)
    counts = f"{min(len(hello.suites), 99):02d}{min(len(kinds), 99):02d}"
    named = "d" if _SERVER_NAME in kinds else "i"
    protocol = _ends(next(iter(_protocols(hello.extension(_ALPN))), b""))
    said = _hexadecimal(sorted(number for number in kinds if number not in {_SERVER_NAME, _ALPN}))
    signatures = _hexadecimal(_numbers(hello.extension(_SIGNATURES)[2:]))
    said += f"_{signatures}" if signatures else ""
    suites = _short(_hexadecimal(sorted(hello.suites)))
    return f"t{_JA4_VERSIONS.get(highest, '00')}{named}{counts}{protocol}_{suites}_{_short(said if kinds else '')}"


def read(payload: bytes) -> list[Signal]:
    """Signals of a ClientHello; one that is cut gives what was before the cut."""
    hello = _hello(payload[:PAYLOAD_MAX_OCTETS], client=True)
    if hello is None:
        return []
    protocols = [within(name.decode("latin-1"), _PROTOCOL, 16) for name in _protocols(hello.extension(_ALPN))]
    return bounded(
        [
            Signal("tls.sni", _server_name(hello.extension(_SERVER_NAME))),
            Signal("tls.version", _VERSIONS.get(_version(hello), "")),
            *(Signal("tls.alpn", name) for name in protocols),
            Signal("tls.ja3", ja3(hello) if hello.whole else ""),
            Signal("tls.ja4", printable(ja4(hello).encode()) if hello.whole else ""),
        ]
    )


def read_server(payload: bytes) -> list[Signal]:
    """The version that a ServerHello chose (RFC 8446 section 4.2.1: of 1.3 it stands in an extension)."""
    hello = _hello(payload[:PAYLOAD_MAX_OCTETS], client=False)
    if hello is None:
        return []
    chosen = u16(hello.extension(_SUPPORTED_VERSIONS), 0) or hello.version
    return bounded([Signal("tls.chosen", _VERSIONS.get(chosen, ""))])
