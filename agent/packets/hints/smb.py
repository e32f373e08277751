"""SMB ([MS-CIFS], [MS-SMB2]): dialects, native OS, and of NTLM the Windows version and computer name. Never a user.

Of an NTLM message only type 2 (the server's challenge) is read for a name: type 3 holds the user's.
"""

from agent.packets.hints.records import PAYLOAD_MAX_OCTETS, Signal
from agent.packets.hints.text import bounded, printable, u16

_NEGOTIATE_1, _SESSION_1 = 0x72, 0x73
_DIALECTS_MAX = 16
_RESPONSE = 1  # flag bit of the header's flags, SMB1 0x80, SMB2 0x01
_NTLM = b"NTLMSSP\0"
_NTLM_VERSION = 0x02000000
_COMPUTER_NAME = 1  # MsvAvNbComputerName, [MS-NLMP] 2.2.2.1
_DIALECT_2 = {0x0202: "2.0.2", 0x0210: "2.1", 0x02FF: "2.?", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1"}


def _le16(octets: bytes, at: int) -> int:
    """Unsigned 16 bits, little end first; 0 past the end."""
    return int.from_bytes(octets[at : at + 2], "little")


def _version_1(body: bytes) -> list[Signal]:
    """SMB1: dialect strings of a negotiation, native OS and LAN manager of a session set-up."""
    if body[4] == _NEGOTIATE_1 and not body[9] & 0x80:
        names = [part.partition(b"\0")[0] for part in body[35:].split(b"\x02", _DIALECTS_MAX)[1 : _DIALECTS_MAX + 1]]
        best = "1" if b"NT LM 0.12" in names else "1-old"
        offers_2 = any(name.startswith(b"SMB 2") for name in names)
        return [Signal("smb.dialect", best if names else ""), Signal("smb.dialect", "2.?" if offers_2 else "")]
    signals = [Signal("smb.dialect", "1")]
    if body[4] == _SESSION_1:
        signals += _native(body)
    return signals


def _native(body: bytes) -> list[Signal]:
    """The two strings at the end of a session set-up's octets; Unicode when the header says so."""
    octets_at = 33 + 2 * body[32] + 2 if len(body) > 32 else len(body)
    octets = body[octets_at:]
    if body[32:33] in {b"\x0c", b"\x04"}:  # extended security: a blob comes first, its length is a parameter word
        octets = octets[_le16(body, 33 + (14 if body[32] == 12 else 6)) :]
        octets_at = len(body) - len(octets)
    elif body[32:33] == b"\x0d":
        return []  # the account name stands before the strings: not worth going near it
    if u16(body, 10) & 0x0080:  # flags2, little end first: 0x8000 Unicode
        text = octets[octets_at & 1 :].decode("utf-16-le", "ignore").split("\0")
    else:
        text = octets.decode("latin-1").split("\0")
    text += ["", ""]
    kinds = ("smb.os", "smb.lanman")
    return [
        Signal(kind, printable(value[:128].encode("utf-8", "ignore"))) for kind, value in zip(kinds, text, strict=False)
    ]


def _version_2(body: bytes) -> list[Signal]:
    """SMB2/3: the dialect chosen, or the highest offered."""
    if _le16(body, 12) != 0:  # not NEGOTIATE
        return []
    if body[16] & _RESPONSE:
        return [Signal("smb.dialect", _DIALECT_2.get(_le16(body, 68), ""))]
    count = min(_le16(body, 66), _DIALECTS_MAX)
    offered = [_le16(body, 100 + 2 * i) for i in range(count)]
    return [Signal("smb.dialect", _DIALECT_2.get(max(offered, default=0), ""))]


def _ntlm(body: bytes) -> list[Signal]:
    """Version of a type 1 or 2 message, computer name of a type 2."""
    at = body.find(_NTLM)
    kind = body[at + 8] if 0 <= at < len(body) - 56 else 0
    if kind not in {1, 2}:
        return []
    message = body[at:]
    flags, where = (
        (int.from_bytes(message[12:16], "little"), 32) if kind == 1 else (int.from_bytes(message[20:24], "little"), 48)
    )
    version = f"{message[where]}.{message[where + 1]}.{_le16(message, where + 2)}" if flags & _NTLM_VERSION else ""
    return [Signal("smb.os-version", version), Signal("smb.host", _computer(message) if kind == 2 else "")]


def _computer(message: bytes) -> str:
    """The NetBIOS computer name of a challenge's target information."""
    start = int.from_bytes(message[44:48], "little")
    info = message[start : start + _le16(message, 40)]
    at = 0
    for _ in range(8):
        if _le16(info, at) == _COMPUTER_NAME:
            return printable(
                info[at + 4 : at + 4 + min(_le16(info, at + 2), 64)].decode("utf-16-le", "ignore").encode()
            )
        if at + 4 > len(info) or _le16(info, at) == 0:
            break
        at += 4 + _le16(info, at + 2)
    return ""


def read(payload: bytes) -> list[Signal]:
    """Signals of one SMB message, with or without the 4-octet session header of TCP 139 and 445."""
    payload = payload[:PAYLOAD_MAX_OCTETS]
    body = payload if payload[1:4] == b"SMB" else payload[4:]
    if body[:4] == b"\xffSMB" and len(body) >= 33:
        return bounded([*_version_1(body), *_ntlm(body)])
    if body[:4] == b"\xfeSMB" and len(body) >= 64:
        return bounded([*_version_2(body), *_ntlm(body)])
    return []
