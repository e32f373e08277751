"""What leaves the flow cache: biflow records (RFC 5103), with IPFIX meanings."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]


class FlowEndReason(IntEnum):
    """IPFIX element 136, flowEndReason."""

    IDLE = 1
    ACTIVE = 2
    END_DETECTED = 3
    FORCED = 4
    LACK_OF_RESOURCES = 5


class Direction(IntEnum):
    """How the originator was chosen (IPFIX element 239, biflowDirection, says the first two; the rest is ours)."""

    ARBITRARY = 0
    INITIATOR = 1  # its SYN was seen (or the SYN/ACK that answers it)
    PORT = 2  # the other side has a well-known port
    FIRST_SEEN = 3


class FlowState(IntEnum):
    """Bits of BIFLOW.state."""

    SYN = 1  # the originator's SYN was seen
    SYN_ACK = 2  # the responder's SYN/ACK was seen
    ESTABLISHED = 4  # and the originator's ACK after it
    RESET = 8
    FIN_FORWARD = 16
    FIN_REVERSE = 32
    CLOSED = 64  # both FINs or a reset
    REPORTED = 128  # its outcome was given to the edge table


BIFLOW = np.dtype(
    [
        ("key_lo_hi", "<u8"),  # direction-free key: the lower address and its port first
        ("key_lo_lo", "<u8"),
        ("key_hi_hi", "<u8"),
        ("key_hi_lo", "<u8"),
        ("key_ports", "<u8"),  # lower's port << 48 | higher's port << 32 | vlan << 16 | protocol << 8 | 1
        ("first_ns", "<i8"),
        ("last_ns", "<i8"),
        ("forward_packets", "<u8"),
        ("forward_octets", "<u8"),  # layer 3 octets
        ("reverse_packets", "<u8"),
        ("reverse_octets", "<u8"),
        ("forward_payload", "<u8"),  # transport payload octets
        ("reverse_payload", "<u8"),
        ("originator_mac", "<u8"),
        ("responder_mac", "<u8"),
        ("originator_device", "<u4"),  # slot in the device table; NO_SLOT when the table was full
        ("responder_device", "<u4"),
        ("originator_edge", "<u4"),  # slot in the edge table, NO_SLOT when none
        ("responder_edge", "<u4"),
        ("forward_data", "<u4"),  # packets with payload
        ("reverse_data", "<u4"),
        ("tcp_flags_forward", "u1"),
        ("tcp_flags_reverse", "u1"),
        ("state", "u1"),
        ("application", "u1"),
        ("direction", "u1"),
        ("originator_is_hi", "u1"),  # 1: the originator is the higher end of the key
        ("end_reason", "u1"),
        ("hinted", "u1"),  # payloads looked at so far: low nibble forward, high nibble reverse
    ],
    align=True,
)
assert BIFLOW.itemsize == 152
NO_SLOT = 0xFFFFFFFF
