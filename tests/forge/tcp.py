"""TCP (RFC 9293) with options."""

import struct
from dataclasses import dataclass

from tests.forge.ipv4 import TCP
from tests.forge.octets import transport_checksum

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128


@dataclass(frozen=True, slots=True)
class Tcp:
    """The fields of the header. `data_offset` (in 32-bit words) and `check` lie when a test sets them."""

    src_port: int
    dst_port: int
    seq: int = 0
    ack: int = 0
    flags: int = ACK
    window: int = 64240
    options: bytes = b""
    urgent: int = 0
    data_offset: int | None = None
    check: int | None = None

    def octets(self, src: str, dst: str, payload: bytes = b"") -> bytes:
        """Header and payload with the checksum over the pseudo header of (src, dst)."""
        tail = self.options + b"\0" * (-len(self.options) % 4)
        words = 5 + len(tail) // 4 if self.data_offset is None else self.data_offset
        head = struct.pack(
            ">HHIIBBH",
            self.src_port,
            self.dst_port,
            self.seq & 0xFFFFFFFF,
            self.ack & 0xFFFFFFFF,
            words << 4,
            self.flags,
            self.window,
        )
        rest = struct.pack(">H", self.urgent) + tail + payload
        check = transport_checksum(src, dst, TCP, head + b"\0\0" + rest) if self.check is None else self.check
        return head + struct.pack(">H", check) + rest


def mss(size: int) -> bytes:
    """Maximum segment size."""
    return struct.pack(">BBH", 2, 4, size)


def window_scale(shift: int) -> bytes:
    """Window scale with a NOP before it (RFC 7323)."""
    return bytes([1, 3, 3, shift])


def timestamps(value: int, echo: int) -> bytes:
    """Timestamps with two NOPs before them (RFC 7323)."""
    return struct.pack(">BBBBII", 1, 1, 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


SACK_PERMITTED = b"\x01\x01\x04\x02"
