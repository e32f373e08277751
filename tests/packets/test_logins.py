"""Log-ins in clear are found by their command, at every cut, and digests and TLS are none."""

from pathlib import Path

import numpy as np
import pytest

from agent.packets import kernels_payload
from agent.packets.records import Application as App
from agent.packets.records import HintKind as Kind
from agent.packets.records import Rows
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.packets.hints.news import signals
from tests.simulators.bursts import HASHES, Heard, burst_of, decode

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
NAME = b"cn=orsola,dc=x"


def recognised(data: bytes, port: int) -> Rows:
    """The row of a TCP payload, at the very end of the burst."""
    frame = ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(Tcp(40000, port, flags=24).octets(A, B, data)))
    burst = burst_of([Heard(frame)])
    rows = decode(burst)
    kernels_payload.recognise_burst(rows, 1, burst.octets)
    return rows[0]


def bind(method: bytes, *, length: bytes = b"", name: bytes = NAME) -> bytes:
    """An LDAP bind request."""
    body = b"\2\1\3\4" + bytes([len(name)]) + name + method
    operation = b"\x60" + (length or bytes([len(body)])) + body
    message = b"\2\1\1" + operation
    return b"\x30" + (length or bytes([len(message)])) + message


LOGINS = [
    (b"PASS secret\r\n", 21, App.FTP, Kind.FTP_LOGIN),
    (b"pass secret\r\n", 21, App.FTP, Kind.FTP_LOGIN),
    (b"PASS secret\r\n", 110, App.POP3, Kind.POP3_LOGIN),
    (b"AUTH PLAIN AGE=\r\n", 110, App.POP3, Kind.POP3_LOGIN),
    (b"AUTH LOGIN\r\n", 25, App.SMTP, Kind.SMTP_LOGIN),
    (b"auth plain AGE=\r\n", 587, App.SMTP, Kind.SMTP_LOGIN),
    (b"a001 LOGIN orsola secret\r\n", 143, App.IMAP, Kind.IMAP_LOGIN),
    (b". login orsola secret\r\n", 143, App.IMAP, Kind.IMAP_LOGIN),
    (b"A1 AUTHENTICATE PLAIN\r\n", 143, App.IMAP, Kind.IMAP_LOGIN),
    (bind(b"\x80\6secret"), 389, App.LDAP, Kind.LDAP_LOGIN),
    (bind(b"\x80\6secret"), 3268, App.LDAP, Kind.LDAP_LOGIN),
    (bind(b"\x80\6secret", length=b"\x84\0\0\0\x40"), 389, App.LDAP, Kind.LDAP_LOGIN),
    (b"\r\nPassword: ", 23, App.TELNET, Kind.TELNET_LOGIN),
]
NO_LOGINS = [
    (b"PASS secret\r\n", 4444),
    (b"PASSIVE\r\n", 21),
    (b"AUTH TLS\r\n", 21),
    (b"AUTH CRAM-MD5\r\n", 25),
    (b"APOP orsola c4c9334bac560ecc979e58001b3e22fb\r\n", 110),
    (b"a001 LOGOUT\r\n", 143),
    (b"a001 AUTHENTICATE GSSAPI\r\n", 143),
    (b"a-tag-that-is-too-long LOGIN a b\r\n", 143),
    (bind(b"\x80\0"), 389),  # anonymous
    (bind(b"\x80\0", name=b""), 389),
    (bind(b"\xa3\x0a\4\6GSSAPI\4\0"), 389),
    (b"\x30\xff" + b"\2" * 40, 389),
    (b"\x30\x0c\2\x7f\1\x60" + b"\0" * 40, 389),
    (b"last login: today", 23),
]


@pytest.mark.parametrize(("data", "port", "application", "hint"), LOGINS)
def test_a_log_in_is_seen(data: bytes, port: int, application: int, hint: int) -> None:
    row = recognised(data, port)
    assert (row["application"], row["hint"]) == (application, hint)


@pytest.mark.parametrize(("data", "port"), NO_LOGINS)
def test_what_shows_no_password_is_none(data: bytes, port: int) -> None:
    assert recognised(data, port)["hint"] == 0


def test_every_cut_is_safe() -> None:
    """A read beyond the cut would fault where bounds are checked."""
    for data, port, _, hint in LOGINS:
        for size in range(len(data)):
            assert recognised(data[:size], port)["hint"] in {0, hint}


def test_every_changed_octet_is_safe() -> None:
    for data, port, _, hint in LOGINS:
        for at in range(0, len(data), 2):
            for value in (0x00, 0x20, 0x7F, 0x84, 0xFF):
                assert recognised(data[:at] + bytes([value]) + data[at + 1 :], port)["hint"] in {0, hint}


def test_a_payload_of_nothing_but_lengths() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        recognised(b"\x30" + rng.choice([0x02, 0x04, 0x60, 0x80, 0x84, 0xFF], 40).astype(np.uint8).tobytes(), 389)


SEEN = [
    ("cleartext/ftp_ndpi.pcap", "ftp"), ("cleartext/http_basic_auth.pcap", "http"),
    ("cleartext/ldap_simple_bind.pcap", "ldap"), ("cleartext/pop3_sdsimbi_cap1.pcap", "pop3"),
    ("cleartext/snmp_v1v2_ndpi.pcapng", "snmp"), ("cleartext/telnet_ndpi.pcap", "telnet"),
    ("threats/agenttesla_exfil.pcap", "smtp"), ("clinical/pump_telnet_ftp.pcap", "telnet"),
    ("clinical/pump_telnet_ftp.pcap", "ftp"),
]  # fmt: skip


@pytest.mark.captures
@pytest.mark.parametrize(("name", "protocol"), SEEN)
def test_real_log_ins(captures: Path, name: str, protocol: str) -> None:
    seen = [hint for hint, signal in signals(captures / name) if signal == ("credentials.clear", protocol, *signal[2:])]
    assert seen
    assert all(len(hint.payload) == 4 for hint in seen if protocol not in {"http", "snmp"})


@pytest.mark.captures
@pytest.mark.parametrize(
    "name", ["cleartext/rdp_ndpi.pcap", "threats/ssh_guess_zeek.pcap", "benign/kerberos_login.pcap"]
)
def test_protocols_that_hide_them(captures: Path, name: str) -> None:
    assert not [signal for _, signal in signals(captures / f"{name}.pcap") if signal.kind == "credentials.clear"]
