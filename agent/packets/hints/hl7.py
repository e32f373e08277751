"""HL7 v2 over MLLP: MSH-3 to MSH-6, MSH-9 and MSA-1 of the first message, nothing else: the rest holds patients.

One thing more is looked for, by whole words of a list: which kind of device a message of IHE's PCD-01 is about. What
stands around the word is not read.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable

_START = b"\x0b"  # MLLP start block
_SEGMENT_MAX_OCTETS = 512  # of the MSH segment that is looked at
_FIELDS_MAX_CHARS = 40
_TYPE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789^_")
_CODES = frozenset({b"AA", b"AE", b"AR", b"CA", b"CE", b"CR"})  # table 0008
# Reference identifiers of IEEE 11073-10101 for a whole device (MDS), which stand in OBR-4 or OBX-3 of PCD-01.
_DEVICE = b"^MDC_DEV_"
_DEVICES = {
    b"SYS_ANESTH": "anaesthesia",
    b"SYS_ANESTH_MDS": "anaesthesia",
    b"SYS_PT_VENT": "ventilator",
    b"SYS_PT_VENT_MDS": "ventilator",
}
_DEVICE_MAX_OCTETS = 32  # of such a word
_DEVICE_LOOKS_MAX = 4
_SEGMENTS_MAX = 4  # looked at for the acknowledgement: SFT and UAC may come before it


def _acknowledgement(rest: bytes, separator: bytes) -> str:
    """MSA-1, when one of the next segments is an MSA: two letters of table 0008 and nothing behind them."""
    for segment in rest.split(b"\r", _SEGMENTS_MAX)[:_SEGMENTS_MAX]:
        if segment[:4] == b"MSA" + separator:
            code = segment[4:6] if segment[6:7] in {separator, b""} else b""
            return code.decode("ascii") if code in _CODES else ""
    return ""


def _device(payload: bytes, component: bytes) -> str:
    """The kind of the first device of the list that is named; a kind of this file, never a word of the message."""
    at = 0
    for _ in range(_DEVICE_LOOKS_MAX):
        at = payload.find(component + _DEVICE[1:], at)
        if at < 0:
            break
        at += len(_DEVICE)
        kind = _DEVICES.get(payload[at : at + _DEVICE_MAX_OCTETS].partition(component)[0], "")
        if kind:
            return kind
    return ""


def read(payload: bytes) -> list[Signal]:
    """Signals of one message: applications and facilities (first component), message type, acknowledgement code."""
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
    code = _acknowledgement(payload[at + len(segment) + 1 :], separator)
    kind = printable(fields[8], 16).replace(component.decode("latin-1"), "^")
    return bounded(
        [
            Signal("hl7.sender", sender),
            Signal("hl7.sender-facility", sender_facility),
            Signal("hl7.receiver", receiver, about_peer=True),
            Signal("hl7.receiver-facility", receiver_facility, about_peer=True),
            Signal("hl7.message", kind if kind and _TYPE.issuperset(kind) else ""),
            Signal("hl7.ack", code),
            Signal("hl7.device", _device(payload, component)),
        ]
    )
