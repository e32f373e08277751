"""Join: the later parts of a fragmented datagram are given the ports that its first part had.

Before: decoded rows. After: a later fragment whose first part was heard within WINDOW_NS before it has the ports, and
so belongs to its flow; one that came first, or whose place was taken, keeps ports 0 and is a flow of its own. Bounded:
SLOTS datagrams are remembered, each in one place; a flood of fragments only overwrites. What is joined is metered, not
judged by content: fragments are not put together (RFC 8900 says why nobody should have to).
"""

import numpy as np

from agent.jit import Hashes, brief, leaf
from agent.packets.records import PacketFlag, Rows, Verdict

METERED = int(Verdict.METERED)
F_FRAGMENT, F_FIRST, F_PORTS = int(PacketFlag.FRAGMENT), int(PacketFlag.FIRST_FRAGMENT), int(PacketFlag.PORTS)
SLOTS = 1 << 12
PLACE_BITS = np.uint64(64 - 12)
WORDS = 8  # of a slot: four of addresses, one of identification, ports, time
WINDOW_NS = 30_000_000_000  # RFC 6633 retired older advice; Linux gives a datagram 30 s (net.ipv4.ipfrag_time)
U64 = np.uint64


@leaf
def _what(row: np.void) -> np.uint64:
    """Identification, protocol and VLANs: with the addresses they name a datagram (RFC 791 section 3.2)."""
    tags = (U64(row["vlan"]) << U64(12)) | U64(row["vlan_inner"])
    return (U64(row["ip_id"]) << U64(48)) | (U64(row["protocol"]) << U64(32)) | tags


@leaf
def _is_of(slot: Hashes, row: np.void, what: np.uint64) -> bool:
    same = slot[0] == row["src_hi"] and slot[1] == row["src_lo"] and slot[2] == row["dst_hi"]
    return same and slot[3] == row["dst_lo"] and slot[4] == what


@brief
def join_fragments(rows: Rows, count: int, heard: Hashes) -> int:
    """Give later fragments among rows[:count] their ports; `heard` is (SLOTS, WORDS). Returns how many were joined."""
    joined = 0
    for i in range(count):
        row = rows[i]
        if not row["flags"] & F_FRAGMENT or row["verdict"] != METERED:
            continue
        what, now = _what(row), U64(row["time_ns"])
        mixed = what ^ (U64(row["src_lo"]) << U64(7)) ^ row["dst_lo"] ^ (row["src_hi"] << U64(3)) ^ row["dst_hi"]
        slot = heard[(mixed * U64(0x9E3779B97F4A7C15)) >> PLACE_BITS]
        if row["flags"] & F_FIRST:
            if row["flags"] & F_PORTS:
                slot[0], slot[1], slot[2], slot[3] = row["src_hi"], row["src_lo"], row["dst_hi"], row["dst_lo"]
                slot[4], slot[6] = what, now
                slot[5] = (U64(row["src_port"]) << U64(16)) | U64(row["dst_port"])
        elif _is_of(slot, row, what) and now - slot[6] <= U64(WINDOW_NS):
            row["src_port"], row["dst_port"] = slot[5] >> U64(16), slot[5] & U64(0xFFFF)
            row["flags"] |= F_PORTS
            joined += 1
    return joined
