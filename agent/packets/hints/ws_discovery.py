"""WS-Discovery (OASIS 1.1 and the 2005 draft): types and scope schemes. Scopes hold bed and room: not read.

The payload is searched, not parsed as XML: no entity, no depth, no namespace table can cost anything.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, within

_OFFERS = (b"/Hello<", b"/ProbeMatches<", b"/ResolveMatches<")
_ASKS = (b"/Probe<",)
_LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_SCHEME = _LETTERS | {":", "/"}
_WORDS_MAX = 8
_TYPE_SCOPE = b"sdc.cdc.type:"  # IEEE 11073-20701: the coded type of the medical device system


def _element(payload: bytes, name: bytes) -> bytes:
    """Text of the first element of that local name, or nothing."""
    close = payload.find(b":" + name + b">", payload.find(b"</"))
    opened = payload.find(b":" + name)
    start = payload.find(b">", opened) + 1
    while close >= 0 and payload.rfind(b"</", 0, close) < opened:
        close = payload.find(b":" + name + b">", close + 1)
    if opened < 0 or start <= 0 or close < start:
        return b""
    return payload[start : payload.rfind(b"</", start, close)]


def _scope(word: bytes) -> str:
    """The scheme of a scope; the device type scope whole, for its code is a number."""
    text = word if word.startswith(_TYPE_SCOPE) else word.partition(b":")[0]
    return within(text.decode("latin-1"), _SCHEME, 40)


def read(payload: bytes) -> list[Signal]:
    """Signals of a Hello, a Probe or their answers; the rest gives none."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    if b"/discovery" not in payload:
        return []
    offers = any(action in payload for action in _OFFERS)
    if not offers and not any(action in payload for action in _ASKS):
        return []
    kind = "wsd.offers" if offers else "wsd.asks"
    words = _element(payload, b"Types").split(None, _WORDS_MAX)[:_WORDS_MAX]
    signals = [Signal(kind, within(word.rpartition(b":")[2].decode("latin-1"), _LETTERS, 40)) for word in words]
    if offers:
        words = _element(payload, b"Scopes").split(None, _WORDS_MAX)[:_WORDS_MAX]
        signals += [Signal("wsd.scope", _scope(word)) for word in words]
    return bounded(signals)
