"""A mirror's second copies: the same packet heard twice within a millisecond.

Same addresses, ports, IP id, transport checksum, sequence numbers, TTL, VLAN and length. Another VLAN or another TTL
is another hop or segment of one packet, and is kept. A second copy gets the verdict DUPLICATE: counted, neither
metered nor judged.
"""

import numpy as np

from agent.jit import Hashes, Words, fetch_line, kernel, leaf
from agent.packets.records import PacketFlag, Rows, Verdict

METERED, DUPLICATE = int(Verdict.METERED), int(Verdict.DUPLICATE)
F_PORTS, F_TUNNELLED = int(PacketFlag.PORTS), int(PacketFlag.TUNNELLED)
WINDOW_NS = (
    1_000_000  # a switch copies ingress and egress of one packet within microseconds; a host resends after far more
)
SLOTS = 1 << 12  # a copy comes within some 10 us: at 1.5 million packets a second 15 packets, 0.4 % of the slots
PLACE_BITS = np.uint64(64 - 12)
WORDS = 8  # of a slot, six of them used: one cache line
AHEAD = 16  # packets between asking for a slot's line and reading it
U64 = np.uint64


@leaf
def _ports(row: np.void) -> np.uint64:
    """What changes most between the packets of one flow, and between flows."""
    one = (U64(row["src_port"]) << U64(48)) | (U64(row["dst_port"]) << U64(32)) | (U64(row["ip_id"]) << U64(16))
    return one | U64(row["l4_checksum"])


@leaf
def _place(row: np.void) -> np.uint64:
    """A packet's slot. Each hop of a packet has its own, or two that take turns would overwrite one another."""
    two = (U64(row["tcp_seq"]) << U64(32)) | U64(row["tcp_ack"])
    hop = (U64(row["vlan"]) << U64(16)) | (U64(row["ttl"]) << U64(8))
    mixed = _ports(row) ^ two ^ hop ^ (U64(row["src_lo"]) << U64(1)) ^ U64(row["dst_lo"])
    return (mixed * U64(0x9E3779B97F4A7C15)) >> PLACE_BITS


@kernel
def mark_duplicates(rows: Rows, count: int, recent: Hashes, verdicts: Words) -> None:
    """`recent` (SLOTS, WORDS) holds what was seen last in each slot; verdicts of second copies change to DUPLICATE.

    The slot is chosen by a plain mix because every word is compared in full: a chosen collision only overwrites a
    slot, which costs one unrecognised duplicate.
    """
    for i in range(count):
        row = rows[i]
        if i + AHEAD < count:
            fetch_line(recent, _place(rows[i + AHEAD]), 0)
        if row["verdict"] != METERED or not row["flags"] & F_PORTS or row["flags"] & F_TUNNELLED:
            continue
        if row["ip_id"] == 0 and row["l4_checksum"] == 0:
            continue  # nothing in it tells a repeat from a copy
        one, two = _ports(row), (U64(row["tcp_seq"]) << U64(32)) | U64(row["tcp_ack"])
        three = (U64(row["l3_octets"]) << U64(32)) | (U64(row["vlan"]) << U64(16)) | (U64(row["ttl"]) << U64(8))
        three |= U64(row["protocol"])
        source, destination = U64(row["src_lo"]), U64(row["dst_lo"])
        place, now = _place(row), U64(row["time_ns"])
        same = recent[place, 0] == one and recent[place, 1] == two and recent[place, 2] == three
        same = same and recent[place, 3] == source and recent[place, 4] == destination
        if same and now - recent[place, 5] <= U64(WINDOW_NS):
            row["verdict"] = DUPLICATE
            row["hint"] = 0
            verdicts[METERED] -= 1
            verdicts[DUPLICATE] += 1
            continue
        recent[place, 0], recent[place, 1], recent[place, 2] = one, two, three
        recent[place, 3], recent[place, 4], recent[place, 5] = source, destination, now
