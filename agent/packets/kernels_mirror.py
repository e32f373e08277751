"""A mirror's second copies: the same packet heard twice within a millisecond.

Same addresses, ports, IP id, transport checksum, sequence numbers, TTL, VLAN and length. Another VLAN or another TTL
is another hop or segment of one packet, and is kept. A second copy gets the verdict DUPLICATE: counted, neither
metered nor judged.
"""

import numpy as np

from agent.jit import Hashes, Words, kernel
from agent.packets.records import PacketFlag, Rows, Verdict

METERED, DUPLICATE = int(Verdict.METERED), int(Verdict.DUPLICATE)
F_PORTS, F_TUNNELLED = int(PacketFlag.PORTS), int(PacketFlag.TUNNELLED)
WINDOW_NS = (
    1_000_000  # a switch copies ingress and egress of one packet within microseconds; a host resends after far more
)
SLOTS = 1 << 13  # at 1.5 million packets a second a millisecond holds 1500
U64 = np.uint64


@kernel
def mark_duplicates(rows: Rows, count: int, recent: Hashes, verdicts: Words) -> None:
    """`recent` (SLOTS, 6) holds what was seen last in each slot; verdicts of second copies change to DUPLICATE.

    The slot is chosen by a plain mix because every word is compared in full: a chosen collision only overwrites a
    slot, which costs one unrecognised duplicate.
    """
    for i in range(count):
        row = rows[i]
        if row["verdict"] != METERED or not row["flags"] & F_PORTS or row["flags"] & F_TUNNELLED:
            continue
        if row["ip_id"] == 0 and row["l4_checksum"] == 0:
            continue  # nothing in it tells a repeat from a copy
        one = (U64(row["src_port"]) << U64(48)) | (U64(row["dst_port"]) << U64(32)) | (U64(row["ip_id"]) << U64(16))
        one |= U64(row["l4_checksum"])
        two = (U64(row["tcp_seq"]) << U64(32)) | U64(row["tcp_ack"])
        three = (U64(row["l3_octets"]) << U64(32)) | (U64(row["vlan"]) << U64(16)) | (U64(row["ttl"]) << U64(8))
        three |= U64(row["protocol"])
        source, destination = U64(row["src_lo"]), U64(row["dst_lo"])
        mixed = (one ^ two ^ (source << U64(1)) ^ destination) * U64(0x9E3779B97F4A7C15)
        place, now = mixed >> U64(51), U64(row["time_ns"])  # 13 bits: SLOTS
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
