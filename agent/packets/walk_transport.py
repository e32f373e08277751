"""Transports and the tunnels that ride on them. Each leaf answers MORE (into a tunnel) or a verdict."""

import numpy as np

from agent.jit import leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.cursor import (
    AT,
    END,
    ETHERNET_INSIDE,
    F_FIRST,
    F_FRAGMENT,
    F_PORTS,
    F_TUNNELLED,
    H_LIE,
    H_TINY,
    H_TUNNEL,
    KEPT,
    METERED,
    MORE,
    NEXT,
    TAGS,
    TOO_DEEP,
    WIRE_END,
    Cursor,
    u16,
    u32,
    u48,
)
from agent.packets.records import TUNNEL_DEPTH_MAX, Rows
from agent.tap.records import Octets

MAPPED = np.uint64(L.MAPPED_IPV4)
U64 = np.uint64
PLAIN_HEADERS = 54  # Ethernet, IPv4 without options, TCP


@leaf
def _note(row: np.void, kind: int) -> None:
    """A shape of a header that only an attack has, or something broken."""
    if row["hint"] == 0:
        row["hint"] = kind


@leaf
def _tcp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 9293. What the capture cut or a lying data offset hides stays zero; the packet is metered all the same."""
    at, captured = cursor[AT], cursor[END] - cursor[AT]
    cursor[AT] = at + 20  # where the payload begins at the earliest, if the offset cannot be read
    if cursor[WIRE_END] - at < 20:
        _note(row, H_TINY if row["flags"] & F_FIRST else H_LIE)
    if captured < 4:
        return METERED
    row["src_port"], row["dst_port"] = u16(octets, at), u16(octets, at + 2)
    row["flags"] |= F_PORTS
    if captured < 20:
        if captured >= 14:
            row["tcp_flags"] = octets[at + 13]
        return METERED
    row["tcp_seq"], row["tcp_ack"] = u32(octets, at + 4), u32(octets, at + 8)
    row["tcp_flags"], row["tcp_window"] = octets[at + 13], u16(octets, at + 14)
    row["l4_checksum"] = u16(octets, at + 16)
    header = np.int64(octets[at + 12] >> 4) * 4
    if header < 20 or header > cursor[WIRE_END] - at:
        _note(row, H_TINY if row["flags"] & F_FIRST and header >= 20 else H_LIE)
        cursor[WIRE_END] = at  # a lying offset: no payload can be told
        cursor[END] = at
        return METERED
    cursor[AT] = at + header
    return METERED


@leaf
def _enter(row: np.void, cursor: Cursor, scratch: Rows, at: int, following: int) -> int:
    """Go into a tunnel, unless it is the one too many; nothing of the outer packet stays (inside may be ARP).

    The outer packet is kept: if what is inside turns out to be no IP packet, the outer one is metered. Otherwise
    garbage on a tunnel's port would be a way past the meter.
    """
    if row["tunnels"] >= TUNNEL_DEPTH_MAX:
        return TOO_DEEP
    row["payload"] = min(cursor[AT], cursor[END])
    row["payload_caplen"] = max(cursor[END] - cursor[AT], 0)
    row["payload_octets"] = max(cursor[WIRE_END] - cursor[AT], 0)
    scratch[KEPT] = row
    row["tunnels"] += 1
    row["flags"] = (row["flags"] | F_TUNNELLED) & (255 ^ (F_PORTS | F_FRAGMENT | F_FIRST))
    row["src_hi"], row["src_lo"], row["dst_hi"], row["dst_lo"] = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    row["src_port"], row["dst_port"], row["ip_id"], row["l4_checksum"] = 0, 0, 0, 0
    row["l3_octets"], row["protocol"], row["ip_version"], row["ttl"] = 0, 0, 0, 0
    cursor[AT] = at
    cursor[NEXT] = following
    cursor[TAGS] = 0
    return MORE


@leaf
def _teredo(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """RFC 4380 section 5.1.1: authentication and origin indications, then IPv6."""
    at = cursor[AT]
    if cursor[END] - at >= 13 and octets[at] == 0 and octets[at + 1] == 1:
        at += 13 + np.int64(octets[at + 2]) + np.int64(octets[at + 3])
    if cursor[END] - at >= 8 and octets[at] == 0 and octets[at + 1] == 0:
        at += 8
    if cursor[END] - at < 40 or octets[at] >> 4 != 6:
        return METERED
    return _enter(row, cursor, scratch, at, L.IPV6)


@leaf
def _capwap(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """RFC 5415 section 4: clear data is 802.3, or 802.11 with LLC/SNAP; under DTLS the tunnel itself is metered."""
    at = cursor[AT]
    if cursor[END] - at < 8:
        return METERED
    inner = at + np.int64(octets[at + 1] >> 3) * 4
    if octets[at] != 0 or inner < at + 8 or octets[at + 3] & 0x88:  # another version, a fragment, or a keep-alive
        return METERED
    if not octets[at + 2] & 1:
        return _enter(row, cursor, scratch, inner, ETHERNET_INSIDE) if cursor[END] - inner >= 14 else METERED
    if cursor[END] - inner < 34 or (octets[inner] >> 2) & 3 != 2:
        return METERED
    size = 24 + (2 if octets[inner] & 0x80 else 0) + (6 if octets[inner + 1] & 3 == 3 else 0)
    if cursor[END] - inner < size + 8 or octets[inner + size] != 0xAA:
        return METERED
    return _enter(row, cursor, scratch, inner + size + 8, u16(octets, inner + size + 6))


@leaf
def _udp_tunnel(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """A datagram on a tunnel's port whose content fits the tunnel is walked into; any other is a plain datagram."""
    at, captured = cursor[AT], cursor[END] - cursor[AT]
    port = row["dst_port"]
    if port == L.VXLAN_PORT and captured >= 22 and octets[at] & 0x08:  # RFC 7348: other bits are ignored
        return _enter(row, cursor, scratch, at + 8, ETHERNET_INSIDE)
    if port == L.GENEVE_PORT and captured >= 8 and octets[at] >> 6 == 0:
        inner = at + 8 + np.int64(octets[at] & 0x3F) * 4
        kind = u16(octets, at + 2)
        if inner < cursor[END] and kind == L.TRANSPARENT_ETHERNET:
            return _enter(row, cursor, scratch, inner, ETHERNET_INSIDE)
        if inner < cursor[END] and (kind == L.IPV4 or kind == L.IPV6):
            return _enter(row, cursor, scratch, inner, kind)
    if port == L.TEREDO_PORT or row["src_port"] == L.TEREDO_PORT:
        return _teredo(octets, cursor, row, scratch)
    if port == L.CAPWAP_DATA_PORT or row["src_port"] == L.CAPWAP_DATA_PORT:
        return _capwap(octets, cursor, row, scratch)
    return METERED


