"""Log-ins in clear: that there is one, by the command and the port; never who, never the password.

FTP (RFC 959), SMTP AUTH (RFC 4954), POP3 (RFC 1939, 5034), IMAP (RFC 9051), LDAP simple bind (RFC 4511), and the
prompt of a telnet server. A mechanism that does not show the password (digests, TLS) is none. Total: reads stay in the
payload.
"""

import numpy as np

from agent.jit import leaf
from agent.packets.cursor import u32
from agent.packets.records import Application as App
from agent.packets.records import HintKind
from agent.packets.scan import holds
from agent.tap.records import Octets

A_FTP, A_SMTP, A_POP3, A_IMAP = int(App.FTP), int(App.SMTP), int(App.POP3), int(App.IMAP)
A_LDAP, A_TELNET = int(App.LDAP), int(App.TELNET)
H_FTP, H_SMTP, H_POP3 = int(HintKind.FTP_LOGIN), int(HintKind.SMTP_LOGIN), int(HintKind.POP3_LOGIN)
H_IMAP, H_LDAP, H_TELNET = int(HintKind.IMAP_LOGIN), int(HintKind.LDAP_LOGIN), int(HintKind.TELNET_LOGIN)

FTP_PORT, TELNET_PORT, SMTP_PORT, SUBMISSION_PORT = 21, 23, 25, 587
POP3_PORT, IMAP_PORT, LDAP_PORT, CATALOGUE_PORT = 110, 143, 389, 3268
LOWER = 0x20202020  # makes letters small; no other octet that is looked for becomes one
PASS, AUTH, LOGI, PLAI, AUTHENTICATE = 0x70617373, 0x61757468, 0x6C6F6769, 0x706C6169, 0x61757468
TAG_MAX = 16  # of an IMAP command: clients count
PROMPT_LOOK = 256  # of a telnet server's text


@leaf
def _clear_mechanism(octets: Octets, at: int, end: int) -> bool:
    """Whether PLAIN or LOGIN stands at an offset."""
    if end - at < 5:
        return False
    word = u32(octets, at) | LOWER
    return word == PLAI or word == LOGI


@leaf
def _mail_login(octets: Octets, at: int, end: int, word: int, low_port: int) -> tuple[int, int]:
    """PASS, or AUTH with a mechanism that shows the password."""
    if word == PASS and octets[at + 4] == 0x20:
        if low_port == FTP_PORT:
            return A_FTP, H_FTP
        return (A_POP3, H_POP3) if low_port == POP3_PORT else (0, 0)
    if word == AUTH and octets[at + 4] == 0x20 and _clear_mechanism(octets, at + 5, end):
        if low_port == POP3_PORT:
            return A_POP3, H_POP3
        return (A_SMTP, H_SMTP) if low_port == SMTP_PORT or low_port == SUBMISSION_PORT else (0, 0)
    return 0, 0


@leaf
def _imap_login(octets: Octets, at: int, end: int) -> tuple[int, int]:
    """A tag, then LOGIN or AUTHENTICATE with such a mechanism."""
    for i in range(at, min(at + TAG_MAX, end - 6)):
        if octets[i] != 0x20:
            continue
        word = u32(octets, i + 1) | LOWER
        if word == LOGI and octets[i + 5] | 0x20 == 0x6E:
            return A_IMAP, H_IMAP
        if word == AUTHENTICATE and _clear_mechanism(octets, i + 14, end):
            return A_IMAP, H_IMAP
        return 0, 0
    return 0, 0


@leaf
def _after_length(octets: Octets, at: int, end: int) -> int:
    """Offset behind a BER length of one to three octets at an offset; `end` when it is cut or longer."""
    if at >= end:
        return end
    size = np.int64(octets[at])
    if size < 0x80:
        return at + 1
    return min(at + 1 + (size & 0x7F), end) if size <= 0x84 else end


@leaf
def _ldap_login(octets: Octets, at: int, end: int) -> tuple[int, int]:
    """A bind request with a password: sequence, message id, then version, name and [0], simple authentication."""
    i = _after_length(octets, at + 1, end)
    if end - i < 3 or octets[i] != 2 or octets[i + 1] < 1 or octets[i + 1] > 4:
        return 0, 0
    i += 2 + np.int64(octets[i + 1])
    if i >= end or octets[i] != 0x60:
        return 0, 0
    i = _after_length(octets, i + 1, end)
    if end - i < 5 or octets[i] != 2 or octets[i + 1] != 1 or octets[i + 3] != 4 or octets[i + 4] >= 0x80:
        return 0, 0
    i += 5 + np.int64(octets[i + 4])
    if end - i < 3 or octets[i] != 0x80 or octets[i + 1] == 0:
        return 0, 0
    return A_LDAP, H_LDAP


@leaf
def login(octets: Octets, at: int, have: int, low_port: int) -> tuple[int, int]:
    """(application, hint) of a TCP payload that is a log-in in clear; (0, 0) else."""
    end = at + have
    if have < 6:
        return 0, 0
    if low_port == IMAP_PORT:
        return _imap_login(octets, at, end)
    if octets[at] == 0x30 and (low_port == LDAP_PORT or low_port == CATALOGUE_PORT):
        return _ldap_login(octets, at, end)
    if low_port == TELNET_PORT:  # assword:
        prompt = holds(octets, at, at + min(have, PROMPT_LOOK), 0x61737377, 0x6F72643A)
        return (A_TELNET, H_TELNET) if prompt else (0, 0)
    return _mail_login(octets, at, end, u32(octets, at) | LOWER, low_port)
