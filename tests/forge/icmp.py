"""ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861)."""

import struct

from tests.forge.ipv6 import ICMPV6
from tests.forge.octets import checksum, ip, mac, transport_checksum

ECHO_REPLY, UNREACHABLE, ECHO = 0, 3, 8
ECHO6, ECHO6_REPLY, ROUTER_ADVERTISEMENT, NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 128, 129, 134, 135, 136


def icmp(kind: int, code: int, body: bytes) -> bytes:
    """An ICMP message; `body` starts with the four octets whose meaning depends on the type."""
    return struct.pack(">BBH", kind, code, checksum(struct.pack(">BBH", kind, code, 0) + body)) + body


def echo(ident: int, sequence: int, data: bytes = b"", *, answer: bool = False) -> bytes:
    """An echo request, or its reply."""
    return icmp(ECHO_REPLY if answer else ECHO, 0, struct.pack(">HH", ident, sequence) + data)


def unreachable(code: int, packet: bytes) -> bytes:
    """Destination unreachable that quotes the header and 64 bits of `packet`."""
    return icmp(UNREACHABLE, code, b"\0" * 4 + packet[:28])


def icmpv6(src: str, dst: str, kind: int, code: int, body: bytes) -> bytes:
    """An ICMPv6 message; its checksum covers the pseudo header."""
    head = struct.pack(">BBH", kind, code, 0)
    return struct.pack(">BBH", kind, code, transport_checksum(src, dst, ICMPV6, head + body)) + body


def solicitation(src: str, dst: str, target: str, source_mac: str) -> bytes:
    """Who has `target`, with the source's link-layer address."""
    return icmpv6(src, dst, NEIGHBOUR_SOLICITATION, 0, b"\0" * 4 + ip(target) + b"\x01\x01" + mac(source_mac))


def advertisement(src: str, dst: str, target: str, target_mac: str, *, router: bool = False) -> bytes:
    """I have `target` (solicited, override), and may be a router."""
    flags = bytes([0xE0 if router else 0x60, 0, 0, 0])
    return icmpv6(src, dst, NEIGHBOUR_ADVERTISEMENT, 0, flags + ip(target) + b"\x02\x01" + mac(target_mac))


def router_advertisement(src: str, dst: str, source_mac: str, *, lifetime_s: int = 1800) -> bytes:
    """I am a router, for so long a default one (RFC 4861 section 4.2), with the sender's link-layer address."""
    head = struct.pack(">BBHII", 64, 0, lifetime_s, 0, 0)
    return icmpv6(src, dst, ROUTER_ADVERTISEMENT, 0, head + b"\x01\x01" + mac(source_mac))
