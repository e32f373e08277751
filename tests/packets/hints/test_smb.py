"""SMB: dialects, systems, computer names."""

from agent.packets.hints import smb
from agent.packets.hints.records import Signal
from tests.packets.hints.payloads import ntlm_challenge, smb1, smb2_negotiated


def test_a_version_1_offer() -> None:
    offered = smb.read(smb1(0x72, b"", b"\x02LANMAN1.0\0\x02NT LM 0.12\0"))
    assert offered == [Signal("smb.dialect", "1")]
    both = smb.read(smb1(0x72, b"", b"\x02NT LM 0.12\0\x02SMB 2.???\0"))
    assert both == [Signal("smb.dialect", "1"), Signal("smb.dialect", "2.?")]


def test_the_native_system_of_an_answer() -> None:
    answer = smb1(0x73, b"\xff\0\0\0\0\0", b"Windows 5.1\0Windows 2000 LAN Manager\0", reply=True)
    assert smb.read(answer)[1:] == [
        Signal("smb.os", "Windows 5.1"),
        Signal("smb.lanman", "Windows 2000 LAN Manager"),
    ]


def test_a_request_with_an_account_name_is_not_read() -> None:
    request = smb1(0x73, bytes(26), b"QUILLFEATHER\0WARD\0Unix\0Samba\0")
    assert smb.read(request) == [Signal("smb.dialect", "1")]


def test_the_chosen_dialect() -> None:
    assert smb.read(smb2_negotiated(0x0311)) == [Signal("smb.dialect", "3.1.1")]
    assert smb.read(smb2_negotiated(0x9999)) == []


def test_a_challenge_names_the_computer_and_its_version() -> None:
    assert smb.read(ntlm_challenge("ARCHIVE")) == [Signal("smb.os-version", "6.1.7601"), Signal("smb.host", "ARCHIVE")]


def test_an_authentication_names_a_user_and_is_not_read() -> None:
    message = ntlm_challenge("QUILLFEATHER")
    at = message.index(b"NTLMSSP\0") + 8
    assert smb.read(message[:at] + b"\3" + message[at + 1 :]) == []
