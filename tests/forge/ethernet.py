"""Ethernet II, 802.3 with LLC and SNAP, 802.1Q and 802.1ad tags, MPLS, PPPoE, spanning tree and LLDP."""

import struct
from collections.abc import Sequence

from tests.forge.octets import mac

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
VLAN, QINQ, QINQ_OLD = 0x8100, 0x88A8, 0x9100
MPLS, MPLS_MULTICAST, PPPOE_DISCOVERY, PPPOE, LLDP = 0x8847, 0x8848, 0x8863, 0x8864, 0x88CC
FRAME_MIN = 60  # IEEE 802.3 without the frame check sequence


def ethernet(dst: str, src: str, ethertype: int, payload: bytes, *, pad: bool = True) -> bytes:
    """An Ethernet II frame, padded to the minimum of 60 octets unless told otherwise."""
    frame = mac(dst) + mac(src) + struct.pack(">H", ethertype) + payload
    return frame.ljust(FRAME_MIN, b"\0") if pad else frame


def vlan(vid: int, ethertype: int, payload: bytes, *, priority: int = 0) -> bytes:
    """What follows a tag's own type (0x8100, 0x88a8, 0x9100): control information, inner type, payload (802.1Q)."""
    return struct.pack(">HH", priority << 13 | vid, ethertype) + payload


def tagged(vids: Sequence[tuple[int, int]], ethertype: int, payload: bytes) -> tuple[int, bytes]:
    """Wrap in tags, outermost first, each `(tag type, vlan id)`; gives the type and payload for `ethernet`."""
    for tag, vid in reversed(vids):
        payload = vlan(vid, ethertype, payload)
        ethertype = tag
    return ethertype, payload


def mpls(labels: Sequence[int], payload: bytes) -> bytes:
    """A label stack (RFC 3032), the last one with the bottom-of-stack bit."""
    words = [label << 12 | (0x100 if i == len(labels) - 1 else 0) | 64 for i, label in enumerate(labels)]
    return struct.pack(f">{len(words)}I", *words) + payload


def pppoe(session: int, protocol: int, payload: bytes) -> bytes:
    """A PPPoE session packet (RFC 2516): version 1, type 1, code 0; PPP protocol 0x0021 is IPv4, 0x0057 IPv6."""
    return struct.pack(">BBHHH", 0x11, 0, session, len(payload) + 2, protocol) + payload


def llc(dst: str, src: str, saps: tuple[int, int], payload: bytes, *, control: int = 3) -> bytes:
    """An 802.3 frame with an LLC header; `saps` is (DSAP, SSAP), the length field covers LLC and payload."""
    body = struct.pack(">BBB", saps[0], saps[1], control) + payload
    return (mac(dst) + mac(src) + struct.pack(">H", len(body)) + body).ljust(FRAME_MIN, b"\0")


def snap(dst: str, src: str, ethertype: int, payload: bytes, *, oui: bytes = b"\0\0\0") -> bytes:
    """An 802.3 frame with LLC and SNAP (RFC 1042): OUI zero means that an Ethernet type follows."""
    return llc(dst, src, (0xAA, 0xAA), oui + struct.pack(">H", ethertype) + payload)


def stp(src: str, bridge: str, *, priority: int = 0x8000) -> bytes:
    """A spanning tree configuration BPDU (802.1D) of a root bridge that announces itself."""
    root = struct.pack(">H", priority) + mac(bridge)
    bpdu = struct.pack(">HBBB", 0, 0, 0, 0) + root + struct.pack(">I", 0) + root
    bpdu += struct.pack(">HHHHH", 0x8001, 0, 20 << 8, 2 << 8, 15 << 8)
    return llc("01:80:c2:00:00:00", src, (0x42, 0x42), bpdu)


def _tlv(kind: int, value: bytes) -> bytes:
    return struct.pack(">H", kind << 9 | len(value)) + value


def lldp(src: str, port: str, name: str, description: str, capabilities: int = 0x14) -> bytes:
    """An LLDP announcement (802.1AB): chassis by MAC, port by name, 120 s; capabilities: bridge 4, router 16."""
    body = _tlv(1, b"\x04" + mac(src)) + _tlv(2, b"\x05" + port.encode()) + _tlv(3, struct.pack(">H", 120))
    body += _tlv(4, port.encode()) + _tlv(5, name.encode()) + _tlv(6, description.encode())
    body += _tlv(7, struct.pack(">HH", capabilities, capabilities)) + _tlv(0, b"")
    return ethernet("01:80:c2:00:00:0e", src, LLDP, body)
