"""The decoder's slow twin: one frame in, a dict with exactly the PACKET fields out.

Decisions where records.py leaves room:

1. Too few octets for the link header: EMPTY. For tags, labels, PPPoE, ARP, the IP header or an IPv6 extension:
   TRUNCATED when the capture cut them, MALFORMED when the wire had no more. A wire length below caplen is caplen.
2. An ignored row keeps only time, wire octets, leg, verdict and the CUT bit; everything else is 0.
3. MALFORMED is about the network layer: version, IHL < 5, a total length below the header, an IPv6 extension that ends
   after the stated payload. An IP length beyond the wire's is kept as stated, and tells from there on what the wire
   had. A lying TCP data offset or UDP length leaves a METERED row without transport payload; UDP length 0 means "to
   the end" (RFC 2675), and a fragment's UDP length is not asked.
4. IPv4 total length 0, and IPv6 payload length 0 with a next header, mean "to the end" (offload, jumbograms).
5. More tags, labels, extensions, tunnels or layers (`Walk.layer`) than the limits: TOO_DEEP. A tunnel begins its own
   count of tags; a pseudowire goes on with that of the frame. Extensions are counted in each IP header, as no layers.
6. Ports need 4 captured octets (ICMP type and code 2), TCP flags 14, checksum and the other TCP fields the whole fixed
   header (TCP 20, UDP 8, ICMP 4). ICMP and ICMPv6 payload begins after 8 octets. `ip_id` is 0 for IPv6, but the low
   half of a fragment's identification. An atomic fragment (RFC 6946) is no fragment. Other protocols' and later
   fragments' payload follows the IP header.
7. `ethertype`: the type of the network header where there is one, else the last type after tags and SNAP (OUI zero or
   00-00-F8 of IEEE 802.1H), else the 802.3 length. VLAN ids: the outermost Ethernet header's, the ring's tag first.
8. A tunnel is entered only by a whole, unfragmented packet with a valid tunnel header (VXLAN and CAPWAP: and a captured
   inner Ethernet header; Teredo: an IPv6 header). Then what is inside is told if it is IP, or too deep, or unseen; else
   the outer packet is metered (garbage on a tunnel's port is no way past the meter). VXLAN and GENEVE by
   destination port, Teredo and CAPWAP by either. CAPWAP fragments and keep-alives, GRE version 1, GRE with routing and
   ERSPAN are not entered: the outer packet is metered. After an MPLS stack a zero nibble is the
   control word of an Ethernet pseudowire.
9. Cooked captures tell the source's MAC only; without one of six octets NO_MAC is set. Their packet type gives
   BROADCAST and MULTICAST. The PPPoE version and code are not judged.
10. A LINK row's payload is what follows its link header (PPPoE: as long as it says); it has no l3_octets, no
   protocol, no TTL. ARP and RARP (RFC 903) that are not Ethernet/IPv4 have no addresses. Inside a tunnel nothing of the
   outer packet stays. `hint` tells the first shape of a header that only an attack has (shapes.py).
"""

from typing import NoReturn

from agent.packets.records import IPV6_EXTENSIONS_MAX, MPLS_LABELS_MAX, PACKET, VLAN_TAGS_MAX, PacketFlag, Verdict
from tests.naive.shapes import ipv4_shapes, routing_shapes, transport_shapes
from tests.naive.transport import UDP, transport
from tests.naive.walk import Ended, Row, Walk

MAPPED = 0xFFFF << 32
AF_INET, AF_INET6 = 2, {10, 24, 28, 30}  # Linux, NetBSD, FreeBSD, Darwin
TAGS = {0x8100, 0x88A8, 0x9100}
SNAPS = {b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8"}
GRE = 47
EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}  # RFC 7045


