"""Philips IntelliVue data export (UDP 24105) and connect indication (UDP 24005): message kinds, maker, model.

Layout: Data Export Interface Programming Guide, as open drivers read it. Bed label, system serial and everything of a
patient are not read: of a list of attributes two are.
"""

from collections.abc import Iterator

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_SESSIONS = {
    0x0D: "association-request",
    0x0E: "association-accept",
    0x0C: "association-refuse",
    0x09: "release-request",
    0x0A: "release-answer",
    0x19: "abort",
}
_DATA = 0xE100
_OPERATIONS = {1: "invoke", 2: "result", 3: "error", 5: "linked-result"}
_EVENT, _CONFIRMED_EVENT, _INVOKE = 0, 1, 1
_CREATED = 0x0D06  # NOM_NOTI_MDS_CREAT
_CONNECTS = 0x0D17  # NOM_NOTI_CONN_INDIC
_MODEL, _NETWORK = 0x0928, 0xF100
_ATTRIBUTES_MAX = 64
_MODEL_MAX = 40


def _attributes(octets: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Count (2), length (2), then number (2), length (2), value; a cut one ends the walk."""
    count = min(u16(octets, at), _ATTRIBUTES_MAX)
    at += 4
    for _ in range(count):
        end = at + 4 + u16(octets, at + 2)
        if at + 4 > len(octets) or end > len(octets):
            return
        yield u16(octets, at), octets[at + 4 : end]
        at = end


def _text(octets: bytes, at: int) -> tuple[str, int]:
    """A string with its length (2) before it, and the offset after it."""
    end = at + 2 + u16(octets, at)
    return (printable(octets[at + 2 : end].rstrip(b"\0"), _MODEL_MAX) if end <= len(octets) else "", end)


def _told(attributes: Iterator[tuple[int, bytes]]) -> list[Signal]:
    """Maker and model, and the card and address of a connect indication."""
    signals: list[Signal] = []
    for number, value in attributes:
        if number == _MODEL:
            maker, at = _text(value, 0)
            signals += [Signal("intellivue.maker", maker), Signal("intellivue.model", _text(value, at)[0])]
        elif number == _NETWORK and len(value) >= 10:
            card = int.from_bytes(value[:6], "big")
            signals.append(Signal("intellivue.address", "monitor", card, value[6:10]))
    return signals


def _event(octets: bytes, at: int) -> list[Signal]:
    """An event of the monitor itself: object (6), time (4), kind (2), length (2), attributes."""
    kind = u16(octets, at + 10)
    if kind == _CONNECTS:
        return [Signal("intellivue.says", "connect-indication"), *_told(_attributes(octets, at + 14))]
    if kind == _CREATED:  # the object's own identifier comes before its attributes
        return [Signal("intellivue.says", "monitor"), *_told(_attributes(octets, at + 14 + 6))]
    return []


def _operation(octets: bytes, at: int) -> list[Signal]:
    """Operation (2), length (2); of an invocation: number (2), command (2), length (2), argument."""
    operation = u16(octets, at)
    if operation == _INVOKE and u16(octets, at + 6) in {_EVENT, _CONFIRMED_EVENT}:
        return _event(octets, at + 10)
    return [Signal("intellivue.says", _OPERATIONS.get(operation, ""))]


def read(payload: bytes) -> list[Signal]:
    """Signals of one datagram: an association's header, data export, or a connect indication."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if len(payload) < 8:
        return []
    if u16(payload, 0) == _DATA:
        return bounded(_operation(payload, 4))
    if payload[0] in _SESSIONS and payload[1] >= 2:
        return [Signal("intellivue.says", _SESSIONS[payload[0]])]
    if payload[0] == 0 and u16(payload, 4) == _INVOKE:  # a nomenclature's number and version, then an operation
        return bounded(_operation(payload, 4))
    return []
