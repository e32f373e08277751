"""NTP version 4 (RFC 5905)."""

import struct

NTP_PORT = 123
UNIX_TO_NTP_S = 2_208_988_800  # seconds from 1900 to 1970


def timestamp(time_ns: int) -> bytes:
    """64 bits: seconds since 1900 and a binary fraction."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return struct.pack(">II", (seconds + UNIX_TO_NTP_S) & 0xFFFFFFFF, (rest << 32) // 1_000_000_000)


def client(time_ns: int) -> bytes:
    """A question: mode 3, only the transmit time."""
    return struct.pack(">BBbb", 0x23, 0, 6, -20) + b"\0" * 36 + timestamp(time_ns)


def server(question: bytes, time_ns: int, *, reference: bytes = b"GPS\0") -> bytes:
    """The answer of a stratum-1 server."""
    now = timestamp(time_ns)
    head = struct.pack(">BBbbII", 0x24, 1, 6, -23, 0, 16) + reference
    return head + now + question[40:48] + now + now
