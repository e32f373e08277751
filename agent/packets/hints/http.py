"""HTTP/1 (RFC 9110): product tokens, and whether Basic credentials were sent. No path, host, body or credentials."""

from agent.packets.hints.records import Signal
from agent.packets.hints.text import bounded, headers, printable

_REQUEST = frozenset({b"user-agent", b"authorization"})
_RESPONSE = frozenset({b"server"})


def read_request(payload: bytes) -> list[Signal]:
    """Signals of a request's head."""
    first, found = headers(payload, _REQUEST)
    if b" " not in first:
        return []
    basic = found.get(b"authorization", b"")[:6].lower() == b"basic "
    agent = printable(found.get(b"user-agent", b""))
    return bounded([Signal("http.agent", agent), Signal("http.credentials", "basic" if basic else "")])


def read_response(payload: bytes) -> list[Signal]:
    """Signals of a response's head."""
    first, found = headers(payload, _RESPONSE)
    if not first.startswith(b"HTTP/"):
        return []
    return bounded([Signal("http.server", printable(found.get(b"server", b"")))])
