"""HTTP/1.1 messages (RFC 9112)."""

from collections.abc import Mapping


def _lines(first: str, fields: Mapping[str, str], body: bytes) -> bytes:
    head = [first, *(f"{key}: {value}" for key, value in fields.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def request(method: str, target: str, fields: Mapping[str, str], body: bytes = b"") -> bytes:
    """A request; Content-Length is added when there is a body."""
    length = {"Content-Length": str(len(body))} if body else {}
    return _lines(f"{method} {target} HTTP/1.1", {**fields, **length}, body)


def response(status: int, reason: str, fields: Mapping[str, str], body: bytes = b"") -> bytes:
    """A response with its Content-Length."""
    return _lines(f"HTTP/1.1 {status} {reason}", {**fields, "Content-Length": str(len(body))}, body)
