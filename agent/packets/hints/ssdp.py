"""SSDP (UPnP Device Architecture 1.1 section 1): types offered or sought, product tokens. Not location, not USN."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, headers, printable

_WANTED = frozenset({b"nt", b"st", b"server", b"user-agent", b"man"})


def read(payload: bytes) -> list[Signal]:
    """Signals of a NOTIFY, an M-SEARCH or its answer."""
    first, found = headers(payload, _WANTED)
    if first.startswith(b"M-SEARCH "):
        target = Signal("ssdp.asks", _type(found.get(b"st", b"")))
    elif first.startswith(b"NOTIFY "):
        target = Signal("ssdp.type", _type(found.get(b"nt", b"")))
    elif first.startswith(b"HTTP/1."):
        target = Signal("ssdp.type", _type(found.get(b"st", b"")))
    else:
        return []
    server, agent = printable(found.get(b"server", b"")), printable(found.get(b"user-agent", b""))
    return bounded([target, Signal("ssdp.server", server), Signal("ssdp.agent", agent)])


def _type(value: bytes) -> str:
    """A type; a `uuid:` names one device and is left out."""
    text = printable(value)
    return "" if text.lower().startswith("uuid:") else text
