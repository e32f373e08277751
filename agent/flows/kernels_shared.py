"""Share: what the rows of one worker tell all of them, before any of them meters its own.

Before: decoded rows. After: services that accepted a connection are in the table that all caches look into, with the
time at which they did; on links without MAC addresses both ends are named by their IP addresses, as the device table
names them. Cost: one look at each row.
"""

import numpy as np

from agent.flows.keys import TCP
from agent.flows.lifecycle import ACK, RST, SYN, learn_server
from agent.flows.records import Rows
from agent.jit import Hashes, brief
from agent.keyed import address_name
from agent.packets.records import PacketFlag, Verdict

METERED, LINK = int(Verdict.METERED), int(Verdict.LINK)
F_NO_MAC = int(PacketFlag.NO_MAC)
U64 = np.uint64


@brief
def share_rows(rows: Rows, count: int, secret: Hashes, servers: Hashes) -> None:
    """Learn from rows[:count] who serves, and name who has no MAC address. `servers` is (SERVERS_SIZE)."""
    for i in range(count):
        row = rows[i]
        verdict = row["verdict"]
        if verdict == METERED and row["protocol"] == TCP and row["tcp_flags"] & (SYN | ACK | RST) == SYN | ACK:
            learn_server(row, servers)
        named = (row["src_hi"] | row["src_lo"]) != U64(0)
        if row["flags"] & F_NO_MAC and named and row["src_mac"] == U64(0) and (verdict == METERED or verdict == LINK):
            row["src_mac"] = address_name(secret[0], secret[1], row["src_hi"], row["src_lo"])
            row["dst_mac"] = address_name(secret[0], secret[1], row["dst_hi"], row["dst_lo"])
