"""BACnet/IP (ASHRAE 135 annex J): device and vendor number of I-Am, kinds of requests. No object names."""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, u16

_BVLC, _NPDU_VERSION = 0x81, 1
_UNCONFIRMED, _CONFIRMED = 1, 0
_UNCONFIRMED_SERVICES = {
    0: "i-am",
    1: "i-have",
    2: "cov-notification",
    6: "time-synchronisation",
    7: "who-has",
    8: "who-is",
}
_CONFIRMED_SERVICES = {
    1: "cov-notification",
    5: "subscribe-cov",
    12: "read-property",
    14: "read-property-multiple",
    15: "write-property",
    16: "write-property-multiple",
    17: "device-communication-control",
    20: "reinitialize-device",
}


def _application_at(payload: bytes) -> int:
    """Offset of the application layer, -1 for network messages and damaged headers."""
    at = 4 + 6 * (payload[1] == 4)  # a forwarded message carries its first sender's address
    if payload[at : at + 1] != bytes([_NPDU_VERSION]) or at + 2 > len(payload):
        return -1
    control = payload[at + 1]
    at += 2
    hops = 0
    for bit in (0x20, 0x08):  # destination, source: network (2), length (1), address
        if control & bit:
            at += 3 + (payload[at + 2] if at + 2 < len(payload) else 0)
            hops += bit == 0x20
    return -1 if control & 0x80 else at + hops


def _i_am(octets: bytes) -> list[Signal]:
    """I-Am: object identifier, largest message, segmentation, vendor; all application-tagged (clause 16.10)."""
    if octets[:1] != b"\xc4" or len(octets) < 5:
        return []
    signals = [Signal("bacnet.device", str(int.from_bytes(octets[1:5], "big") & 0x3FFFFF))]
    at = 5
    for _ in range(2):
        at += 1 + (octets[at] & 7 if at < len(octets) else 0)
    size = octets[at] & 7 if at < len(octets) else 0
    number = octets[at + 1 : at + 1 + size]
    if octets[at : at + 1] and octets[at] >> 4 == 2 and size in {1, 2} and len(number) == size:
        signals.append(Signal("bacnet.vendor", str(int.from_bytes(number, "big"))))
    return signals


def read(payload: bytes) -> list[Signal]:
    """Signals of one BACnet/IP message."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if len(payload) < 8 or payload[0] != _BVLC or u16(payload, 2) > len(payload):
        return []
    at = _application_at(payload)
    if at < 0 or at + 2 > len(payload):
        return []
    kind = payload[at] >> 4
    if kind == _UNCONFIRMED:
        service = _UNCONFIRMED_SERVICES.get(payload[at + 1], "")
        return bounded(_i_am(payload[at + 2 :]) if service == "i-am" else [Signal("bacnet.asks", service)])
    if kind == _CONFIRMED and at + 3 < len(payload):
        return bounded([Signal("bacnet.asks", _CONFIRMED_SERVICES.get(payload[at + 3], ""))])
    return []
