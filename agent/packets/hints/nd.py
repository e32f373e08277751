"""Neighbour discovery (RFC 4861, 8106): who is a router and what it gives, who says that an address is its own.

A proxy answers for others: whose the address is says the message (target link-layer address), not the frame.
"""

from collections.abc import Iterator

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, u16

_SOLICIT_ROUTER, _ROUTER, _NEIGHBOUR = 133, 134, 136
_OPTIONS_MAX = 16
_TARGET_LINK, _PREFIX, _MTU, _DNS = 2, 3, 5, 25
_MANAGED, _OTHER = 0x80, 0x40
_IS_ROUTER = 0x80  # flag of a neighbour's advertisement


def _options(octets: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind (1), length in eights of octets (1), value; a length of 0, or one that is cut, ends the walk."""
    for _ in range(_OPTIONS_MAX):
        size = 8 * octets[at + 1] if at + 2 <= len(octets) else 0
        if not size or at + size > len(octets):
            return
        yield octets[at], octets[at + 2 : at + size]
        at += size


def _router(message: bytes) -> list[Signal]:
    """A router advertisement: whether it offers a way out, how addresses are had, DNS servers, how long a packet is."""
    if len(message) < 16:
        return []
    signals = [Signal("nd.router", "default" if u16(message, 6) else "no-default")]
    how = "managed" if message[5] & _MANAGED else ("other" if message[5] & _OTHER else "")
    signals.append(Signal("nd.configuration", how))
    for kind, value in _options(message, 16):
        if kind == _DNS and len(value) >= 22:
            signals.append(Signal("nd.dns", "router", None, value[6:22]))
        elif kind == _PREFIX and len(value) >= 30:
            signals.append(Signal("nd.prefix", f"{min(value[0], 128)}", None, value[14:30]))
        elif kind == _MTU and len(value) >= 6:
            signals.append(Signal("nd.mtu", str(int.from_bytes(value[2:6], "big"))))
    return signals


def read(message: bytes) -> list[Signal]:
    """Signals of one ICMPv6 message, which is given from its type on."""
    message = message[:PAYLOAD_MAX_OCTETS]
    kind = message[0] if len(message) >= 8 else 0
    if kind == _ROUTER:
        return bounded(_router(message))
    if kind == _NEIGHBOUR and len(message) >= 24:
        word = "router" if message[4] & _IS_ROUTER else "host"
        card = next((value for kind, value in _options(message, 24) if kind == _TARGET_LINK and len(value) == 6), b"")
        return bounded([Signal("nd.says", word, int.from_bytes(card, "big") or None, message[8:24])])
    return [Signal("nd.asks", "router")] if kind == _SOLICIT_ROUTER else []
