"""SSH identification."""

from agent.packets.hints import ssh
from agent.packets.hints.records import Signal


def test_software_without_the_comment() -> None:
    assert ssh.read(b"SSH-2.0-OpenSSH_8.4p1 Debian-5 Quillfeather\r\n") == [Signal("ssh.software", "OpenSSH_8.4p1")]


def test_anything_else_is_silent() -> None:
    assert ssh.read(b"HTTP/1.1 200") == []
    assert ssh.read(b"SSH-") == []
