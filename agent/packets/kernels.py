"""Decode: FRAME rows and octets -> PACKET rows, one verdict per frame.

Before: `frames[:count]` point into `octets`. After: `rows[:count]` are filled, `verdicts` counts them. Total: any
octets give a row; a read happens only after `have` said that the captured octets reach that far, and a new layer only
after a new check. Nothing is allocated. A frame is walked as a chain of steps, each reading one header and naming the
next; the chain is as long as LAYERS_MAX. Cost: one step per header, a plain TCP/IPv4 frame takes three.
"""

import numpy as np

from agent.jit import Words, kernel, leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.cursor import (
    AT,
    END,
    ETHERNET_INSIDE,
    F_CUT,
    LINK,
    METERED,
    MORE,
    NEXT,
    TAGS,
    TOO_DEEP,
    TRANSPORT,
    UNSEEN,
    WIRE_END,
    Cursor,
    have,
    u16,
)
from agent.packets.records import LAYERS_MAX, Rows
from agent.packets.walk_ip import read_ipv4, read_ipv6
from agent.packets.walk_link import read_arp, read_link, read_llc, read_mpls, read_pppoe, read_vlan
from agent.packets.walk_transport import read_transport
from agent.tap.records import Octets


@leaf
def _step(octets: Octets, cursor: Cursor, row: np.void, kept: Rows) -> int:
    """Read the header that NEXT names; MORE, or the frame's verdict."""
    kind = cursor[NEXT]
    if kind >= TRANSPORT and kind < ETHERNET_INSIDE:
        return read_transport(octets, cursor, row, kept, kind - TRANSPORT)
    if kind == ETHERNET_INSIDE:
        short = have(cursor, 14)
        if short:
            return short
        cursor[NEXT] = u16(octets, cursor[AT] + 12)
        cursor[AT] += 14
        return MORE
    row["ethertype"] = kind
    if kind == L.IPV4:
        return read_ipv4(octets, cursor, row)
    if kind == L.IPV6:
        return read_ipv6(octets, cursor, row)
    if kind == L.VLAN or kind == L.QINQ or kind == L.QINQ_OLD:
        return read_vlan(octets, cursor, row)
    if kind == L.ARP or kind == L.RARP:
        return read_arp(octets, cursor, row)
    if kind == L.MPLS or kind == L.MPLS_MULTICAST:
        return read_mpls(octets, cursor)
    if kind == L.PPPOE_SESSION:
        return read_pppoe(octets, cursor)
    if kind < L.ETHERTYPE_MIN:
        return read_llc(octets, cursor, row)
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
def decode_burst(
    frames: Rows, count: int, octets: Octets, rows: Rows, verdicts: Words, cursor: Cursor, kept: Rows
) -> None:
    """`frames[:count]` -> `rows[:count]`; `verdicts[v]` counts the frames with verdict v; `kept` is scratch."""
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
        cursor[TAGS] = np.int64(row["vlan"] != 0)  # the ring takes the outer tag out of the frame
        verdict = read_link(octets, cursor, row, np.int64(frame["link"]))
        layers = 0
        while verdict == MORE and layers < LAYERS_MAX:
            verdict = _step(octets, cursor, row, kept)
            layers += 1
        if verdict == MORE:
            verdict = TOO_DEEP
        if row["tunnels"] and verdict != METERED and verdict != TOO_DEEP and verdict != UNSEEN:
            rows[i] = kept[0]
            verdicts[METERED] += 1
            rows[i]["verdict"] = METERED
            continue
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
