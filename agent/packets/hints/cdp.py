"""Cisco Discovery Protocol: device id, platform, software, capabilities. Layout: Wireshark packet-cdp.c."""

from collections.abc import Iterator

from agent.packets.hints.link_frame import payload_start
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_SNAP = b"\xaa\xaa\x03\x00\x00\x0c\x20\x00"  # LLC SNAP, Cisco, protocol 0x2000
_DEVICE, _ADDRESSES, _CAPABILITIES, _VERSION, _PLATFORM = 1, 2, 4, 5, 6
_TLVS_MAX = 64
_BITS = ("router", "bridge", "source-bridge", "switch", "host", "igmp", "repeater", "telephone")
_IPV4 = b"\x01\x01\xcc\x00\x04"  # protocol type 1 (NLPID), length 1, 0xcc = IP, address length 4


def _tlvs(frame: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Type (2), length (2, itself and the type included), value."""
    for _ in range(_TLVS_MAX):
        size = u16(frame, at + 2)
        if size < 4 or at + size > len(frame):
            return
        yield u16(frame, at), frame[at + 4 : at + size]
        at += size


def read(frame: bytes) -> list[Signal]:
    """Signals of one CDP frame, which is given from its Ethernet header on."""
    frame = frame[:PAYLOAD_MAX_OCTETS]
    at = payload_start(frame)[1]
    if frame[at : at + 8] != _SNAP:
        return []
    signals: list[Signal] = []
    name, address = "", b""
    for kind, value in _tlvs(frame, at + 12):  # after the SNAP header: version, hold time, checksum
        if kind == _DEVICE:
            name = printable(value)
        elif kind == _ADDRESSES and value[4:9] == _IPV4 and len(value) >= 13:
            address = value[9:13]
        elif kind == _CAPABILITIES and len(value) == 4:
            bits = int.from_bytes(value, "big")
            signals += [Signal("cdp.capabilities", word) for bit, word in enumerate(_BITS) if bits >> bit & 1]
        elif kind == _VERSION:
            signals.append(Signal("cdp.version", printable(value.partition(b"\n")[0])))
        elif kind == _PLATFORM:
            signals.append(Signal("cdp.platform", printable(value)))
    return bounded([Signal("cdp.name", name, None, address), *signals])
