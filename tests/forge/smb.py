"""SMB over TCP 445: negotiate of SMB1 (MS-CIFS) and SMB2 (MS-SMB2)."""

import struct
from collections.abc import Sequence

SMB_PORT = 445
SMB1_NEGOTIATE = 0x72
DIALECTS_SMB1 = ("LANMAN1.0", "LM1.2X002", "NT LM 0.12")
DIALECTS_SMB2 = (0x0202, 0x0210, 0x0300, 0x0302)


def session(message: bytes) -> bytes:
    """The direct-TCP transport header: a zero and a 24-bit length."""
    return struct.pack(">I", len(message)) + message


def _smb1(body: bytes, *, answer: bool) -> bytes:
    flags = 0x98 if answer else 0x18
    return (
        b"\xffSMB" + struct.pack("<BIBHH8sHHHHH", SMB1_NEGOTIATE, 0, flags, 0xC853, 0, b"", 0, 0, 0xFEFF, 0, 1) + body
    )


def negotiate_smb1(dialects: Sequence[str] = DIALECTS_SMB1) -> bytes:
    """SMB_COM_NEGOTIATE with its dialect strings."""
    names = b"".join(b"\x02" + text.encode() + b"\0" for text in dialects)
    return session(_smb1(struct.pack("<BH", 0, len(names)) + names, answer=False))


def negotiated_smb1(index: int = 2) -> bytes:
    """The answer that picks a dialect; the other parameters are zero."""
    words = struct.pack("<H", index) + b"\0" * 32
    return session(_smb1(bytes([17]) + words + struct.pack("<H", 0), answer=True))


def _smb2_negotiate(body: bytes, *, answer: bool) -> bytes:
    head = struct.pack("<4sHHIHHIIQIIQ", b"\xfeSMB", 64, 0, 0, 0, 1, int(answer), 0, 0, 0xFEFF, 0, 0)
    return session(head + b"\0" * 16 + body)


def negotiate_smb2(dialects: Sequence[int] = DIALECTS_SMB2) -> bytes:
    """SMB2 NEGOTIATE with its dialect numbers."""
    body = struct.pack("<HHHHI16sQ", 36, len(dialects), 1, 0, 0x7F, b"\x5a" * 16, 0)
    return _smb2_negotiate(body + struct.pack(f"<{len(dialects)}H", *dialects), answer=False)


def negotiated_smb2(dialect: int = 0x0302) -> bytes:
    """The answer that picks a dialect."""
    body = struct.pack(
        "<HHHH16sIIIIQQHHI", 65, 1, dialect, 0, b"\xa5" * 16, 0x7F, 1 << 20, 1 << 20, 1 << 20, 0, 0, 128, 0, 0
    )
    return _smb2_negotiate(body, answer=True)


def encrypted(body: bytes, session_id: int = 1) -> bytes:
    """An SMB 3 transform header before a ciphertext (MS-SMB2 2.2.41); nothing inside can be seen."""
    return session(b"\xfdSMB" + b"\x77" * 32 + struct.pack("<IHHQ", len(body), 0, 1, session_id) + body)
