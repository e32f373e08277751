"""Bounded text out of hostile octets. Nothing here raises."""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, SIGNALS_MAX, VALUE_MAX_CHARS, Signal

_HEADER_LINES_MAX = 64  # of an HTTP-like message: more headers than any browser sends


def printable(octets: bytes, limit: int = VALUE_MAX_CHARS) -> str:
    """Text of at most `limit` characters: UTF-8, what is not printable left out, blanks at the ends removed."""
    text = octets[: 4 * limit].decode("utf-8", "ignore")
    return "".join(c for c in text if c.isprintable())[:limit].strip()


def within(value: str, allowed: frozenset[str], limit: int = VALUE_MAX_CHARS) -> str:
    """`value` when it is 1 to `limit` characters of `allowed`, else the empty string."""
    return value if 0 < len(value) <= limit and allowed.issuperset(value) else ""


def headers(payload: bytes, wanted: frozenset[bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    """First line and the wanted headers (lower-case names) of an HTTP-like message; a cut last line is not used."""
    head, whole, _ = payload[:PAYLOAD_MAX_OCTETS].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n", _HEADER_LINES_MAX)[:_HEADER_LINES_MAX]
    if not whole and len(lines) > 1 and not head.endswith(b"\r\n"):
        lines.pop()
    found: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        key = name.strip().lower()
        if colon and key in wanted and key not in found:
            found[key] = value.strip()
    return lines[0], found


def bounded(signals: list[Signal]) -> list[Signal]:
    """At most SIGNALS_MAX signals, each once, none empty, none longer than VALUE_MAX_CHARS; in the order found."""
    kept = dict.fromkeys(s for s in signals if s.value and len(s.value) <= VALUE_MAX_CHARS)
    return list(kept)[:SIGNALS_MAX]


def u16(octets: bytes, at: int) -> int:
    """Unsigned 16 bits, network order; 0 past the end."""
    return int.from_bytes(octets[at : at + 2], "big")
