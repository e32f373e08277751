"""QUIC versions."""

import pytest

from agent.packets.hints import quic
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import old_quic
from tests.packets.hints.samples import quic as initial


@pytest.mark.parametrize(
    ("version", "word"),
    [
        (1, "1"), (0x6B3343CF, "2"), (0xFF00001D, "draft-29"), (0x51303530, "Q050"), (0x54303531, "T051"),
        (0xFACEB002, "other"), (0x51FFFFFF, "other"),
    ],
)  # fmt: skip
def test_versions(version: int, word: str) -> None:
    assert quic.read(initial(version)) == [Signal("quic.version", word)]


def test_negotiation_and_versions_that_only_test_are_silent() -> None:
    assert quic.read(initial(0)) == quic.read(initial(0x1A2A3A4A)) == []


def test_googles_first_form() -> None:
    assert quic.read(old_quic(b"Q039")) == [Signal("quic.version", "Q039")]
    assert quic.read(old_quic(b"QQQQ")) == []


def test_a_short_header_has_no_version() -> None:
    assert quic.read(b"\x40" + bytes(30)) == []
