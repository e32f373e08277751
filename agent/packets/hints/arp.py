"""ARP (RFC 826, 5227): who says that an address is its own, and who asks first whether it is free."""

from agent.packets.hints.link_frame import payload_start
from agent.packets.hints.records import Signal
from agent.packets.hints.text import u16

_ARP, _REQUEST, _REPLY = 0x0806, 1, 2
_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"
_NOBODY = b"\0\0\0\0"


def read(frame: bytes) -> list[Signal]:
    """`arp.says`: announcement, probe or reply, with the address in `address`, of the card that claims it."""
    kind, at = payload_start(frame)
    if kind != _ARP or len(frame) < at + 28 or frame[at : at + 6] != _ETHERNET_IPV4:
        return []
    operation, card = u16(frame, at + 6), int.from_bytes(frame[at + 8 : at + 14], "big")
    sender, target = frame[at + 14 : at + 18], frame[at + 24 : at + 28]
    if sender == _NOBODY:
        return [Signal("arp.says", "probe", card, target)] if operation == _REQUEST and target != _NOBODY else []
    if operation in {_REQUEST, _REPLY} and sender == target:
        return [Signal("arp.says", "announcement", card, sender)]
    return [Signal("arp.says", "reply", card, sender)] if operation == _REPLY else []
