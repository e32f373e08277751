"""Why packets of tshark and records of wardtap may differ, and where they agree only because both decided alike."""

from enum import StrEnum
from typing import NamedTuple


class Effect(StrEnum):
    """What a reason does to the comparison."""

    EQUAL = "counted, and equal"  # both count such packets alike; other tools may not
    LEFT_OUT = "left out"  # tshark counts such packets, wardtap does not
    BOUNDED = "within bounds"  # wardtap may count such packets or not, but no other


class Reason(NamedTuple):
    """A named reason, its effect and what it means."""

    name: str
    effect: Effect
    meaning: str


COPY = Reason(
    "copy",
    Effect.LEFT_OUT,
    "a mirror's second copy: the same packet (flows.md says what is compared) within a millisecond. tshark counts each "
    "copy, wardtap meters one and counts the rest as `duplicate`",
)
LATE_COPY = Reason(
    "late-copy",
    Effect.BOUNDED,
    "such a copy more than 256 frames after the first: wardtap remembers 4,096 packets, so it recognises some and "
    "meters others. What wardtap counts lies between none and all of them, and the rest is its `duplicate` count",
)
LINK = Reason("link-not-read", Effect.LEFT_OUT, "a link type that wardtap does not read (FDDI): `unsupported-link`")
FAMILY = Reason(
    "loopback-family",
    Effect.LEFT_OUT,
    "a loopback header whose family word no system writes: tshark guesses that the other half of it is an EtherType, "
    "wardtap counts a frame without an IP packet",
)
HEADERS_CUT = Reason(
    "headers-cut",
    Effect.LEFT_OUT,
    "the IPv6 extension headers are not whole, so nobody knows the transport: tshark shows the addresses, wardtap "
    "counts `truncated` or `malformed`",
)
TOO_DEEP = Reason(
    "too-deep",
    Effect.LEFT_OUT,
    "more than 3 VLAN tags, 8 MPLS labels, 8 IPv6 extension headers, 4 tunnels or 16 headers: wardtap stops and counts "
    "`too-deep`",
)
TUNNEL = Reason(
    "tunnel-not-entered",
    Effect.EQUAL,
    "tshark goes into a tunnel that wardtap does not read (GTP): the outer packets are compared",
)
AROUND_NO_IP = Reason(
    "tunnel-around-no-ip",
    Effect.EQUAL,
    "a tunnel around something else than a whole IP packet (ARP, garbage): the outer packets are compared",
)
INSIDE = Reason(
    "inside-a-tunnel",
    Effect.EQUAL,
    "the packet inside is compared, and the outer one is counted by nobody. tshark's own conversations count both",
)
LATER_FRAGMENT = Reason(
    "later-fragment",
    Effect.EQUAL,
    "a later part of a datagram has no ports of its own; it is counted with its first part. tshark's own conversations "
    "leave it out of TCP and UDP",
)
HEADLESS = Reason(
    "headless-fragment",
    Effect.EQUAL,
    "a later part whose first part was not heard in the 30 s before: a flow without ports",
)
QUOTED = Reason(
    "quoted-packet", Effect.EQUAL, "an ICMP error quotes a packet: the error is counted, the quoted one is not"
)
CUT = Reason(
    "cut-by-the-capture",
    Effect.EQUAL,
    "the capture kept less than the frame: octets are those that the IP header states",
)
LIE = Reason(
    "longer-than-its-frame",
    Effect.EQUAL,
    "the IP header states more octets than the frame had: octets are as stated",
)
SUPER_PACKET = Reason(
    "super-packet",
    Effect.EQUAL,
    "more octets than 16 bits can state (an offload's): the frame's length decides",
)
ROUTED = Reason(
    "source-route",
    Effect.EQUAL,
    "an IPv6 routing header names another last address: the flow is that of the IP header's addresses. tshark's own "
    "conversations go by the last address",
)
REASONS = (
    *(COPY, LATE_COPY, LINK, FAMILY, HEADERS_CUT, TOO_DEEP),
    *(TUNNEL, AROUND_NO_IP, INSIDE, LATER_FRAGMENT, HEADLESS, ROUTED, QUOTED, CUT, LIE, SUPER_PACKET),
)


class IdReason(NamedTuple):
    """Why a witness has no Community ID for a biflow, or another one."""

    name: str
    meaning: str


NO_PORTS = IdReason("no-ports", "a flow of later fragments: the reference refuses a flow of its protocol without ports")
FROM_INSIDE = IdReason(
    "tshark-looks-inside", "tshark's ID is that of the packet in a tunnel that wardtap does not read"
)
OF_PARTS = IdReason("tshark-of-parts", "tshark's ID of a later fragment has no ports, or there is none")
NO_TRANSPORT = IdReason(
    "tshark-without-transport", "tshark has no ID, or that of the outer packet, where nothing follows the IP headers"
)
ID_REASONS = (NO_PORTS, FROM_INSIDE, OF_PARTS, NO_TRANSPORT)
