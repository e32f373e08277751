"""Where the link-layer payload of a whole frame starts; for LLDP and CDP, whose readers are given the frame."""

from agent.packets.hints.text import u16

_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
_TAGS_MAX = 3


def payload_start(frame: bytes) -> tuple[int, int]:
    """EtherType (or 802.3 length) behind any VLAN tags, and the offset after it."""
    at = 12
    for _ in range(_TAGS_MAX):
        if u16(frame, at) not in _TAGS:
            break
        at += 4
    return u16(frame, at), at + 2
