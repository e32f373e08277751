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


def _message(command: int, words: bytes, *, answer: bool = False, mid: int = 0x41, status: int = 0) -> bytes:
    """An SMB1 message of parameter words and no data."""
    head = struct.pack("<BIBH12xHHHH", command, status, 0x98 if answer else 0x18, 0xC007, 0x800, 0xFEFF, 0x800, mid)
    return session(b"\xffSMB" + head + bytes([len(words) // 2]) + words + b"\0\0")


def _transaction(command: int, setup: Sequence[int]) -> bytes:
    """TRANSACTION or TRANSACTION2 ([MS-CIFS] 2.2.4.33, 2.2.4.46): their parameter words are the same."""
    fixed = struct.pack("<HHHHBBHIHHHHHBB", 12, 0, 1, 0, 0, 0, 0, 0xEDBF77, 0, 12, 66, 0, 78, len(setup), 0)
    return _message(command, fixed + struct.pack(f"<{len(setup)}H", *setup))


def trans2(subcommand: int) -> bytes:
    """SMB_COM_TRANSACTION2 with one setup word."""
    return _transaction(0x32, [subcommand])


def trans2_answer(mid: int, status: int = 0xC0000002) -> bytes:
    """Its refusal; DoublePulsar answers with another multiplex id."""
    return _message(0x32, b"", answer=True, mid=mid, status=status)


def peek_pipe(number: int) -> bytes:
    """SMB_COM_TRANSACTION, TRANS_PEEK_NMPIPE of an open pipe."""
    return _transaction(0x25, [0x23, number])


def nt_transact(function: int, total_octets: int = 64) -> bytes:
    """SMB_COM_NT_TRANSACT ([MS-CIFS] 2.2.4.62) that announces so many octets of data."""
    words = struct.pack("<BHIIIIIIIIBH", 1, 0, 30, total_octets, 30, 0, 30, 75, 0, 104, 1, function)
    return _message(0xA0, words + b"\0")


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
