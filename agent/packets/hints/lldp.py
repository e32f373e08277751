"""LLDP (IEEE 802.1AB) and LLDP-MED (TIA-1057): system name, description, capabilities, maker and model."""

from collections.abc import Iterator

from agent.packets.hints.link_frame import payload_start
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_ETHERTYPE = 0x88CC
_NAME, _DESCRIPTION, _CAPABILITIES, _MANAGEMENT, _ORGANISATION = 5, 6, 7, 8, 127
_TLVS_MAX = 64
_MED = b"\x00\x12\xbb"
_MED_KINDS = {9: "lldp.maker", 10: "lldp.model"}  # TIA-1057 inventory: manufacturer name, model name
_BITS = ("other", "repeater", "bridge", "access-point", "router", "telephone", "docsis", "station")


def _tlvs(frame: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Type (7 bits), length (9 bits), value; a cut one ends the walk."""
    for _ in range(_TLVS_MAX):
        head = u16(frame, at)
        end = at + 2 + (head & 0x1FF)
        if at + 2 > len(frame) or end > len(frame) or head >> 9 == 0:
            return
        yield head >> 9, frame[at + 2 : end]
        at = end


def _address(value: bytes) -> bytes:
    """The management address: length, family (1 IPv4, 2 IPv6), octets."""
    if value[:2] == b"\x05\x01":
        return value[2:6] if len(value) >= 6 else b""
    return value[2:18] if value[:2] == b"\x11\x02" and len(value) >= 18 else b""


def read(frame: bytes) -> list[Signal]:
    """Signals of one LLDP frame, which is given from its Ethernet header on."""
    frame = frame[:PAYLOAD_MAX_OCTETS]
    ethertype, at = payload_start(frame)
    if ethertype != _ETHERTYPE:
        return []
    signals: list[Signal] = []
    name, address, seen = "", b"", False
    for kind, value in _tlvs(frame, at):
        seen = True
        if kind == _NAME:
            name = printable(value)
        elif kind == _DESCRIPTION:
            signals.append(Signal("lldp.description", printable(value)))
        elif kind == _CAPABILITIES:
            enabled = u16(value, 2)
            signals += [Signal("lldp.capabilities", word) for bit, word in enumerate(_BITS) if enabled >> bit & 1]
        elif kind == _MANAGEMENT:
            address = _address(value)
        elif kind == _ORGANISATION and value[:3] == _MED and len(value) > 4:
            signals.append(
                Signal(_MED_KINDS.get(value[3], "lldp.model"), printable(value[4:]) if value[3] in _MED_KINDS else "")
            )
    return bounded([Signal("lldp.name", name or "-" * seen, None, address), *signals])
