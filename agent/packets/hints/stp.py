"""Spanning tree (IEEE 802.1D, 802.1Q) and Cisco's one per VLAN: version, whether the sender is the root, changes."""

from agent.packets.hints.link_frame import payload_start
from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, u16

_LLC = b"\x42\x42\x03"
_SNAP = b"\xaa\xaa\x03\x00\x00\x0c\x01\x0b"  # Cisco, per VLAN
_VERSIONS = {0: "stp", 2: "rstp", 3: "mstp", 4: "spb"}
_CONFIGURATION, _CHANGE, _RAPID = 0x00, 0x80, 0x02
_CHANGE_FLAG = 0x01
_IDENTIFIER_OCTETS = 8  # priority (2) and MAC address (6)


def read(frame: bytes) -> list[Signal]:
    """Signals of one BPDU, whose frame is given from its Ethernet header on."""
    at = payload_start(frame)[1]
    if frame[at : at + 3] == _LLC:
        at += 3
    elif frame[at : at + 8] == _SNAP:
        at += 8
    else:
        return []
    if len(frame) < at + 4 or u16(frame, at):
        return []
    version, kind = _VERSIONS.get(frame[at + 2], ""), frame[at + 3]
    if kind == _CHANGE:
        return bounded([Signal("stp.version", version), Signal("stp.says", "topology-change")])
    if kind not in {_CONFIGURATION, _RAPID} or len(frame) < at + 35:
        return []
    root, bridge = frame[at + 5 : at + 13], frame[at + 17 : at + 17 + _IDENTIFIER_OCTETS]
    changed = frame[at + 4] & _CHANGE_FLAG
    return bounded(
        [
            Signal("stp.version", version),
            Signal("stp.says", "root" if root == bridge else "bridge"),
            Signal("stp.says", "topology-change" if changed else ""),
        ]
    )
