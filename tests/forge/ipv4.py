"""IPv4 (RFC 791): options, fragments, a right header checksum."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.forge.octets import checksum, ip

ICMP, IGMP, IPIP, TCP, UDP, IPV6_IN, GRE, ESP, AH, SCTP = 1, 2, 4, 6, 17, 41, 47, 50, 51, 132
DONT_FRAGMENT, MORE_FRAGMENTS = 2, 1


@dataclass(frozen=True, slots=True)
class Ipv4:
    """The fields of the header. `total` and `ihl` lie when a test sets them; None means what is true."""

    src: str
    dst: str
    protocol: int
    ttl: int = 64
    ident: int = 0
    flags: int = 0
    offset: int = 0  # of the fragment, in octets
    options: bytes = b""
    tos: int = 0
    total: int | None = None
    ihl: int | None = None
    version: int = 4

    def octets(self, payload: bytes = b"") -> bytes:
        """Header and payload; options are padded to a multiple of four."""
        options = self.options + b"\0" * (-len(self.options) % 4)
        ihl = 5 + len(options) // 4 if self.ihl is None else self.ihl
        total = 20 + len(options) + len(payload) if self.total is None else self.total
        head = struct.pack(
            ">BBHHH", self.version << 4 | ihl, self.tos, total, self.ident, self.flags << 13 | self.offset // 8
        )
        tail = ip(self.src) + ip(self.dst) + options
        middle = struct.pack(">BBH", self.ttl, self.protocol, 0)
        middle = struct.pack(">BBH", self.ttl, self.protocol, checksum(head + middle + tail))
        return head + middle + tail + payload

    def fragments(self, payload: bytes, size: int) -> Iterator[bytes]:
        """The datagram in pieces of `size` octets of payload, a multiple of eight."""
        for start in range(0, len(payload), size):
            more = MORE_FRAGMENTS if start + size < len(payload) else 0
            yield replace(self, flags=more, offset=start).octets(payload[start : start + size])
