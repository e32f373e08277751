"""SIP (RFC 3261): method and product tokens. Not who calls whom: From, To, Contact, Via and the body are not read."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, headers, printable

_WANTED = frozenset({b"user-agent", b"server"})
_METHODS = frozenset(
    {b"INVITE", b"ACK", b"BYE", b"CANCEL", b"REGISTER", b"OPTIONS", b"PRACK", b"SUBSCRIBE", b"NOTIFY", b"PUBLISH"}
    | {b"INFO", b"REFER", b"MESSAGE", b"UPDATE"}
)


def read(payload: bytes) -> list[Signal]:
    """Signals of a request or an answer."""
    first, found = headers(payload, _WANTED)
    method = first.partition(b" ")[0]
    request = method in _METHODS and b" SIP/2.0" in first
    if not request and not first.startswith(b"SIP/2.0 "):
        return []
    return bounded(
        [
            Signal("sip.asks", method.decode("latin-1").lower() if request else ""),
            Signal("sip.agent", printable(found.get(b"user-agent", b""))),
            Signal("sip.server", printable(found.get(b"server", b""))),
        ]
    )
