"""What leaves the tap: bursts of frames. A burst is a FRAME table and the octets its offsets point into."""

from collections.abc import Iterator
from enum import StrEnum
from itertools import cycle
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Rows per burst: their rows and two cache lines of each frame are 1.1 MB; fewer calls win over a smaller cache.
BURST_FRAMES_MAX = 4096
BURSTS_AHEAD = 4  # bursts that may be open at once: one is metered while the next are decoded
LEGS_MAX = 4  # a full-duplex tap has two legs, two taps have four

FRAME = np.dtype(
    [
        ("time_ns", "<i8"),  # nanoseconds since 1970, from the ring, libpcap or the file
        ("offset", "<i8"),  # first octet of the frame in the burst's octets
        ("caplen", "<u4"),  # octets that were captured
        ("wirelen", "<u4"),  # octets it would have here if it were whole; 0 when the backend cannot know (pcapy)
        ("link", "<u2"),  # link type (LINKTYPE_*, 1 = Ethernet)
        ("leg", "u1"),  # which leg heard it; on a full-duplex tap the leg gives the direction
        ("pad", "u1"),
        ("vlan", "<u2"),  # 802.1Q tag control information that the ring took out of the frame; 0 = none
        ("taken", "<u2"),  # octets of that tag, which were on the wire and are in no length: 4, or 0
    ],
    align=True,
)
assert FRAME.itemsize == 32

Octets = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.void]


class Burst(NamedTuple):
    """`frames[:count]` are the frames, `octets` what their offsets point into."""

    frames: Rows
    count: int  # type: ignore[assignment] # frames, not tuple.count
    octets: Octets

    def __repr__(self) -> str:
        """No octet of a frame: whoever prints a burst by mistake prints no patient."""
        return f"Burst({self.count} frames, {len(self.octets)} octets)"


def frame_buffers() -> Iterator[Rows]:
    """Frame tables in turn, for ever: a burst stays valid while the next BURSTS_AHEAD - 1 are read."""
    return cycle([np.zeros(BURST_FRAMES_MAX, FRAME) for _ in range(BURSTS_AHEAD)])


class Fault(StrEnum):
    """Why a leg hears nothing, or soon will not; the words are those of a sentence."""

    NONE = ""
    DOWN = "down"
    GONE = "gone"
    NO_CARRIER = "no carrier"
    RENAMED = "renamed"  # it still hears, and after a restart it would not

    @property
    def blind(self) -> bool:
        """Whether nothing can be heard at present."""
        return self not in {Fault.NONE, Fault.RENAMED}


class LegCounts(NamedTuple):
    """What one leg can say about itself since takeover: counters of the kernel and of the interface, not ours."""

    name: str
    frames: int  # received by the backend
    dropped: int  # lost by the kernel (ring full) or the interface
    frozen: int  # times the ring stood still (TPACKET_V3 freeze_q_cnt)
    tx_packets: int  # transmitted by the interface since takeover: must stay 0
    received: int = 0  # by the kernel for this backend: frames + those it dropped + those that wait to be read
    nic_received: int = 0  # by the interface (rx_packets)
    nic_lost: int = 0  # by the interface, for want of buffers (rx_missed_errors, rx_fifo_errors); part of `dropped`
    nic_errors: int = 0  # damaged on the wire or on the card (rx_errors)
    blind_ns: int = 0  # how long nothing could be heard, in all
    fault: Fault = Fault.NONE  # at present
