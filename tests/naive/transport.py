"""The transports of the slow decoder: TCP (RFC 9293), UDP (768), ICMP (792), ICMPv6 (4443) and SCTP (9260)."""

from agent.packets.records import PacketFlag
from tests.naive.walk import Walk

TCP, UDP, ICMP, ICMPV6, SCTP = 6, 17, 1, 58, 132
TWO_PORTS = {TCP, UDP, SCTP}
FIXED_HEADER = {TCP: 20, UDP: 8, ICMP: 4, ICMPV6: 4, SCTP: 12}
CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2, SCTP: 10}  # of SCTP's 32 bits the lower half


def transport(walk: Walk, protocol: int, length: int, captured: int) -> int:
    """Read ports and the rest; gives the header's size on the wire, never more than `length`."""
    row = walk.row
    if protocol not in FIXED_HEADER:
        return 0
    if captured >= (4 if protocol in TWO_PORTS else 2):
        row["flags"] |= PacketFlag.PORTS
        row["src_port"], row["dst_port"] = walk.number(0, 2), walk.number(2, 2) if protocol in TWO_PORTS else 0
    if protocol == TCP and captured >= 14:
        row["tcp_flags"] = walk.number(13, 1)
    size = {TCP: 20, SCTP: 12}.get(protocol, 8)
    if captured >= FIXED_HEADER[protocol]:
        row["l4_checksum"] = walk.number(CHECKSUM_AT[protocol], 2)
        if protocol == TCP:
            row["tcp_seq"], row["tcp_ack"] = walk.number(4, 4), walk.number(8, 4)
            row["tcp_window"] = walk.number(14, 2)
            size = 4 * (walk.number(12, 1) >> 4)
            if size < 20:
                return length
    return min(size, length)
