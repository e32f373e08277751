"""Decode: FRAME rows and octets -> PACKET rows, one verdict per frame.

Before: `frames[:count]` point into `octets`. After: `rows[:count]` are filled, `verdicts` counts them. Total: any octets give a
row; a read happens only after `_have` said that the captured octets reach that far, and a new layer only after a new check.
Nothing is allocated. A frame is walked as a chain of steps, each reading one header and naming the next; the chain is as long
as LAYERS_MAX. Cost: one step per header, a plain TCP/IPv4 frame takes three.
"""

import numpy as np

from agent.jit import kernel, leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.records import (
    IPV6_EXTENSIONS_MAX,
    LAYERS_MAX,
    MPLS_LABELS_MAX,
    TUNNEL_DEPTH_MAX,
    VLAN_TAGS_MAX,
    PacketFlag,
    Rows,
    Verdict,
)
from agent.tap.records import Octets

Cursor = np.ndarray  # type: ignore[type-arg]

# Columns of the cursor.
AT = 0  # next octet to read
END = 1  # first octet that was not captured (or does not belong to the packet)
WIRE_END = 2  # where the packet ends on the wire
NEXT = 3  # what comes at AT: an EtherType, or TRANSPORT + protocol number, or ETHERNET_INSIDE
TAGS = 4  # VLAN tags seen
CURSOR_SIZE = 5

TRANSPORT = 0x10000
ETHERNET_INSIDE = 0x20000
MORE = -1  # a step's answer: go on with NEXT

METERED, LINK, EMPTY, TRUNCATED = int(Verdict.METERED), int(Verdict.LINK), int(Verdict.EMPTY), int(Verdict.TRUNCATED)
MALFORMED, UNSUPPORTED = int(Verdict.MALFORMED), int(Verdict.UNSUPPORTED)
TOO_DEEP, UNSEEN = int(Verdict.TOO_DEEP), int(Verdict.UNSEEN)
F_FRAGMENT, F_FIRST, F_CUT = int(PacketFlag.FRAGMENT), int(PacketFlag.FIRST_FRAGMENT), int(PacketFlag.CUT)
F_BROADCAST, F_MULTICAST = int(PacketFlag.BROADCAST), int(PacketFlag.MULTICAST)
F_TUNNELLED, F_PORTS, F_NO_MAC = int(PacketFlag.TUNNELLED), int(PacketFlag.PORTS), int(PacketFlag.NO_MAC)
BROADCAST_MAC = 0xFFFFFFFFFFFF
MAPPED = np.uint64(L.MAPPED_IPV4)


@leaf
def _u16(octets: Octets, at: int) -> int:
    return (np.int64(octets[at]) << 8) | np.int64(octets[at + 1])


@leaf
def _u32(octets: Octets, at: int) -> int:
    return (_u16(octets, at) << 16) | _u16(octets, at + 2)


@leaf
def _u48(octets: Octets, at: int) -> int:
    return (_u16(octets, at) << 32) | _u32(octets, at + 2)


@leaf
def _u64(octets: Octets, at: int) -> np.uint64:
    return (np.uint64(_u32(octets, at)) << np.uint64(32)) | np.uint64(_u32(octets, at + 4))


@leaf
def _have(cursor: Cursor, octets: int) -> int:
    """METERED (0) when that many octets can be read at AT; else whether the capture or the packet itself is too short."""
    if cursor[END] - cursor[AT] >= octets:
        return METERED
    return TRUNCATED if cursor[WIRE_END] - cursor[AT] >= octets else MALFORMED


