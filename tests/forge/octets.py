"""Addresses as octets, and the Internet checksum (RFC 1071)."""

import ipaddress
import struct

BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac(text: str) -> bytes:
    """Six octets of `00:d0:75:18:42:9b`."""
    return bytes.fromhex(text.replace(":", "").replace("-", ""))


def ip(text: str) -> bytes:
    """4 or 16 octets of an address in text."""
    return ipaddress.ip_address(text).packed


def checksum(data: bytes) -> int:
    """RFC 1071: the ones' complement of the ones' complement sum of 16-bit words; an odd octet is padded with zero."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(src: str, dst: str, protocol: int, length: int) -> bytes:
    """The pseudo header of RFC 793 (IPv4) or RFC 8200 section 8.1 (IPv6) that TCP, UDP and ICMPv6 checksums cover."""
    a, b = ip(src), ip(dst)
    if len(a) == 4:
        return a + b + struct.pack(">BBH", 0, protocol, length)
    return a + b + struct.pack(">II", length, protocol)


def transport_checksum(src: str, dst: str, protocol: int, segment: bytes) -> int:
    """The checksum of a segment whose own checksum field is zero."""
    return checksum(pseudo(src, dst, protocol, len(segment)) + segment)


def group_mac(address: str) -> str:
    """The Ethernet group address of an IP multicast address (RFC 1112 section 6.4, RFC 2464 section 7)."""
    raw = ip(address)
    group = b"\x01\x00\x5e" + bytes([raw[1] & 0x7F]) + raw[2:] if len(raw) == 4 else b"\x33\x33" + raw[12:]
    return group.hex(":")
