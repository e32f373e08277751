"""HTTP/1 (RFC 9110): host asked for, product tokens, whether Basic credentials were sent. No path, no credentials.

Of bodies one kind is looked at: a UPnP device description (UPnP Device Architecture 1.1 section 2.3), for its maker and
model. Its friendly name, serial number and URLs are not read.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, headers, printable, within

_REQUEST = frozenset({b"host", b"user-agent", b"authorization", b"proxy-authorization"})
_RESPONSE = frozenset({b"server"})
_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-._")
_DESCRIPTION = b"urn:schemas-upnp-org:device-1-0"
_ELEMENTS = {b"manufacturer": "upnp.maker", b"modelName": "upnp.model", b"modelNumber": "upnp.model-number"}
_ELEMENT_MAX_OCTETS = 128


def read_request(payload: bytes) -> list[Signal]:
    """Signals of a request's head."""
    first, found = headers(payload, _REQUEST)
    if b" " not in first:
        return []
    sent = (found.get(name, b"")[:6].lower() for name in (b"authorization", b"proxy-authorization"))
    basic = b"basic " in set(sent)
    host = found.get(b"host", b"").decode("latin-1").lower().partition(":")[0]
    return bounded(
        [
            Signal("http.host", within(host, _HOST)),
            Signal("http.agent", printable(found.get(b"user-agent", b""))),
            Signal("credentials.clear", "http" if basic else ""),
        ]
    )


def read_response(payload: bytes) -> list[Signal]:
    """Signals of a response's head."""
    first, found = headers(payload, _RESPONSE)
    if not first.startswith(b"HTTP/"):
        return []
    return bounded([Signal("http.server", printable(found.get(b"server", b""))), *_description(payload)])


def _description(payload: bytes) -> list[Signal]:
    """Maker and model of a UPnP device description; searched for, not parsed as XML."""
    body = payload[:PAYLOAD_MAX_OCTETS].partition(b"\r\n\r\n")[2]
    if _DESCRIPTION not in body:
        return []
    signals = []
    for name, kind in _ELEMENTS.items():
        start = body.find(b"<" + name + b">") + len(name) + 2
        end = body.find(b"</" + name + b">", start)
        if len(name) + 2 <= start <= end <= start + _ELEMENT_MAX_OCTETS:
            signals.append(Signal(kind, printable(body[start:end], 64)))
    return signals
