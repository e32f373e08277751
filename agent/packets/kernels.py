"""Decode: FRAME rows and octets -> PACKET rows, one verdict per frame.

Before: `frames[:count]` point into `octets`. After: `rows[:count]` are filled, `verdicts` counts them. Total: any
octets give a row; a read happens only after `have` said that the captured octets reach that far, and a new layer only
after a new check. Nothing is allocated. A frame is walked as a chain of steps, each reading one header and naming the
next; the chain is as long as LAYERS_MAX. Cost: one step per header, a plain TCP/IPv4 frame takes three.
"""

import numpy as np

from agent.jit import LINE, Words, claim_line, fetch_line, kernel, leaf
from agent.packets import layouts as L  # noqa: N812 - a table of names
from agent.packets.cursor import (
    AT,
    BLANK,
    END,
    ETHERNET_INSIDE,
    F_CUT,
    KEPT,
    LINK,
    METERED,
    MORE,
    NEXT,
    TAGS,
    TOO_DEEP,
    TRANSPORT,
    WIRE_END,
    Cursor,
    have,
    u16,
)
from agent.packets.records import LAYERS_MAX, Rows
from agent.packets.walk_ip import read_ipv4, read_ipv6
from agent.packets.walk_link import read_arp, read_link, read_llc, read_mpls, read_pppoe, read_vlan
from agent.packets.walk_transport import read_plain, read_transport
from agent.tap.records import Octets

# Frames between asking for the lines of a frame and of its row and touching them. Rows were read last by the core that
# metered them: to write such a line without having claimed it costs 10 ns a frame, or 30 where the cores are far apart.
AHEAD = 8


@leaf
def _step(octets: Octets, cursor: Cursor, row: np.void, scratch: Rows) -> int:
    """Read the header that NEXT names; MORE, or the frame's verdict."""
    kind = cursor[NEXT]
    if kind >= TRANSPORT and kind < ETHERNET_INSIDE:
        return read_transport(octets, cursor, row, scratch, kind - TRANSPORT)
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
def _clear(row: np.void, frame: np.void, wirelen: int) -> None:
    """What a row tells of its frame before a header is read, or when none may be told. The rest of it is zero."""
    row["time_ns"], row["leg"] = frame["time_ns"], frame["leg"]
    row["wire_octets"] = wirelen + np.int64(frame["taken"])
    row["flags"] = F_CUT if frame["caplen"] < wirelen else 0


@kernel
def decode_burst(
    frames: Rows, count: int, octets: Octets, rows: Rows, verdicts: Words, cursor: Cursor, scratch: Rows
) -> None:
    """`frames[:count]` -> `rows[:count]`; `verdicts[v]` counts the frames with verdict v; `scratch`: SCRATCH rows.

    `frames` may go on behind `count`: those that come next are asked for.
    """
    size = len(octets)
    for i in range(count):
        frame, row = frames[i], rows[i]
        if i + AHEAD < len(frames):
            later = np.int64(frames[i + AHEAD]["offset"])
            fetch_line(octets, later, 0)
            fetch_line(octets, later, LINE)
            claim_line(rows, i + AHEAD, 0)
            claim_line(rows, i + AHEAD, LINE)
        start, caplen = np.int64(frame["offset"]), np.int64(frame["caplen"])
        wirelen = max(np.int64(frame["wirelen"]), caplen)  # 0: the backend took the frame whole
        rows[i] = scratch[BLANK]
        _clear(row, frame, wirelen)
        row["vlan"] = frame["vlan"] & 0xFFF
        cursor[AT], cursor[END], cursor[WIRE_END] = start, min(start + caplen, size), start + wirelen
        if frame["link"] == L.LINK_ETHERNET and frame["vlan"] == 0 and read_plain(octets, cursor, row):
            verdicts[METERED] += 1
            continue
        # The ring takes the outer tag out of the frame; one of VLAN 0, with or without a priority, was a tag too.
        cursor[TAGS] = np.int64(frame["vlan"] != 0 or frame["taken"] != 0)
        verdict = read_link(octets, cursor, row, np.int64(frame["link"]))
        layers = 0
        while verdict == MORE and layers < LAYERS_MAX:
            verdict = _step(octets, cursor, row, scratch)
            layers += 1
        if verdict == MORE:
            verdict = TOO_DEEP
        if row["tunnels"] and verdict != METERED and verdict != TOO_DEEP:
            rows[i] = scratch[KEPT]
            verdicts[METERED] += 1
            rows[i]["verdict"] = METERED
            continue
        verdicts[verdict] += 1
        if verdict == METERED or verdict == LINK:
            row["payload"] = min(cursor[AT], cursor[END])
            row["payload_caplen"] = max(cursor[END] - cursor[AT], 0)
            row["payload_octets"] = max(cursor[WIRE_END] - cursor[AT], 0)
        else:
            rows[i] = scratch[BLANK]  # what was read before the fault is not told: nobody may build on it
            _clear(row, frame, wirelen)
        row["verdict"] = verdict
