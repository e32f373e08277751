"""Link headers, tags, labels and ARP: everything before the network header. Each leaf answers MORE or a verdict."""

import numpy as np

from agent.jit import leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.cursor import (
    AT,
    EMPTY,
    END,
    ETHERNET_INSIDE,
    F_BROADCAST,
    F_MULTICAST,
    F_NO_MAC,
    F_TUNNELLED,
    LINK,
    MALFORMED,
    MORE,
    NEXT,
    TAGS,
    TOO_DEEP,
    TRUNCATED,
    UNSUPPORTED,
    WIRE_END,
    Cursor,
    have,
    u16,
    u32,
    u48,
)
from agent.packets.records import MPLS_LABELS_MAX, VLAN_TAGS_MAX
from agent.tap.records import Octets

BROADCAST_MAC = 0xFFFFFFFFFFFF
MAPPED = np.uint64(L.MAPPED_IPV4)


@leaf
def _link_cooked(octets: Octets, cursor: Cursor, row: np.void, link: int) -> int:
    """Linux cooked captures (LINKTYPE_LINUX_SLL, _SLL2): the sender's address is there, the receiver's is not."""
    size, kind, length, address = (16, 14, 4, 6) if link == L.LINK_SLL else (20, 0, 11, 12)
    if cursor[END] - cursor[AT] < size:
        return EMPTY
    at = cursor[AT]
    addr_len = u16(octets, at + length) if link == L.LINK_SLL else np.int64(octets[at + length])
    if addr_len == 6:
        row["src_mac"] = u48(octets, at + address)
    else:
        row["flags"] |= F_NO_MAC
    packet_type = u16(octets, at) if link == L.LINK_SLL else np.int64(octets[at + 10])
    if packet_type == 1:
        row["flags"] |= F_BROADCAST
    elif packet_type == 2:
        row["flags"] |= F_MULTICAST
    cursor[NEXT] = u16(octets, at + kind)
    cursor[AT] = at + size
    return MORE


