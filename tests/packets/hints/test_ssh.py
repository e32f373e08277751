"""SSH identification."""

from pathlib import Path

import pytest

from agent.packets.hints import ssh
from agent.packets.hints.records import Signal
from tests.packets.hints.tshark import fields


def test_software_without_the_comment() -> None:
    assert ssh.read(b"SSH-2.0-OpenSSH_8.4p1 Debian-5 Quillfeather\r\n") == [Signal("ssh.software", "OpenSSH_8.4p1")]


def test_anything_else_is_silent() -> None:
    assert ssh.read(b"HTTP/1.1 200") == []
    assert ssh.read(b"SSH-") == []


@pytest.mark.captures
def test_tshark_says_the_same(captures: Path) -> None:
    same = 0
    for name in ("threats/ssh_guess_zeek.pcap", "encap/gre.pcap"):
        for payload, said in fields(captures / name, "ssh.protocol", "tcp.payload", "ssh.protocol"):
            (signal,) = ssh.read(bytes.fromhex(payload[0]))
            assert said[0].split("-", 2)[2].partition(" ")[0] == signal.value
            same += 1
    assert same > 3