def decode(data: bytes, *, link: int = 1, wirelen: int = 0, time_ns: int = 0, leg: int = 0, ring_vlan: int = 0) -> Row:
    """The row of one frame; `payload` counts from the frame's first octet."""
    wire = max(wirelen, len(data))
    kept = {"time_ns": time_ns, "wire_octets": wire, "leg": leg, "flags": PacketFlag.CUT if len(data) < wire else 0}
    row = dict.fromkeys(PACKET.names or (), 0) | {key: int(value) for key, value in kept.items()}
    walk = Walk(data, wire, row)
    if ring_vlan:
        walk.vlans, walk.tags = [ring_vlan & 0xFFF], 1
    try:
        _link(walk, link)
    except Ended as ended:
        row["verdict"] = int(ended.verdict)
        if walk.outer and ended.verdict not in {Verdict.METERED, Verdict.TOO_DEEP}:
            row = walk.outer  # METERED: its verdict is still zero
    if row["verdict"] > Verdict.LINK:
        bare = dict.fromkeys(row, 0) | {key: int(value) for key, value in kept.items()}
        return bare | {"verdict": row["verdict"]}
    row["vlan"], row["vlan_inner"] = [*walk.vlans, 0, 0][:2]
    return row


def _link(walk: Walk, link: int) -> None:
    if link == 1:
        return _ethernet(walk)
    walk.row["flags"] |= PacketFlag.NO_MAC
    sizes = {0: 4, 108: 4, 113: 16, 276: 20, 239: 8, 101: 1, 12: 1, 14: 1, 228: 1, 229: 1}
    if link not in sizes:
        raise Ended(Verdict.UNSUPPORTED)
    if len(walk.data) < sizes[link]:
        raise Ended(Verdict.EMPTY)
    if link in {113, 276}:
        return _cooked(walk, link)
    if link in {0, 108}:
        return _family(walk)
    if link == 239:
        return _nflog(walk)
    return _ip(walk, 6 if walk.number(0, 1) >> 4 == 6 else 4)


