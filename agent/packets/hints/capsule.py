"""Capsule MDIP announcements (UDP 5090): that there is one. Its layout is not public, so nothing in it is read."""

from agent.packets.hints.records import Signal

_WORDS = (b"capsule", b"mdip")
_LOOKED_AT_OCTETS = 512


def read(payload: bytes) -> list[Signal]:
    """One signal when the announcement names itself."""
    head = payload[:_LOOKED_AT_OCTETS].lower()
    return [Signal("capsule.announce", "mdip")] if any(word in head for word in _WORDS) else []
