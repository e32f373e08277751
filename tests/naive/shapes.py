"""Shapes of headers that only an attack has, as the slow decoder finds them.

A source route (IPv4 options 131 and 137, IPv6 routing type 0 with segments left), a tiny fragment (TCP's at offset 8,
or a first one that does not hold the TCP header), a length that lies (an unfragmented TCP segment shorter than its
header, an offset below 20, a UDP length that does not fit), the first fragment of IP in IP.
"""

from agent.packets.records import HintKind
from tests.naive.transport import TCP, UDP
from tests.naive.walk import Walk

IP_IN_IP, ROUTING = 4, 43
ROUTES = {131, 137}


def option_kinds(options: bytes) -> list[int]:
    """RFC 791 section 3.1: kinds of options in order, as far as the list is sound."""
    kinds, left = [], options
    while left and left[0] != 0:
        kinds.append(left[0])
        size = 1 if left[0] == 1 else (left[1] if len(left) > 1 else 0)
        if size < 1 or (size < 2 and left[0] != 1):
            break
        left = left[size:]
    return kinds


def ipv4_shapes(walk: Walk, size: int, offset: int) -> None:
    """Of an IPv4 header; `offset` in units of eight octets."""
    if ROUTES & set(option_kinds(walk.data[walk.at + 20 : walk.at + size])):
        walk.note(HintKind.SOURCE_ROUTE)
    if offset == 1 and walk.row["protocol"] == TCP:
        walk.note(HintKind.TINY_FRAGMENT)


def routing_shapes(walk: Walk, kind: int) -> None:
    """Of an IPv6 extension header of this kind."""
    if kind == ROUTING and walk.number(2, 1) == 0 and walk.number(3, 1) > 0:
        walk.note(HintKind.SOURCE_ROUTE)


def transport_shapes(walk: Walk, length: int, captured: int, *, first: bool) -> None:
    """What a transport header says that cannot be: RFC 1858 for fragments, RFC 9293 and 768 for lengths."""
    protocol = walk.row["protocol"]
    if protocol == TCP:
        said = 4 * (walk.number(12, 1) >> 4) if captured >= 20 else 20
        if first and (length < 20 or 20 <= said > length):
            walk.note(HintKind.TINY_FRAGMENT)
        elif length < 20 or said < 20 or said > length:
            walk.note(HintKind.LENGTH_LIE)
    if protocol == UDP and captured >= 8 and not first and walk.number(4, 2) not in {0, *range(8, length + 1)}:
        walk.note(HintKind.LENGTH_LIE)
    if protocol == IP_IN_IP and first:
        walk.note(HintKind.TUNNEL_FRAGMENT)
