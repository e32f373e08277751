"""The cursor of a walk through one frame: where it stands, where the packet ends, what comes next; and guarded reads.

The leaves of `walk_link`, `walk_ip` and `walk_transport` each read one header and name the next in NEXT; the chain is
in `kernels.py`. A leaf answers MORE, or the frame's verdict.
"""

import numpy as np

from agent.jit import Words, leaf
from agent.packets.records import HintKind, PacketFlag, Verdict
from agent.tap.records import Octets

Cursor = Words
U64 = np.uint64
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)

# Columns of the cursor.
AT = 0  # next octet to read
END = 1  # first octet that was not captured (or does not belong to the packet)
WIRE_END = 2  # where the packet ends on the wire
NEXT = 3  # what comes at AT: an EtherType, or TRANSPORT + protocol number, or ETHERNET_INSIDE
TAGS = 4  # VLAN tags seen
CURSOR_SIZE = 5

# Rows of the scratch table that goes with a cursor.
BLANK = 0  # stays zero
KEPT = 1  # the packet outside the tunnel that is being walked
SCRATCH = 2

TRANSPORT = 0x10000
ETHERNET_INSIDE = 0x20000
MORE = -1  # a step's answer: go on with NEXT

METERED, LINK, EMPTY, TRUNCATED = int(Verdict.METERED), int(Verdict.LINK), int(Verdict.EMPTY), int(Verdict.TRUNCATED)
MALFORMED, UNSUPPORTED = int(Verdict.MALFORMED), int(Verdict.UNSUPPORTED)
TOO_DEEP = int(Verdict.TOO_DEEP)
F_FRAGMENT, F_FIRST, F_CUT = int(PacketFlag.FRAGMENT), int(PacketFlag.FIRST_FRAGMENT), int(PacketFlag.CUT)
# Shapes of headers that stacks of small devices fell over; the first that is met in a packet stays in its row's `hint`.
H_ROUTE, H_TINY, H_LIE = int(HintKind.SOURCE_ROUTE), int(HintKind.TINY_FRAGMENT), int(HintKind.LENGTH_LIE)
H_TUNNEL = int(HintKind.TUNNEL_FRAGMENT)
F_BROADCAST, F_MULTICAST = int(PacketFlag.BROADCAST), int(PacketFlag.MULTICAST)
F_TUNNELLED, F_PORTS, F_NO_MAC = int(PacketFlag.TUNNELLED), int(PacketFlag.PORTS), int(PacketFlag.NO_MAC)


# Reads index with unsigned numbers: a signed index makes numba ask at every octet whether it counts from the end, and
# keeps the compiler from reading a word at once (measured: 112 ns a frame before).
@leaf
def u16(octets: Octets, at: int) -> int:
    """Two octets, network order; the caller has asked `have`."""
    i = U64(at)
    return (np.int64(octets[i]) << 8) | np.int64(octets[i + ONE])


@leaf
def u32(octets: Octets, at: int) -> int:
    """Four octets, network order; the caller has asked `have`."""
    i = U64(at)
    high = (np.uint32(octets[i]) << np.uint32(24)) | (np.uint32(octets[i + ONE]) << np.uint32(16))
    return np.int64(high | (np.uint32(octets[i + TWO]) << np.uint32(8)) | np.uint32(octets[i + THREE]))


@leaf
def u48(octets: Octets, at: int) -> int:
    """Six octets, network order: a MAC address."""
    return (u16(octets, at) << 32) | u32(octets, at + 2)


@leaf
def u64(octets: Octets, at: int) -> np.uint64:
    """Eight octets, network order: half an IPv6 address."""
    return (U64(u32(octets, at)) << U64(32)) | U64(u32(octets, at + 4))


@leaf
def have(cursor: Cursor, octets: int) -> int:
    """METERED (0) when that many octets can be read at AT; else whether the capture or the packet is too short."""
    if cursor[END] - cursor[AT] >= octets:
        return METERED
    return TRUNCATED if cursor[WIRE_END] - cursor[AT] >= octets else MALFORMED
