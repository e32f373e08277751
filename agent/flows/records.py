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
    LEARNED = 4  # the other side was seen to accept connections on this port


class FlowState(IntEnum):
    """Bits of BIFLOW.state."""

    SYN = 1  # the originator's SYN was seen
    SYN_ACK = 2  # the responder's SYN/ACK was seen
    ESTABLISHED = 4  # and the originator's ACK after it
    RESET = 8
    FIN_FORWARD = 16
    FIN_REVERSE = 32
    CLOSED = 64  # both FINs or a reset


class FlowMark(IntEnum):
    """Bits of BIFLOW.marks: what has been told about a flow so far; each is told once."""

    ANSWERED = 1  # TCP: SYN/ACK, or anything but a reset on a flow met in its middle; else any packet back
    REFUSED = 2  # the responder reset it before it was answered
    HANDSHAKE = 4  # SYN, SYN/ACK and the originator's ACK were seen
    EXCHANGED = 8  # payload both ways
    TWO_WAY_DATA = 16  # two payload packets each way


class FlowEvent(IntEnum):
    """Why a copy of a biflow left the cache."""

    STARTED = 1  # its first packet
    PROGRESS = 2  # a FlowMark was set (several of one burst are one event)
    ENDED = 3  # the record is final, or the active timeout cut it
    UPDATED = 4  # an interval closed while it lived


BIFLOW = np.dtype(
    [
        ("key_lo_hi", "<u8"),  # direction-free key: the lower (address, port) end first; IPv4 mapped
        ("key_lo_lo", "<u8"),
        ("key_hi_hi", "<u8"),
        ("key_hi_lo", "<u8"),
        ("key_ports", "<u8"),  # lower's port << 48 | higher's << 32 | vlan << 20 | inner vlan << 8 | protocol
        # (ICMP: type << 8 | code of the request for the end that is asked, 0 for the other)
        ("last_ns", "<i8"),
        ("first_ns", "<i8"),
        ("forward_packets", "<u8"),
        # The second cache line.
        ("forward_octets", "<u8"),  # layer 3: IP total length (RFC 7011 octetDeltaCount)
        ("reverse_packets", "<u8"),
        ("reverse_octets", "<u8"),
        ("forward_payload", "<u8"),  # transport payload octets
        ("reverse_payload", "<u8"),
        ("forward_next", "<u4"),  # the sequence number after the newest payload
        ("reverse_next", "<u4"),
        ("forward_data", "u1"),  # packets with payload, 255 and more are 255
        ("reverse_data", "u1"),
        ("tcp_flags_forward", "u1"),
        ("tcp_flags_reverse", "u1"),
        ("state", "u1"),  # FlowState bits
        ("application", "u1"),  # packets.records.Application, by content
        ("direction", "u1"),  # Direction: how the originator was chosen
        ("originator_is_hi", "u1"),  # 1: the originator is the higher end of the key
        ("end_reason", "u1"),  # FlowEndReason, 0 while it lives
        ("looked_at", "u1"),  # payloads looked at for hints: low nibble forward, high nibble reverse
        ("marks", "u1"),  # FlowMark bits
        ("event", "u1"),  # FlowEvent, in copies that left the cache
        ("flags", "u1"),  # packets.records.PacketFlag of the first packet
        ("told_marks", "u1"),  # marks as of its last event
        ("pad", "u1", (2,)),
        # The third, which a packet that changes nothing but counts does not touch.
        ("originator_mac", "<u8"),
        ("responder_mac", "<u8"),
        ("told_forward_octets", "<u8"),  # counts as of its last event: the next event tells the difference
        ("told_reverse_octets", "<u8"),
        ("told_forward_packets", "<u4"),
        ("told_reverse_packets", "<u4"),
        ("forward_resent", "<u4"),  # payload octets at sequence numbers that were seen before: resent, or out of order
        ("reverse_resent", "<u4"),
        ("step_ns", "<i8"),  # the last step of the handshake: SYN, then SYN/ACK
        ("rtt_responder_us", "<u4"),  # SYN to SYN/ACK: from the tap to the responder and back; 0 = not seen
        ("rtt_originator_us", "<u4"),  # SYN/ACK to ACK: from the tap to the originator and back
    ],
    align=True,
)
assert BIFLOW.itemsize == 192