@leaf
def _link_nflog(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """LINKTYPE_NFLOG: type-length-values, little-endian as every writer in use makes them; type 9 is the packet."""
    row["flags"] |= F_NO_MAC
    if cursor[END] - cursor[AT] < 8:
        return EMPTY
    at = cursor[AT] + 4
    while at + 4 <= cursor[END]:
        size = np.int64(octets[at]) | (np.int64(octets[at + 1]) << 8)
        if size < 4:
            return MALFORMED
        if octets[at + 2] == 9 and octets[at + 3] == 0:
            cursor[NEXT] = L.IPV4 if octets[cursor[AT]] == 2 else L.IPV6
            cursor[WIRE_END] = min(cursor[WIRE_END], at + size)
            cursor[END] = min(cursor[END], at + size)
            cursor[AT] = at + 4
            return MORE
        at += (size + 3) & ~3
    return TRUNCATED


@leaf
def _link_bare(octets: Octets, cursor: Cursor, row: np.void, link: int) -> int:
    """Link types without addresses: raw IP by its version, NULL and LOOP by their family word."""
    row["flags"] |= F_NO_MAC
    at = cursor[AT]
    if link == L.LINK_NULL or link == L.LINK_LOOP:
        if cursor[END] - at < 4:
            return EMPTY
        # NULL is in the writer's byte order, so the family is in the first or in the last octet.
        family = np.int64(octets[at + 3]) if octets[at] == 0 else np.int64(octets[at])
        cursor[AT] = at + 4
        cursor[NEXT] = L.IPV4 if family == 2 else L.IPV6
        known = family == 2 or family == 10 or family == 24 or family == 28 or family == 30
        return MORE if known else LINK
    if cursor[END] - at < 1:
        return EMPTY
    cursor[NEXT] = L.IPV6 if octets[at] >> 4 == 6 else L.IPV4
    return MORE


@leaf
def read_link(octets: Octets, cursor: Cursor, row: np.void, link: int) -> int:
    """The link header of the frame."""
    if link == L.LINK_ETHERNET:
        at = cursor[AT]
        if cursor[END] - at < 14:
            return EMPTY
        destination = u48(octets, at)
        row["dst_mac"], row["src_mac"] = destination, u48(octets, at + 6)
        if destination == BROADCAST_MAC:
            row["flags"] |= F_BROADCAST
        elif octets[at] & 1:
            row["flags"] |= F_MULTICAST
        cursor[NEXT] = u16(octets, at + 12)
        cursor[AT] = at + 14
        return MORE
    if link == L.LINK_SLL or link == L.LINK_SLL2:
        return _link_cooked(octets, cursor, row, link)
    if link == L.LINK_NFLOG:
        return _link_nflog(octets, cursor, row)
    raw = link == L.LINK_RAW or link == L.LINK_RAW_BSD or link == L.LINK_RAW_OPENBSD
    if raw or link == L.LINK_NULL or link == L.LINK_LOOP or link == L.LINK_IPV4 or link == L.LINK_IPV6:
        return _link_bare(octets, cursor, row, link)
    return UNSUPPORTED


@leaf
def read_vlan(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """IEEE 802.1Q and 802.1ad tags; ids inside a tunnel are another network's and are not kept."""
    if cursor[TAGS] >= VLAN_TAGS_MAX:
        return TOO_DEEP
    short = have(cursor, 4)
    if short:
        return short
    number = u16(octets, cursor[AT]) & 0xFFF
    if not row["flags"] & F_TUNNELLED:
        if cursor[TAGS] == 0:
            row["vlan"] = number
        elif cursor[TAGS] == 1:
            row["vlan_inner"] = number
    cursor[TAGS] += 1
    cursor[NEXT] = u16(octets, cursor[AT] + 2)
    cursor[AT] += 4
    return MORE


@leaf
def read_mpls(octets: Octets, cursor: Cursor) -> int:
    """RFC 3032 label stack; what is below is told by its first nibble (RFC 4928)."""
    for _ in range(MPLS_LABELS_MAX):
        short = have(cursor, 4)
        if short:
            return short
        bottom = octets[cursor[AT] + 2] & 1
        cursor[AT] += 4
        if bottom:
            break
    else:
        return TOO_DEEP
    if cursor[END] <= cursor[AT]:
        return have(cursor, 1)
    nibble = octets[cursor[AT]] >> 4
    if nibble == 4 or nibble == 6:
        cursor[NEXT] = L.IPV4 if nibble == 4 else L.IPV6
        return MORE
    if nibble == 0 and cursor[END] - cursor[AT] >= 4 + 14:  # RFC 4385 control word: an Ethernet pseudowire
        cursor[AT] += 4
        cursor[NEXT] = ETHERNET_INSIDE
        return MORE
    return LINK


@leaf
def read_pppoe(octets: Octets, cursor: Cursor) -> int:
    """RFC 2516 session: six octets, then a two-octet PPP protocol."""
    short = have(cursor, 8)
    if short:
        return short
    size = u16(octets, cursor[AT] + 4)
    protocol = u16(octets, cursor[AT] + 6)
    cursor[WIRE_END] = min(cursor[WIRE_END], cursor[AT] + 6 + max(size, 2))
    cursor[END] = min(cursor[END], cursor[WIRE_END])
    cursor[AT] += 8
    if protocol != L.PPP_IPV4 and protocol != L.PPP_IPV6:
        return LINK
    cursor[NEXT] = L.IPV4 if protocol == L.PPP_IPV4 else L.IPV6
    return MORE


@leaf
def read_llc(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """IEEE 802.3 length: LLC, and SNAP where it carries an EtherType."""
    row["ethertype"] = cursor[NEXT]
    at = cursor[AT]
    if cursor[END] - at < 8 or octets[at] != 0xAA or octets[at + 1] != 0xAA or octets[at + 2] != 3:
        return LINK
    oui = (u16(octets, at + 3) << 8) | np.int64(octets[at + 5])
    if oui != 0 and oui != 0xF8:
        return LINK
    cursor[NEXT] = u16(octets, at + 6)
    cursor[AT] = at + 8
    return MORE if cursor[NEXT] >= L.ETHERTYPE_MIN else LINK


@leaf
def read_arp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 826 over Ethernet and IPv4; other kinds are link frames without addresses."""
    at = cursor[AT]
    short = have(cursor, 28)
    if short:
        return short
    if u16(octets, at) != 1 or u16(octets, at + 2) != L.IPV4 or octets[at + 4] != 6 or octets[at + 5] != 4:
        return LINK
    row["dst_port"] = u16(octets, at + 6)
    row["src_lo"] = MAPPED | np.uint64(u32(octets, at + 14))
    row["dst_lo"] = MAPPED | np.uint64(u32(octets, at + 24))
    return LINK
