"""HL7 v2 over MLLP: MSH-3 to MSH-6 and MSH-9 of the first message, nothing else: other segments hold patients."""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable

_START = b"\x0b"  # MLLP start block
_SEGMENT_MAX_OCTETS = 512  # of the MSH segment that is looked at
_FIELDS_MAX_CHARS = 40
_TYPE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789^_")


def read(payload: bytes) -> list[Signal]:
    """Signals of one message: applications and facilities (first component), message type."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    at = 1 if payload[:1] == _START else 0
    if payload[at : at + 3] != b"MSH" or len(payload) < at + 8:
        return []
    separator, component = payload[at + 3 : at + 4], payload[at + 4 : at + 5]
    if separator.isalnum() or component.isalnum() or separator == component or separator in {b"\r", b"\n"}:
        return []
    segment = payload[at : at + _SEGMENT_MAX_OCTETS].partition(b"\r")[0].partition(b"\n")[0]
    fields = segment.split(separator, 9)[:9]  # MSH-1 is the separator itself, so fields[n] is MSH-(n+1)
    if len(segment) == _SEGMENT_MAX_OCTETS or len(payload) == at + len(segment):
        fields = fields[:-1]  # the last may be cut
    fields += [b""] * (9 - len(fields))
    sender, sender_facility, receiver, receiver_facility = (
        printable(field.partition(component)[0], _FIELDS_MAX_CHARS) for field in fields[2:6]
    )
    kind = printable(fields[8], 16).replace(component.decode("latin-1"), "^")
    return bounded(
        [
            Signal("hl7.sender", sender),
            Signal("hl7.sender-facility", sender_facility),
            Signal("hl7.receiver", receiver, about_peer=True),
            Signal("hl7.receiver-facility", receiver_facility, about_peer=True),
            Signal("hl7.message", kind if kind and _TYPE.issuperset(kind) else ""),
        ]
    )
