"""IPv6 (RFC 8200) with its extension headers, fragments and the authentication header (RFC 4302)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.forge.octets import ip

HOP_BY_HOP, ROUTING, FRAGMENT, AH, ICMPV6, NO_NEXT, DESTINATION = 0, 43, 44, 51, 58, 59, 60


@dataclass(frozen=True, slots=True)
class Ipv6:
    """The fields of the fixed header. `length` lies when a test sets it."""

    src: str
    dst: str
    next_header: int
    hop_limit: int = 64
    flow_label: int = 0
    traffic_class: int = 0
    length: int | None = None

    def octets(self, payload: bytes = b"") -> bytes:
        """Header and payload."""
        first = 6 << 28 | self.traffic_class << 20 | self.flow_label
        length = len(payload) if self.length is None else self.length
        return (
            struct.pack(">IHBB", first, length, self.next_header, self.hop_limit)
            + ip(self.src)
            + ip(self.dst)
            + payload
        )


def options(next_header: int, payload: bytes, *, size: int = 8) -> bytes:
    """A hop-by-hop or destination options header of `size` octets (a multiple of eight) filled with PadN."""
    pad = bytes([1, size - 4]) + b"\0" * (size - 4)
    return bytes([next_header, size // 8 - 1]) + pad + payload


def routing(next_header: int, payload: bytes, addresses: Sequence[str] = (), *, kind: int = 0) -> bytes:
    """A routing header (type 0 is the deprecated source route, RFC 5095)."""
    body = struct.pack(">BBBBI", next_header, 2 * len(addresses), kind, len(addresses), 0)
    return body + b"".join(ip(a) for a in addresses) + payload


def fragment(next_header: int, payload: bytes, *, offset: int, more: bool, ident: int = 1) -> bytes:
    """A fragment header; `offset` in octets, a multiple of eight."""
    return struct.pack(">BBHI", next_header, 0, offset | int(more), ident) + payload


def fragments(next_header: int, payload: bytes, size: int, *, ident: int = 1) -> Iterator[bytes]:
    """The pieces of a payload, each behind its own fragment header."""
    for start in range(0, len(payload), size):
        more = start + size < len(payload)
        yield fragment(next_header, payload[start : start + size], offset=start, more=more, ident=ident)


def authentication(next_header: int, payload: bytes, *, icv: bytes = b"\0" * 12) -> bytes:
    """An authentication header; its length field counts 32-bit words minus two."""
    size = (12 + len(icv)) // 4 - 2
    return struct.pack(">BBHII", next_header, size, 0, 1, 1) + icv + payload
