"""Modbus/TCP (Modbus Application Protocol 1.1b3): kinds of requests and refusals, and who a device says its maker is.

Of a device identification (function 43, MEI type 14) the maker, product code and revision are read; user names of a
unit, registers and values never.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_FUNCTIONS = {
    1: "read-coils",
    2: "read-inputs",
    3: "read-registers",
    4: "read-input-registers",
    5: "write-coil",
    6: "write-register",
    7: "read-exception-status",
    8: "diagnostics",
    11: "event-counter",
    12: "event-log",
    15: "write-coils",
    16: "write-registers",
    17: "report-server-id",
    20: "read-file",
    21: "write-file",
    22: "mask-write-register",
    23: "read-write-registers",
    24: "read-fifo",
    43: "read-identification",
}
_REFUSED, _IDENTIFICATION, _IDENTIFY = 0x80, 43, 14
_OBJECTS = {0: "modbus.maker", 1: "modbus.product", 2: "modbus.revision"}
_OBJECTS_MAX = 16


def _identification(octets: bytes) -> list[Signal]:
    """Objects of an answer: kind, level, more, next, count, then number (1), length (1), text."""
    signals: list[Signal] = []
    at = 6
    for _ in range(min(octets[5], _OBJECTS_MAX)):
        end = at + 2 + octets[at + 1] if at + 2 <= len(octets) else len(octets) + 1
        if end > len(octets):
            break
        if octets[at] in _OBJECTS:
            signals.append(Signal(_OBJECTS[octets[at]], printable(octets[at + 2 : end], 64)))
        at = end
    return signals


def read(payload: bytes) -> list[Signal]:
    """Signals of one message: transaction (2), protocol 0 (2), length (2), unit (1), function (1)."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if len(payload) < 8 or u16(payload, 2) or not 2 <= u16(payload, 4) <= 254:
        return []
    function, body = payload[7], payload[8 : 6 + u16(payload, 4)]
    if function & _REFUSED:
        return bounded([Signal("modbus.refuses", _FUNCTIONS.get(function ^ _REFUSED, "other"))])
    signals = [Signal("modbus.speaks", _FUNCTIONS.get(function, "other"))]
    if function == _IDENTIFICATION and body[:1] == bytes([_IDENTIFY]) and len(body) > 6:
        signals += _identification(body)
    return bounded(signals)
