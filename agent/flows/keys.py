"""What makes two packets one biflow: the direction-free key. Leaves of the flow kernels."""

import numpy as np

from agent.jit import leaf
from agent.packets.records import PacketFlag

F_PORTS = int(PacketFlag.PORTS)
TCP, ICMP, ICMPV6 = 6, 1, 58
U64 = np.uint64
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
MAPPED_TOP = np.uint64(0xFFFF)  # the upper half of the lower word of a mapped IPv4 address


@leaf
def request_type(protocol: int, port: int) -> int:
    """An ICMP reply's type is mapped to its request's, so that both are one biflow; code kept."""
    kind, code = port >> 8, port & 255
    if protocol == ICMP:
        if kind == 0:
            kind = 8
        elif kind == 14 or kind == 16 or kind == 18:
            kind -= 1
    elif kind == 129:
        kind = 128
    elif kind == 134 or kind == 136:
        kind -= 1
    return (kind << 8) | code


@leaf
def key_of(row: np.void, protocol: int) -> tuple[bool, tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]]:
    """The direction-free key of a packet, and whether its source is the higher end.

    ICMP's type and code stand in the place of the port that is asked. So two hosts that ask each other the same are two
    biflows, and an error has one direction, as with Community IDs.
    """
    source, destination = U64(row["src_port"]), U64(row["dst_port"])
    if (protocol == ICMP or protocol == ICMPV6) and row["flags"] & F_PORTS:  # a later fragment has no type
        asked = U64(request_type(protocol, np.int64(row["src_port"])))
        source, destination = (U64(0), asked) if asked == source else (asked, U64(0))
    s_hi, s_lo, d_hi, d_lo = row["src_hi"], row["src_lo"], row["dst_hi"], row["dst_lo"]
    higher = s_hi > d_hi or (s_hi == d_hi and (s_lo > d_lo or (s_lo == d_lo and source > destination)))
    # Which end comes first is a coin toss to a branch predictor: the ends are swapped with a mask.
    swap = U64(higher) * ALL_ONES
    hi, lo, port = (s_hi ^ d_hi) & swap, (s_lo ^ d_lo) & swap, (source ^ destination) & swap
    below = (U64(row["vlan"]) << U64(20)) | (U64(row["vlan_inner"]) << U64(8)) | U64(protocol)
    ports = ((source ^ port) << U64(48)) | ((destination ^ port) << U64(32)) | below
    return higher, (s_hi ^ hi, s_lo ^ lo, d_hi ^ hi, d_lo ^ lo, ports)


@leaf
def is_ipv4(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> bool:
    """Whether both addresses of a key, (a, b) and (c, d), are IPv4 mapped."""
    return a | c == U64(0) and b >> U64(32) == MAPPED_TOP and d >> U64(32) == MAPPED_TOP
