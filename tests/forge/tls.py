"""TLS records (RFC 8446, RFC 5246): client hello with SNI, server hello, application data."""

import struct
from collections.abc import Sequence

CIPHERS = (0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030)
TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0301, 0x0302, 0x0303, 0x0304
CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23


def record(kind: int, body: bytes, version: int = TLS_1_2) -> bytes:
    """One record."""
    return struct.pack(">BHH", kind, version, len(body)) + body


def _extension(kind: int, body: bytes) -> bytes:
    return struct.pack(">HH", kind, len(body)) + body


def _list16(numbers: Sequence[int]) -> bytes:
    return struct.pack(f">H{len(numbers)}H", 2 * len(numbers), *numbers)


def sni(host: str) -> bytes:
    """The server name extension (RFC 6066)."""
    raw = host.encode()
    return _extension(0, struct.pack(">HBH", len(raw) + 3, 0, len(raw)) + raw)


def client_hello(
    host: str, random: bytes, *, versions: Sequence[int] = (TLS_1_3, TLS_1_2), alpn: str = "http/1.1"
) -> bytes:
    """A client hello with SNI, groups, signature algorithms, ALPN and the versions it offers, newest first."""
    extensions = sni(host) if host else b""
    extensions += _extension(10, _list16((29, 23, 24))) + _extension(11, b"\x01\0")
    extensions += _extension(13, _list16((0x0403, 0x0804, 0x0401)))
    extensions += _extension(16, struct.pack(">HB", len(alpn) + 1, len(alpn)) + alpn.encode())
    if versions[0] >= TLS_1_3:
        extensions += _extension(43, bytes([2 * len(versions)]) + struct.pack(f">{len(versions)}H", *versions))
        extensions += _extension(51, struct.pack(">HHH", 36, 29, 32) + random[:32].ljust(32, b"\x11"))
    body = (
        struct.pack(">H", min(versions[0], TLS_1_2))
        + random[:32].ljust(32, b"\0")
        + b"\x20"
        + random[:32].ljust(32, b"\x22")
    )
    body += _list16(CIPHERS) + b"\x01\0" + struct.pack(">H", len(extensions)) + extensions
    return record(HANDSHAKE, b"\x01" + len(body).to_bytes(3, "big") + body, TLS_1_0)


def server_hello(random: bytes, *, cipher: int = 0x1301, version: int = TLS_1_3) -> bytes:
    """A server hello."""
    extensions = b""
    if version >= TLS_1_3:
        extensions = _extension(43, struct.pack(">H", version))
        extensions += _extension(51, struct.pack(">HH", 29, 32) + random[:32].ljust(32, b"\x33"))
    body = (
        struct.pack(">H", min(version, TLS_1_2)) + random[:32].ljust(32, b"\0") + b"\0" + struct.pack(">HB", cipher, 0)
    )
    body += struct.pack(">H", len(extensions)) + extensions
    return record(HANDSHAKE, b"\x02" + len(body).to_bytes(3, "big") + body)


def application(body: bytes) -> bytes:
    """Application data in records of at most 16 KiB."""
    return b"".join(record(APPLICATION, body[i : i + 16384]) for i in range(0, len(body), 16384))
