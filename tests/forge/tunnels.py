"""Packets inside packets: GRE (RFC 2784, 2890), VXLAN (7348), GENEVE (8926), Teredo (4380), CAPWAP (5415).

IP-in-IP needs no header of its own: `Ipv4(a, b, 4).octets(inner)` (RFC 2003), protocol 41 for IPv6 inside (RFC 4213).
"""

import struct

VXLAN_PORT, GENEVE_PORT, TEREDO_PORT, CAPWAP_PORT = 4789, 6081, 3544, 5247
TRANSPARENT_ETHERNET, ERSPAN = 0x6558, 0x88BE


def gre(
    protocol: int, payload: bytes, *, key: int | None = None, sequence: int | None = None, check: bool = False
) -> bytes:
    """A GRE header of version 0 with the optional fields asked for (the checksum is left zero)."""
    flags = (0x8000 if check else 0) | (0x2000 if key is not None else 0) | (0x1000 if sequence is not None else 0)
    head = struct.pack(">HH", flags, protocol) + (b"\0" * 4 if check else b"")
    for field in (key, sequence):
        if field is not None:
            head += struct.pack(">I", field)
    return head + payload


def vxlan(vni: int, frame: bytes) -> bytes:
    """Eight octets with the I flag before an Ethernet frame."""
    return struct.pack(">II", 0x08000000, vni << 8) + frame


def geneve(vni: int, protocol: int, payload: bytes, *, options: bytes = b"") -> bytes:
    """Version 0, options (a multiple of four octets), protocol (0x6558 for an Ethernet frame)."""
    return struct.pack(">BBHI", len(options) // 4, 0, protocol, vni << 8) + options + payload


def teredo(packet: bytes, *, origin: bool = False, authentication: bool = False) -> bytes:
    """An IPv6 packet behind an optional authentication (type 1) and origin (type 0) indication."""
    head = struct.pack(">BBBB", 0, 1, 0, 0) + b"\0" * 9 if authentication else b""
    head += struct.pack(">BBHI", 0, 0, 0xFFFF, 0xFFFFFFFF) if origin else b""
    return head + packet


def capwap(frame: bytes, *, words: int = 2, native: bool = False) -> bytes:
    """A clear CAPWAP data header (preamble 0) of `words` 32-bit words; the payload is 802.3 unless `native` (T bit)."""
    flags = words << 19 | 1 << 14 | 1 << 9 | (1 << 8 if native else 0)
    return struct.pack(">II", flags, 0) + b"\0" * (4 * words - 8) + frame


def capwap_dtls(record: bytes) -> bytes:
    """A CAPWAP DTLS header (preamble type 1) before a DTLS record: nothing inside can be seen."""
    return b"\x01\0\0\0" + record
