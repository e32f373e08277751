"""SMB messages that no file sharing sends: the shapes of MS17-010 and of the implant DoublePulsar.

[MS-CIFS] 2.2.6.15 and 2.2.7.5: TRANS2_SESSION_SETUP and NT_TRANSACT_RENAME were reserved and never implemented. A
transaction of more than 64 KiB fits no buffer that a server of SMB1 grants (2.2.4.52.2): EternalBlue's list of extended
attributes is one. DoublePulsar answers with the request's multiplex id and 0x10 more. An SMB2 header says that it has
64 octets ([MS-SMB2] 2.2.1); EternalBlue fills the server's pool with ones that do not. Judged by what is sent: the
native OS that a message tells is anybody's word. Total: reads stay in the payload.
"""

import numpy as np

from agent.jit import leaf
from agent.packets.cursor import u16
from agent.packets.records import HintKind
from agent.tap.records import Octets

H_SMB, H_EXPLOIT = int(HintKind.SMB), int(HintKind.SMB_EXPLOIT)
NT_TRANSACT, TRANS2, TRANS = 0xA0, 0x32, 0x25
SESSION_SETUP, RENAME, PEEK_PIPE = 0x0E, 5, 0x23
HEADER, SETUP_END, FUNCTION_END = 32, 65, 71  # octets of a message up to where a setup word or a function ends
NOT_IMPLEMENTED = 0xC0000002
IMPLANT_FIRST, IMPLANT_LAST = 0x51, 0x53  # done, invalid parameters, no memory


@leaf
def _le16(octets: Octets, at: int) -> int:
    big = u16(octets, at)
    return (big >> 8) | ((big & 0xFF) << 8)


@leaf
def _le32(octets: Octets, at: int) -> int:
    return _le16(octets, at) | (_le16(octets, at + 2) << 16)


@leaf
def smb1_hint(octets: Octets, at: int, have: int) -> int:
    """The hint of an SMB1 message; `at` is its session header, which was read with the magic behind it."""
    b = at + 4
    if have < 4 + HEADER:
        return H_SMB
    command, answers = np.int64(octets[b + 4]), octets[b + 9] & 0x80 != 0
    if answers:
        implant = IMPLANT_FIRST <= _le16(octets, b + 30) <= IMPLANT_LAST and _le32(octets, b + 5) == NOT_IMPLEMENTED
        return H_EXPLOIT if command == TRANS2 and implant else H_SMB
    if command == NT_TRANSACT and have >= 4 + FUNCTION_END:
        large = _le32(octets, b + 40) > 0xFFFF
        return H_EXPLOIT if large or _le16(octets, b + 69) == RENAME else H_SMB
    if command == TRANS2 and have >= 4 + SETUP_END - 2:
        return H_EXPLOIT if octets[b + 59] != 0 and _le16(octets, b + 61) == SESSION_SETUP else H_SMB
    if command == TRANS and have >= 4 + SETUP_END:  # what lies in the pipe with no number: a test for the hole
        peeks = octets[b + 59] == 2 and _le16(octets, b + 61) == PEEK_PIPE and _le16(octets, b + 63) == 0
        return H_EXPLOIT if peeks else H_SMB
    return H_SMB


@leaf
def smb2_hint(octets: Octets, at: int, have: int) -> int:
    """The hint of a message with the magic of SMB2 in clear."""
    return H_EXPLOIT if have >= 10 and _le16(octets, at + 8) != 64 else H_SMB