@leaf
def _link_cooked(octets: Octets, cursor: Cursor, row: np.void, link: int) -> int:
    """Linux cooked captures (LINKTYPE_LINUX_SLL, _SLL2): the sender's address is there, the receiver's is not."""
    size, kind, length, address = (16, 14, 4, 6) if link == L.LINK_SLL else (20, 0, 11, 12)
    if cursor[END] - cursor[AT] < size:
        return EMPTY
    at = cursor[AT]
    addr_len = _u16(octets, at + length) if link == L.LINK_SLL else np.int64(octets[at + length])
    if addr_len == 6:
        row["src_mac"] = _u48(octets, at + address)
    else:
        row["flags"] |= F_NO_MAC
    packet_type = _u16(octets, at) if link == L.LINK_SLL else np.int64(octets[at + 10])
    if packet_type == 1:
        row["flags"] |= F_BROADCAST
    elif packet_type == 2:
        row["flags"] |= F_MULTICAST
    cursor[NEXT] = _u16(octets, at + kind)
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
def _link(octets: Octets, cursor: Cursor, row: np.void, link: int) -> int:
    """The link header of the frame."""
    if link == L.LINK_ETHERNET:
        at = cursor[AT]
        if cursor[END] - at < 14:
            return EMPTY
        destination = _u48(octets, at)
        row["dst_mac"], row["src_mac"] = destination, _u48(octets, at + 6)
        if destination == BROADCAST_MAC:
            row["flags"] |= F_BROADCAST
        elif octets[at] & 1:
            row["flags"] |= F_MULTICAST
        cursor[NEXT] = _u16(octets, at + 12)
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
def _vlan(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """IEEE 802.1Q and 802.1ad tags; ids inside a tunnel are another network's and are not kept."""
    if cursor[TAGS] >= VLAN_TAGS_MAX:
        return TOO_DEEP
    short = _have(cursor, 4)
    if short:
        return short
    number = _u16(octets, cursor[AT]) & 0xFFF
    if not row["flags"] & F_TUNNELLED:
        if cursor[TAGS] == 0 and row["vlan"] == 0:
            row["vlan"] = number
        elif row["vlan_inner"] == 0:
            row["vlan_inner"] = number
    cursor[TAGS] += 1
    cursor[NEXT] = _u16(octets, cursor[AT] + 2)
    cursor[AT] += 4
    return MORE


@leaf
def _mpls(octets: Octets, cursor: Cursor) -> int:
    """RFC 3032 label stack; what is below is told by its first nibble (RFC 4928)."""
    for _ in range(MPLS_LABELS_MAX):
        short = _have(cursor, 4)
        if short:
            return short
        bottom = octets[cursor[AT] + 2] & 1
        cursor[AT] += 4
        if bottom:
            break
    else:
        return TOO_DEEP
    if cursor[END] <= cursor[AT]:
        return _have(cursor, 1)
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
def _pppoe(octets: Octets, cursor: Cursor) -> int:
    """RFC 2516 session: six octets, then a two-octet PPP protocol."""
    short = _have(cursor, 8)
    if short:
        return short
    size = _u16(octets, cursor[AT] + 4)
    protocol = _u16(octets, cursor[AT] + 6)
    cursor[WIRE_END] = min(cursor[WIRE_END], cursor[AT] + 6 + max(size, 2))
    cursor[END] = min(cursor[END], cursor[WIRE_END])
    cursor[AT] += 8
    if protocol != L.PPP_IPV4 and protocol != L.PPP_IPV6:
        return LINK
    cursor[NEXT] = L.IPV4 if protocol == L.PPP_IPV4 else L.IPV6
    return MORE


@leaf
def _llc(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """IEEE 802.3 length: LLC, and SNAP where it carries an EtherType."""
    row["ethertype"] = cursor[NEXT]
    at = cursor[AT]
    if cursor[END] - at < 8 or octets[at] != 0xAA or octets[at + 1] != 0xAA or octets[at + 2] != 3:
        return LINK
    oui = (_u16(octets, at + 3) << 8) | np.int64(octets[at + 5])
    if oui != 0 and oui != 0xF8:
        return LINK
    cursor[NEXT] = _u16(octets, at + 6)
    cursor[AT] = at + 8
    return MORE if cursor[NEXT] >= L.ETHERTYPE_MIN else LINK


@leaf
def _arp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 826 over Ethernet and IPv4; other kinds are link frames without addresses."""
    at = cursor[AT]
    short = _have(cursor, 28)
    if short:
        return short
    if _u16(octets, at) != 1 or _u16(octets, at + 2) != L.IPV4 or octets[at + 4] != 6 or octets[at + 5] != 4:
        return LINK
    row["dst_port"] = _u16(octets, at + 6)
    row["src_lo"] = MAPPED | np.uint64(_u32(octets, at + 14))
    row["dst_lo"] = MAPPED | np.uint64(_u32(octets, at + 24))
    return LINK


@leaf
def _bound(cursor: Cursor, l3_start: int, l3_octets: int) -> None:
    """From here on the packet ends where its IP header says: Ethernet padding and trailers are not payload.

    A length beyond the frame's is kept as stated (some writers cut frames without saying so); reads stay inside the capture.
    """
    cursor[WIRE_END] = l3_start + l3_octets
    cursor[END] = min(cursor[END], cursor[WIRE_END])


@leaf
def _ipv4(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 791. A total length of 0 is a segmentation offload's super-packet (it does not fit 16 bits): the frame decides."""
    short = _have(cursor, 20)
    if short:
        return short
    at = cursor[AT]
    header = np.int64(octets[at] & 15) * 4
    if octets[at] >> 4 != 4 or header < 20:
        return MALFORMED
    total = _u16(octets, at + 2)
    if total == 0:
        total = cursor[WIRE_END] - at
    if total < header:
        return MALFORMED
    if cursor[END] - at < header:
        return TRUNCATED
    row["ip_version"], row["l3_octets"], row["ip_id"] = 4, total, _u16(octets, at + 4)
    row["ttl"], row["protocol"] = octets[at + 8], octets[at + 9]
    row["src_hi"], row["dst_hi"] = np.uint64(0), np.uint64(0)
    row["src_lo"] = MAPPED | np.uint64(_u32(octets, at + 12))
    row["dst_lo"] = MAPPED | np.uint64(_u32(octets, at + 16))
    _bound(cursor, at, total)
    cursor[AT] = at + header
    cursor[NEXT] = TRANSPORT + np.int64(octets[at + 9])
    fragment = _u16(octets, at + 6) & 0x3FFF  # more-fragments bit and offset
    if fragment:
        row["flags"] |= F_FRAGMENT
        if fragment & 0x1FFF:
            return METERED  # its ports are in the first fragment
        row["flags"] |= F_FIRST
    return MORE


@leaf
def _extensions(octets: Octets, cursor: Cursor, row: np.void, protocol: int) -> int:
    """RFC 8200 section 4: extension headers up to a transport. The last protocol number is left in the row."""
    for _ in range(IPV6_EXTENSIONS_MAX + 1):
        row["protocol"] = protocol
        chained = protocol == L.HOP_BY_HOP or protocol == L.ROUTING or protocol == L.DESTINATION or protocol == L.AH
        chained = chained or protocol == L.MOBILITY or protocol == L.HIP or protocol == L.SHIM6
        if not chained and protocol != L.FRAGMENT:
            cursor[NEXT] = TRANSPORT + protocol
            return MORE
        short = _have(cursor, 8)
        if short:
            return short
        at = cursor[AT]
        size = 8 if protocol == L.FRAGMENT else (np.int64(octets[at + 1]) + 1) * 8
        if protocol == L.AH:
            size = (np.int64(octets[at + 1]) + 2) * 4
        short = _have(cursor, size)
        if short:
            return short
        following = np.int64(octets[at])
        cursor[AT] = at + size
        if protocol == L.FRAGMENT and _u16(octets, at + 2) & 0xFFF9:  # RFC 6946: an atomic fragment is none
            row["flags"] |= F_FRAGMENT
            if _u16(octets, at + 2) & 0xFFF8:
                row["protocol"] = following
                return METERED
            row["flags"] |= F_FIRST
        protocol = following
    return TOO_DEEP


@leaf
def _ipv6(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 8200. A payload length of 0 is a jumbogram (RFC 2675) or an offload's super-packet: the frame decides."""
    short = _have(cursor, 40)
    if short:
        return short
    at = cursor[AT]
    if octets[at] >> 4 != 6:
        return MALFORMED
    payload = _u16(octets, at + 4)
    total = 40 + payload if payload or octets[at + 6] == L.NO_NEXT else cursor[WIRE_END] - at
    row["ip_version"], row["l3_octets"], row["ttl"], row["ip_id"] = 6, total, octets[at + 7], 0
    row["src_hi"], row["src_lo"] = _u64(octets, at + 8), _u64(octets, at + 16)
    row["dst_hi"], row["dst_lo"] = _u64(octets, at + 24), _u64(octets, at + 32)
    _bound(cursor, at, total)
    cursor[AT] = at + 40
    return _extensions(octets, cursor, row, np.int64(octets[at + 6]))


@leaf
def _tcp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 9293. What the capture cut or a lying data offset hides stays zero; the packet is metered all the same."""
    at, have = cursor[AT], cursor[END] - cursor[AT]
    cursor[AT] = at + 20  # where the payload begins at the earliest, if the offset cannot be read
    if have < 4:
        return METERED
    row["src_port"], row["dst_port"] = _u16(octets, at), _u16(octets, at + 2)
    row["flags"] |= F_PORTS
    if have < 20:
        if have >= 14:
            row["tcp_flags"] = octets[at + 13]
        return METERED
    row["tcp_seq"], row["tcp_ack"] = _u32(octets, at + 4), _u32(octets, at + 8)
    row["tcp_flags"], row["tcp_window"] = octets[at + 13], _u16(octets, at + 14)
    row["l4_checksum"] = _u16(octets, at + 16)
    header = np.int64(octets[at + 12] >> 4) * 4
    if header < 20 or header > cursor[WIRE_END] - at:
        cursor[WIRE_END] = at  # a lying offset: no payload can be told
        cursor[END] = at
        return METERED
    cursor[AT] = at + header
    return METERED


@leaf
def _enter(row: np.void, cursor: Cursor, at: int, following: int) -> int:
    """Go into a tunnel, unless it is the one too many."""
    if row["tunnels"] >= TUNNEL_DEPTH_MAX:
        return TOO_DEEP
    row["tunnels"] += 1
    row["flags"] = (row["flags"] | F_TUNNELLED) & (255 ^ (F_PORTS | F_FRAGMENT | F_FIRST))
    row["src_port"], row["dst_port"], row["tcp_flags"], row["l4_checksum"] = 0, 0, 0, 0
    cursor[AT] = at
    cursor[NEXT] = following
    cursor[TAGS] = 0
    return MORE


@leaf
def _teredo(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 4380 section 5.1.1: authentication and origin indications, then IPv6."""
    at = cursor[AT]
    if cursor[END] - at >= 13 and octets[at] == 0 and octets[at + 1] == 1:
        at += 13 + np.int64(octets[at + 2]) + np.int64(octets[at + 3])
    if cursor[END] - at >= 8 and octets[at] == 0 and octets[at + 1] == 0:
        at += 8
    if cursor[END] - at < 40 or octets[at] >> 4 != 6:
        return METERED
    return _enter(row, cursor, at, L.IPV6)


@leaf
def _capwap(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 5415 section 4: DTLS data cannot be seen; clear data is an 802.3 frame or an 802.11 one with LLC/SNAP inside."""
    at = cursor[AT]
    if cursor[END] - at < 8:
        return METERED
    if octets[at] & 15 == 1:
        return UNSEEN
    inner = at + np.int64(octets[at + 1] >> 3) * 4
    if octets[at] != 0 or octets[at + 3] & 0x88:  # another version, a fragment, or a keep-alive
        return METERED
    if not octets[at + 2] & 1:
        return _enter(row, cursor, inner, ETHERNET_INSIDE) if cursor[END] - inner >= 14 else METERED
    if cursor[END] - inner < 34 or (octets[inner] >> 2) & 3 != 2:
        return METERED
    size = 24 + (2 if octets[inner] & 0x80 else 0) + (6 if octets[inner + 1] & 3 == 3 else 0)
    if cursor[END] - inner < size + 8 or octets[inner + size] != 0xAA:
        return METERED
    return _enter(row, cursor, inner + size + 8, _u16(octets, inner + size + 6))


@leaf
def _udp_tunnel(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """A datagram on a tunnel's port whose content fits the tunnel is walked into; any other is a plain datagram."""
    at, have = cursor[AT], cursor[END] - cursor[AT]
    port = row["dst_port"]
    if port == L.VXLAN_PORT and have >= 22 and octets[at] & 0x08 and octets[at + 1] == 0:
        return _enter(row, cursor, at + 8, ETHERNET_INSIDE)
    if port == L.GENEVE_PORT and have >= 8 and octets[at] >> 6 == 0:
        inner = at + 8 + np.int64(octets[at] & 0x3F) * 4
        kind = _u16(octets, at + 2)
        if inner < cursor[END] and kind == L.TRANSPARENT_ETHERNET:
            return _enter(row, cursor, inner, ETHERNET_INSIDE)
        if inner < cursor[END] and (kind == L.IPV4 or kind == L.IPV6):
            return _enter(row, cursor, inner, kind)
    if port == L.TEREDO_PORT or row["src_port"] == L.TEREDO_PORT:
        return _teredo(octets, cursor, row)
    if port == L.CAPWAP_DATA_PORT or row["src_port"] == L.CAPWAP_DATA_PORT:
        return _capwap(octets, cursor, row)
    return METERED


@leaf
def _udp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 768. A length below 8 or beyond the IP packet is a lie: no payload can be told."""
    at, have = cursor[AT], cursor[END] - cursor[AT]
    cursor[AT] = at + 8
    if have < 4:
        return METERED
    row["src_port"], row["dst_port"] = _u16(octets, at), _u16(octets, at + 2)
    row["flags"] |= F_PORTS
    if have < 8:
        return METERED
    row["l4_checksum"] = _u16(octets, at + 6)
    size = _u16(octets, at + 4)
    first = row["flags"] & F_FIRST  # a first fragment's length speaks of the whole datagram
    if not first and size != 0 and (size < 8 or size > cursor[WIRE_END] - at):
        cursor[WIRE_END] = at + 8
        cursor[END] = at + 8
        return METERED
    if not first and size != 0:
        cursor[WIRE_END] = at + size
        cursor[END] = min(cursor[END], cursor[WIRE_END])
    return METERED if first else _udp_tunnel(octets, cursor, row)


@leaf
def _gre(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 2784 and 2890; routing and other versions are metered as GRE itself."""
    at = cursor[AT]
    if cursor[END] - at < 4:
        return METERED
    flags, kind = _u16(octets, at), _u16(octets, at + 2)
    if flags & 0x4007:
        return METERED
    inner = at + 4
    for bit in (0x8000, 0x2000, 0x1000):  # checksum, key, sequence number: four octets each
        if flags & bit:
            inner += 4
    if inner >= cursor[END]:
        return METERED
    if kind == L.TRANSPARENT_ETHERNET:
        return _enter(row, cursor, inner, ETHERNET_INSIDE)
    if kind == L.IPV4 or kind == L.IPV6:
        return _enter(row, cursor, inner, kind)
    return METERED


@leaf
def _icmp(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 792 and 4443: type and code in the place of the originator's port."""
    at, have = cursor[AT], cursor[END] - cursor[AT]
    if have >= 2:
        row["src_port"] = _u16(octets, at)
        row["flags"] |= F_PORTS
    if have >= 4:
        row["l4_checksum"] = _u16(octets, at + 2)
    cursor[AT] = at + 8
    return METERED


@leaf
def _transport(octets: Octets, cursor: Cursor, row: np.void, protocol: int) -> int:
    if protocol == L.TCP:
        return _tcp(octets, cursor, row)
    if protocol == L.UDP:
        return _udp(octets, cursor, row)
    if protocol == L.ICMP or protocol == L.ICMPV6:
        return _icmp(octets, cursor, row)
    if row["flags"] & F_FRAGMENT:
        return METERED  # half a tunnelled packet is not walked into
    if protocol == L.IPIP:
        return _enter(row, cursor, cursor[AT], L.IPV4)
    if protocol == L.IPV6_IN_IP:
        return _enter(row, cursor, cursor[AT], L.IPV6)
    if protocol == L.GRE:
        return _gre(octets, cursor, row)
    return METERED


@leaf
def _step(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """Read the header that NEXT names; MORE, or the frame's verdict."""
    kind = cursor[NEXT]
    if kind >= TRANSPORT and kind < ETHERNET_INSIDE:
        return _transport(octets, cursor, row, kind - TRANSPORT)
    if kind == ETHERNET_INSIDE:
        short = _have(cursor, 14)
        if short:
            return short
        cursor[NEXT] = _u16(octets, cursor[AT] + 12)
        cursor[AT] += 14
        return MORE
    row["ethertype"] = kind
    if kind == L.IPV4:
        return _ipv4(octets, cursor, row)
    if kind == L.IPV6:
        return _ipv6(octets, cursor, row)
    if kind == L.VLAN or kind == L.QINQ or kind == L.QINQ_OLD:
        return _vlan(octets, cursor, row)
    if kind == L.ARP or kind == L.RARP:
        return _arp(octets, cursor, row)
    if kind == L.MPLS or kind == L.MPLS_MULTICAST:
        return _mpls(octets, cursor)
    if kind == L.PPPOE_SESSION:
        return _pppoe(octets, cursor)
    if kind < L.ETHERTYPE_MIN:
        return _llc(octets, cursor, row)
    return LINK


@leaf
def _clear(row: np.void, frame: np.void) -> None:
    """A row before its frame is read."""
    row["time_ns"], row["wire_octets"], row["leg"] = frame["time_ns"], frame["wirelen"], frame["leg"]
    row["src_hi"], row["src_lo"], row["dst_hi"], row["dst_lo"] = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
    row["src_mac"], row["dst_mac"] = np.uint64(0), np.uint64(0)
    row["payload"], row["payload_caplen"], row["payload_octets"], row["l3_octets"] = 0, 0, 0, 0
    row["tcp_seq"], row["tcp_ack"], row["ethertype"], row["vlan_inner"] = 0, 0, 0, 0
    row["vlan"] = frame["vlan"] & 0xFFF
    row["src_port"], row["dst_port"], row["ip_id"], row["l4_checksum"], row["tcp_window"] = 0, 0, 0, 0, 0
    row["tcp_flags"], row["protocol"], row["ip_version"], row["ttl"], row["flags"] = 0, 0, 0, 0, 0
    row["tunnels"], row["application"], row["hint"] = 0, 0, 0


@kernel
def decode_burst(frames: Rows, count: int, octets: Octets, rows: Rows, verdicts: np.ndarray, cursor: Cursor) -> None:  # type: ignore[type-arg]
    """`frames[:count]` -> `rows[:count]`; `verdicts[v]` grows by the frames with verdict v."""
    size = len(octets)
    for i in range(count):
        frame, row = frames[i], rows[i]
        _clear(row, frame)
        start, caplen = np.int64(frame["offset"]), np.int64(frame["caplen"])
        wirelen = max(np.int64(frame["wirelen"]), caplen)  # 0: the backend took the frame whole
        row["wire_octets"] = wirelen
        if caplen < wirelen:
            row["flags"] = F_CUT
        cursor[AT], cursor[END], cursor[WIRE_END] = start, min(start + caplen, size), start + wirelen
        cursor[TAGS] = 0
        verdict = _link(octets, cursor, row, np.int64(frame["link"]))
        layers = 0
        while verdict == MORE and layers < LAYERS_MAX:
            verdict = _step(octets, cursor, row)
            layers += 1
        if verdict == MORE:
            verdict = TOO_DEEP
        verdicts[verdict] += 1
        if verdict == METERED or verdict == LINK:
            row["payload"] = min(cursor[AT], cursor[END])
            row["payload_caplen"] = max(cursor[END] - cursor[AT], 0)
            row["payload_octets"] = max(cursor[WIRE_END] - cursor[AT], 0)
        else:
            _clear(row, frame)  # what was read before the fault is not told: nobody may build on it
            row["vlan"], row["wire_octets"] = 0, wirelen
            row["flags"] = F_CUT if caplen < wirelen else 0
        row["verdict"] = verdict