@leaf
def _udp(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """RFC 768. A length below 8 or beyond the IP packet is a lie: no payload can be told."""
    at, captured = cursor[AT], cursor[END] - cursor[AT]
    cursor[AT] = at + 8
    if captured < 4:
        return METERED
    row["src_port"], row["dst_port"] = u16(octets, at), u16(octets, at + 2)
    row["flags"] |= F_PORTS
    if captured < 8:
        return METERED
    row["l4_checksum"] = u16(octets, at + 6)
    size = u16(octets, at + 4)
    first = row["flags"] & F_FIRST  # a first fragment's length speaks of the whole datagram
    if not first and size != 0 and (size < 8 or size > cursor[WIRE_END] - at):
        _note(row, H_LIE)
        cursor[WIRE_END] = at + 8
        cursor[END] = at + 8
        return METERED
    if not first and size != 0:
        cursor[WIRE_END] = at + size
        cursor[END] = min(cursor[END], cursor[WIRE_END])
    return METERED if first else _udp_tunnel(octets, cursor, row, scratch)


@leaf
def _gre(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """RFC 2784 and 2890; routing and other versions are metered as GRE itself."""
    at = cursor[AT]
    if cursor[END] - at < 4:
        return METERED
    flags, kind = u16(octets, at), u16(octets, at + 2)
    if flags & 0x4007:
        return METERED
    inner = at + 4
    for bit in (0x8000, 0x2000, 0x1000):  # checksum, key, sequence number: four octets each
        if flags & bit:
            inner += 4
    if inner >= cursor[END]:
        return METERED
    if kind == L.TRANSPARENT_ETHERNET:
        return _enter(row, cursor, scratch, inner, ETHERNET_INSIDE)
    if kind == L.IPV4 or kind == L.IPV6:
        return _enter(row, cursor, scratch, inner, kind)
    return METERED


@leaf
def _icmp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 792 and 4443: type and code in the place of the originator's port."""
    at, captured = cursor[AT], cursor[END] - cursor[AT]
    if captured >= 2:
        row["src_port"] = u16(octets, at)
        row["flags"] |= F_PORTS
    if captured >= 4:
        row["l4_checksum"] = u16(octets, at + 2)
    cursor[AT] = at + 8
    return METERED


@leaf
def _sctp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 9260 section 3.1: ports, verification tag, CRC32c, of which the lower half tells copies apart well enough."""
    at, captured = cursor[AT], cursor[END] - cursor[AT]
    if captured >= 4:
        row["src_port"], row["dst_port"] = u16(octets, at), u16(octets, at + 2)
        row["flags"] |= F_PORTS
    if captured >= 12:
        row["l4_checksum"] = u16(octets, at + 10)
    cursor[AT] = at + 12
    return METERED


@leaf
def read_transport(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows, protocol: int) -> int:
    """The transport header, or the way into a tunnel."""
    if protocol == L.TCP:
        return _tcp(octets, cursor, row)
    if protocol == L.UDP:
        return _udp(octets, cursor, row, scratch)
    if protocol == L.ICMP or protocol == L.ICMPV6:
        return _icmp(octets, cursor, row)
    if protocol == L.SCTP:
        return _sctp(octets, cursor, row)
    if row["flags"] & F_FRAGMENT:
        if protocol == L.IPIP:
            _note(row, H_TUNNEL)
        return METERED  # half a tunnelled packet is not walked into
    if protocol == L.IPIP:
        return _enter(row, cursor, scratch, cursor[AT], L.IPV4)
    if protocol == L.IPV6_IN_IP:
        return _enter(row, cursor, scratch, cursor[AT], L.IPV6)
    if protocol == L.GRE:
        return _gre(octets, cursor, row, scratch)
    return METERED


@leaf
def read_plain(octets: Octets, cursor: Cursor, row: np.void) -> bool:
    """The frame that most frames are - untagged Ethernet, IPv4 without options or fragments, TCP - in one go.

    False, with nothing written, when it is any other: the walk then takes it header by header, to the same row.
    """
    at, wire = cursor[AT], cursor[WIRE_END] - cursor[AT]
    if cursor[END] - at < PLAIN_HEADERS or u32(octets, at + 12) >> 8 != 0x080045 or octets[U64(at + 23)] != L.TCP:
        return False
    total, header = u16(octets, at + 16), np.int64(octets[U64(at + 46)] >> 4) * 4
    if u16(octets, at + 20) & 0x3FFF or total < 20 + header or total > wire - 14 or header < 20:
        return False
    destination = u48(octets, at)
    if destination >> 40 & 1:
        return False
    row["dst_mac"], row["src_mac"], row["ethertype"] = destination, u48(octets, at + 6), L.IPV4
    row["ip_version"], row["l3_octets"], row["ip_id"] = 4, total, u16(octets, at + 18)
    row["ttl"], row["protocol"] = octets[U64(at + 22)], L.TCP
    row["src_lo"], row["dst_lo"] = MAPPED | U64(u32(octets, at + 26)), MAPPED | U64(u32(octets, at + 30))
    row["src_port"], row["dst_port"] = u16(octets, at + 34), u16(octets, at + 36)
    row["tcp_seq"], row["tcp_ack"] = u32(octets, at + 38), u32(octets, at + 42)
    row["tcp_flags"], row["tcp_window"] = octets[U64(at + 47)], u16(octets, at + 48)
    row["l4_checksum"] = u16(octets, at + 50)
    row["flags"] |= F_PORTS
    cursor[END] = min(cursor[END], at + 14 + total)
    row["payload"] = min(at + 34 + header, cursor[END])
    row["payload_caplen"] = max(cursor[END] - at - 34 - header, 0)
    row["payload_octets"] = total - 20 - header
    return True
