"""UDP (RFC 768)."""

import struct
from dataclasses import dataclass

from tests.forge.ipv4 import UDP
from tests.forge.octets import transport_checksum


@dataclass(frozen=True, slots=True)
class Udp:
    """The fields of the header. `length` and `check` lie when a test sets them."""

    src_port: int
    dst_port: int
    length: int | None = None
    check: int | None = None

    def octets(self, src: str, dst: str, payload: bytes = b"") -> bytes:
        """Header and payload; a computed checksum of zero is sent as 0xffff (RFC 768)."""
        length = 8 + len(payload) if self.length is None else self.length
        head = struct.pack(">HHH", self.src_port, self.dst_port, length)
        check = self.check
        if check is None:
            check = transport_checksum(src, dst, UDP, head + b"\0\0" + payload) or 0xFFFF
        return head + struct.pack(">H", check) + payload