def _nflog(walk: Walk) -> None:
    """LINKTYPE_NFLOG: family, version, resource id, little-endian TLVs padded to four octets; type 9 is the packet."""
    family, at = walk.number(0, 1), 4
    while at + 4 <= len(walk.data):
        size, kind = (int.from_bytes(walk.data[at + i : at + i + 2], "little") for i in (0, 2))
        if size < 4:
            raise Ended(Verdict.MALFORMED)
        if kind == 9:
            walk.end = min(walk.end, at + size)
            walk.data, walk.at = walk.data[: walk.end], at + 4
            return _ip(walk, 4 if family == AF_INET else 6)
        at += -(-size // 4) * 4
    raise Ended(Verdict.TRUNCATED)


def _cooked(walk: Walk, link: int) -> None:
    """LINKTYPE_LINUX_SLL and LINUX_SLL2 (tcpdump.org/linktypes)."""
    kind = walk.number(0, 2) if link == 113 else walk.number(10, 1)
    ethertype = walk.number(14, 2) if link == 113 else walk.number(0, 2)
    length, place = (walk.number(4, 2), 6) if link == 113 else (walk.number(11, 1), 12)
    if length == 6:
        walk.row["flags"] &= ~PacketFlag.NO_MAC
        walk.row["src_mac"] = walk.number(place, 6)
    walk.row["flags"] |= {1: PacketFlag.BROADCAST, 2: PacketFlag.MULTICAST}.get(kind, 0)
    walk.at = 16 if link == 113 else 20
    _typed(walk, ethertype)


def _family(walk: Walk) -> None:
    """LINKTYPE_NULL has the writer's byte order, LINKTYPE_LOOP the network's; a family fits in one octet of either."""
    family = walk.data[0] or walk.data[3]
    walk.at = 4
    if family != AF_INET and family not in AF_INET6:
        _stop(walk)
    return _ip(walk, 4 if family == AF_INET else 6)


def _stop(walk: Walk) -> NoReturn:
    """A LINK row: what follows the link header is its payload."""
    walk.row["payload"], walk.row["payload_octets"] = walk.at, max(0, walk.end - walk.at)
    walk.row["payload_caplen"] = max(0, len(walk.data) - walk.at)
    raise Ended(Verdict.LINK)


def _ethernet(walk: Walk) -> None:
    outermost = walk.layers == 0
    if outermost and len(walk.data) < 14:
        raise Ended(Verdict.EMPTY)
    if not outermost:
        walk.layer()
        walk.need(14)
    if outermost:
        target = walk.number(0, 6)
        walk.row["dst_mac"], walk.row["src_mac"] = target, walk.number(6, 6)
        if target == 0xFFFFFFFFFFFF:
            walk.row["flags"] |= PacketFlag.BROADCAST
        elif target >> 40 & 1:
            walk.row["flags"] |= PacketFlag.MULTICAST
    ethertype = walk.number(12, 2)
    walk.at += 14
    return _typed(walk, ethertype)


def _typed(walk: Walk, ethertype: int) -> None:
    """What follows an Ethernet type (or an 802.3 length)."""
    while ethertype in TAGS or ethertype < 0x0600:
        walk.layer()
        following = _tag(walk) if ethertype in TAGS else _snap(walk)
        if following < 0x0600 and ethertype < 0x0600:
            walk.row["ethertype"] = ethertype
            _stop(walk)
        ethertype = following
    walk.row["ethertype"] = ethertype
    if ethertype in {0x0800, 0x86DD}:
        return _ip(walk, 4 if ethertype == 0x0800 else 6)
    if ethertype in {0x8847, 0x8848}:
        return _mpls(walk)
    if ethertype == 0x8864:
        return _pppoe(walk)
    walk.layer()
    if ethertype in {0x0806, 0x8035}:
        return _arp(walk)
    _stop(walk)


def _tag(walk: Walk) -> int:
    """IEEE 802.1Q; the type that follows."""
    walk.tags += 1
    if walk.tags > VLAN_TAGS_MAX:
        raise Ended(Verdict.TOO_DEEP)
    walk.need(4)
    if walk.row["tunnels"] == 0:
        walk.vlans.append(walk.number(0, 2) & 0xFFF)
    walk.at += 4
    return walk.number(-2, 2)


def _snap(walk: Walk) -> int:
    """RFC 1042 and IEEE 802.1H; the type that follows, 0 where there is no SNAP."""
    if walk.data[walk.at : walk.at + 6] not in SNAPS or len(walk.data) - walk.at < 8:
        return 0
    walk.at += 8
    return walk.number(-2, 2)


def _arp(walk: Walk) -> None:
    """RFC 826."""
    walk.need(28)
    if walk.data[walk.at : walk.at + 6] == b"\0\x01\x08\0\x06\x04":
        walk.row["src_lo"], walk.row["dst_lo"] = MAPPED | walk.number(14, 4), MAPPED | walk.number(24, 4)
        walk.row["dst_port"] = walk.number(6, 2)
    _stop(walk)


def _mpls(walk: Walk) -> None:
    """RFC 3032; after the stack the first nibble tells IP (RFC 4928)."""
    walk.layer()
    for _ in range(MPLS_LABELS_MAX):
        walk.need(4)
        bottom = walk.number(2, 1) & 1
        walk.at += 4
        if bottom:
            break
    else:
        raise Ended(Verdict.TOO_DEEP)
    walk.need(1)
    version = walk.number(0, 1) >> 4
    if version in {4, 6}:
        return _ip(walk, version)
    if version != 0 or len(walk.data) - walk.at < 4 + 14:
        _stop(walk)
    walk.at += 4  # the control word of an Ethernet pseudowire (RFC 4448)
    return _ethernet(walk)


def _pppoe(walk: Walk) -> None:
    """RFC 2516 session stage."""
    walk.layer()
    walk.need(8)
    protocol = walk.number(6, 2)
    walk.end = min(walk.end, walk.at + 6 + walk.number(4, 2))
    walk.data = walk.data[: walk.end]
    walk.at += 8
    if protocol in {0x0021, 0x0057}:
        return _ip(walk, 4 if protocol == 0x0021 else 6)
    _stop(walk)


def _ip(walk: Walk, version: int) -> None:
    walk.layer()
    walk.need(20 if version == 4 else 40)
    if walk.number(0, 1) >> 4 != version:
        raise Ended(Verdict.MALFORMED)
    walk.row["ip_version"], walk.row["ethertype"] = version, 0x0800 if version == 4 else 0x86DD
    return _ipv4(walk) if version == 4 else _ipv6(walk)


def _ipv4(walk: Walk) -> None:
    """RFC 791."""
    size, total = 4 * (walk.number(0, 1) & 15), walk.number(2, 2)
    total = total or walk.end - walk.at
    if size < 20 or total < size:
        raise Ended(Verdict.MALFORMED)
    walk.end = walk.at + total
    walk.need(size)
    row = walk.row
    row |= {"l3_octets": total, "ip_id": walk.number(4, 2), "ttl": walk.number(8, 1), "protocol": walk.number(9, 1)}
    row |= {"src_lo": MAPPED | walk.number(12, 4), "dst_lo": MAPPED | walk.number(16, 4)}
    part = walk.number(6, 2)
    ipv4_shapes(walk, size, part & 0x1FFF)
    walk.at += size
    _payload(walk, walk.end, offset=part & 0x1FFF, more=bool(part & 0x2000))


def _ipv6(walk: Walk) -> None:
    """RFC 8200."""
    row, length, following = walk.row, walk.number(4, 2), walk.number(6, 1)
    if length == 0 and following != 59:
        length = max(0, walk.end - walk.at - 40)
    row["l3_octets"], row["ttl"] = 40 + length, walk.number(7, 1)
    for name, offset in (("src_hi", 8), ("src_lo", 16), ("dst_hi", 24), ("dst_lo", 32)):
        row[name] = walk.number(offset, 8)
    walk.at += 40
    end, offset, more, count = walk.at + length, 0, False, 0
    walk.end = end
    while following in EXTENSIONS and offset == 0:
        walk.need(8)
        count += 1
        if count > IPV6_EXTENSIONS_MAX:
            raise Ended(Verdict.TOO_DEEP)
        size = {44: 8, 51: 4 * (walk.number(1, 1) + 2)}.get(following, 8 * (walk.number(1, 1) + 1))
        if walk.at + size > end:
            raise Ended(Verdict.MALFORMED)
        walk.need(size)
        if following == 44:
            offset, again = walk.number(2, 2) >> 3, bool(walk.number(3, 1) & 1)
            more, row["ip_id"] = more or again, walk.number(6, 2) if offset or again else row["ip_id"]
        routing_shapes(walk, following)
        following = walk.number(0, 1)
        walk.at += size
    row["protocol"] = following
    _payload(walk, end, offset=offset, more=more)


def _payload(walk: Walk, end: int, *, offset: int, more: bool) -> None:
    """What an IP packet carries; `end` is where it says that it ends."""
    row, start = walk.row, walk.at
    protocol, length, captured = row["protocol"], max(0, end - start), max(0, min(end, len(walk.data)) - start)
    header = 0
    if offset or more:
        row["flags"] |= PacketFlag.FRAGMENT
    if offset == 0:
        walk.layer()
        row["flags"] |= PacketFlag.FIRST_FRAGMENT if more else 0
        header = transport(walk, protocol, length, captured)
        transport_shapes(walk, length, captured, first=more)
    row["payload_octets"] = length - header
    if protocol == UDP and captured >= 8 and not (offset or more):
        told = walk.number(4, 2) or length  # RFC 2675
        row["payload_octets"] = told - 8 if 8 <= told <= length else 0
        end = start + 8 + row["payload_octets"]
    row["payload"] = min(start + header, len(walk.data))
    row["payload_caplen"] = max(0, min(row["payload_octets"], captured - header))
    if not (offset or more):
        walk.end = end
        walk.data = walk.data[: walk.end]
        _tunnel(walk, protocol)
    raise Ended(Verdict.METERED)


def _tunnel(walk: Walk, protocol: int) -> None:
    """Go on inside when this packet carries another; come back when it does not."""
    left = len(walk.data) - walk.at
    if protocol in {4, 41}:
        walk.enter(0)
        return _ip(walk, 4 if protocol == 4 else 6)
    if protocol == GRE and left >= 4:
        return _gre(walk, left)
    if protocol == UDP and left >= 8:
        return _udp_tunnel(walk)
    return None


def _gre(walk: Walk, left: int) -> None:
    """RFC 2784 with key and sequence number (RFC 2890)."""
    flags, carried = walk.number(0, 2), walk.number(2, 2)
    size = 4 + 4 * sum(bool(flags & bit) for bit in (0x8000, 0x2000, 0x1000))
    if flags & 0x4007 or size >= left or carried not in {0x0800, 0x86DD, 0x6558}:
        return
    walk.enter(size)
    if carried == 0x6558:
        _ethernet(walk)
    else:
        _ip(walk, 4 if carried == 0x0800 else 6)


def _udp_tunnel(walk: Walk) -> None:
    ports = (walk.row["src_port"], walk.row["dst_port"])
    body = walk.data[walk.at + 8 :]
    left = len(body) if walk.row["payload_octets"] else 0
    if left == 0:
        return
    if ports[1] == 4789 and left >= 8 + 14 and body[0] & 0x08:
        walk.enter(16)
        _ethernet(walk)
    elif ports[1] == 6081 and left >= 8 and body[0] >> 6 == 0:
        _geneve(walk, body)
    elif 3544 in ports:
        _teredo(walk, body)
    elif 5247 in ports and left >= 8 and body[0] == 0x00:
        flags = int.from_bytes(body[:4])
        size = 4 * (flags >> 19 & 31)
        if size < 8 or flags & (0x80 | 0x08):  # F (fragment), K (keep-alive)
            return
        if flags & 0x100:  # T
            _wireless(walk, 8 + size, body[size:])
        elif size <= left - 14:
            walk.enter(8 + size)
            _ethernet(walk)


def _wireless(walk: Walk, skip: int, frame: bytes) -> None:
    """IEEE 802.11 data with LLC and SNAP; anything else is not entered."""
    if len(frame) < 34 or frame[0] >> 2 & 3 != 2:
        return
    size = 24 + (2 if frame[0] & 0x80 else 0) + (6 if frame[1] & 3 == 3 else 0)  # QoS control, fourth address
    if len(frame) >= size + 8 and frame[size] == 0xAA:
        walk.enter(skip + size + 8)
        _typed(walk, int.from_bytes(frame[size + 6 : size + 8]))


def _geneve(walk: Walk, body: bytes) -> None:
    """RFC 8926."""
    size, carried = 8 + 4 * (body[0] & 63), int.from_bytes(body[2:4])
    if size >= len(body) or carried not in {0x0800, 0x86DD, 0x6558}:
        return
    walk.enter(8 + size)
    if carried == 0x6558:
        _ethernet(walk)
    else:
        _ip(walk, 4 if carried == 0x0800 else 6)


def _teredo(walk: Walk, body: bytes) -> None:
    """RFC 4380 section 5.1.1: authentication, then origin indication, both optional, then IPv6."""
    at = 0
    if body[:2] == b"\0\x01" and len(body) >= 4:
        at = 13 + body[2] + body[3]
    if body[at : at + 2] == b"\0\0":
        at += 8
    if at + 40 <= len(body) and body[at] >> 4 == 6:
        walk.enter(8 + at)
        _ip(walk, 6)
