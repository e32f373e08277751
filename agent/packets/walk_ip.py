"""IPv4 and IPv6: lengths, addresses, fragments, extension headers. Each leaf answers MORE or a verdict."""

import numpy as np

from agent.jit import leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.cursor import (
    AT,
    END,
    F_FIRST,
    F_FRAGMENT,
    H_ROUTE,
    H_TINY,
    MALFORMED,
    METERED,
    MORE,
    NEXT,
    TOO_DEEP,
    TRANSPORT,
    TRUNCATED,
    WIRE_END,
    Cursor,
    have,
    u16,
    u32,
    u64,
)
from agent.packets.records import IPV6_EXTENSIONS_MAX
from agent.tap.records import Octets

MAPPED = np.uint64(L.MAPPED_IPV4)
OPTIONS_MAX = 40  # octets, and so options, of an IPv4 header
OPTION_END, OPTION_NOTHING, LOOSE_ROUTE, STRICT_ROUTE = 0, 1, 131, 137


@leaf
def bound(cursor: Cursor, l3_start: int, l3_octets: int) -> None:
    """From here on the packet ends where its IP header says: Ethernet padding and trailers are not payload.

    A length beyond the frame's is kept as stated (some writers cut frames without saying so); reads stay inside the
    capture.
    """
    cursor[WIRE_END] = l3_start + l3_octets
    cursor[END] = min(cursor[END], cursor[WIRE_END])


@leaf
def _has_route(octets: Octets, at: int, end: int) -> bool:
    """Whether a source route stands among the options (RFC 791 section 3.1); a damaged list ends the search."""
    for _ in range(OPTIONS_MAX):
        if at >= end or octets[at] == OPTION_END:
            return False
        if octets[at] == LOOSE_ROUTE or octets[at] == STRICT_ROUTE:
            return True
        if octets[at] == OPTION_NOTHING:
            at += 1
            continue
        if at + 1 >= end or octets[at + 1] < 2:
            return False
        at += np.int64(octets[at + 1])
    return False


@leaf
def read_ipv4(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 791. A total length of 0 is an offload's super-packet (it does not fit 16 bits): the frame decides."""
    short = have(cursor, 20)
    if short:
        return short
    at = cursor[AT]
    header = np.int64(octets[at] & 15) * 4
    if octets[at] >> 4 != 4 or header < 20:
        return MALFORMED
    total = u16(octets, at + 2)
    if total == 0:
        total = cursor[WIRE_END] - at
    if total < header:
        return MALFORMED
    if cursor[END] - at < header:
        return TRUNCATED
    row["ip_version"], row["l3_octets"], row["ip_id"] = 4, total, u16(octets, at + 4)
    row["ttl"], row["protocol"] = octets[at + 8], octets[at + 9]
    row["src_hi"], row["dst_hi"] = np.uint64(0), np.uint64(0)
    row["src_lo"] = MAPPED | np.uint64(u32(octets, at + 12))
    row["dst_lo"] = MAPPED | np.uint64(u32(octets, at + 16))
    if header > 20 and row["hint"] == 0 and _has_route(octets, at + 20, at + header):
        row["hint"] = H_ROUTE
    bound(cursor, at, total)
    cursor[AT] = at + header
    cursor[NEXT] = TRANSPORT + np.int64(octets[at + 9])
    fragment = u16(octets, at + 6) & 0x3FFF  # more-fragments bit and offset
    if fragment:
        row["flags"] |= F_FRAGMENT
        if fragment & 0x1FFF:
            if fragment & 0x1FFF == 1 and octets[at + 9] == L.TCP and row["hint"] == 0:
                row["hint"] = H_TINY  # RFC 3128: it writes over the TCP header
            return METERED  # its ports are in the first fragment
        row["flags"] |= F_FIRST
    return MORE


@leaf
def _extensions(octets: Octets, cursor: Cursor, row: np.void, protocol: int) -> int:
    """RFC 8200 section 4: extension headers up to a transport. The last protocol number is left in the row."""
    for number in range(IPV6_EXTENSIONS_MAX + 1):
        row["protocol"] = protocol
        chained = protocol == L.HOP_BY_HOP or protocol == L.ROUTING or protocol == L.DESTINATION or protocol == L.AH
        chained = chained or protocol == L.MOBILITY or protocol == L.HIP or protocol == L.SHIM6
        if not chained and protocol != L.FRAGMENT:
            cursor[NEXT] = TRANSPORT + protocol
            return MORE
        short = have(cursor, 8)
        if short:
            return short
        if number == IPV6_EXTENSIONS_MAX:
            break  # one too many, whatever it holds
        at = cursor[AT]
        size = 8 if protocol == L.FRAGMENT else (np.int64(octets[at + 1]) + 1) * 8
        if protocol == L.AH:
            size = (np.int64(octets[at + 1]) + 2) * 4
        short = have(cursor, size)
        if short:
            return short
        following = np.int64(octets[at])
        if protocol == L.ROUTING and octets[at + 2] == 0 and octets[at + 3] != 0 and row["hint"] == 0:
            row["hint"] = H_ROUTE  # RFC 5095 did away with type 0
        cursor[AT] = at + size
        if protocol == L.FRAGMENT and u16(octets, at + 2) & 0xFFF9:  # RFC 6946: an atomic fragment is none
            row["flags"] |= F_FRAGMENT
            row["ip_id"] = u16(octets, at + 6)  # the low half of its identification
            if u16(octets, at + 2) & 0xFFF8:
                row["protocol"] = following
                row["flags"] ^= row["flags"] & F_FIRST  # two such headers: the one with an offset decides
                return METERED
            row["flags"] |= F_FIRST
        protocol = following
    return TOO_DEEP


@leaf
def read_ipv6(octets: Octets, cursor: Cursor, row: np.void) -> int:
    """RFC 8200. A payload length of 0 is a jumbogram (RFC 2675) or an offload's super-packet: the frame decides."""
    short = have(cursor, 40)
    if short:
        return short
    at = cursor[AT]
    if octets[at] >> 4 != 6:
        return MALFORMED
    payload = u16(octets, at + 4)
    total = 40 + payload if payload or octets[at + 6] == L.NO_NEXT else cursor[WIRE_END] - at
    row["ip_version"], row["l3_octets"], row["ttl"], row["ip_id"] = 6, total, octets[at + 7], 0
    row["src_hi"], row["src_lo"] = u64(octets, at + 8), u64(octets, at + 16)
    row["dst_hi"], row["dst_lo"] = u64(octets, at + 24), u64(octets, at + 32)
    bound(cursor, at, total)
    cursor[AT] = at + 40
    return _extensions(octets, cursor, row, np.int64(octets[at + 6]))
