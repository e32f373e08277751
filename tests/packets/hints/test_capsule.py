"""Capsule MDIP: only that there is an announcement."""

from agent.packets.hints import capsule
from agent.packets.hints.records import Signal


def test_an_announcement_names_itself_and_nothing_of_it_is_kept() -> None:
    assert capsule.read(b"\0\1Capsule bed B07 Quillfeather") == [Signal("capsule.announce", "mdip")]


def test_anything_else_on_the_port_is_silent() -> None:
    assert capsule.read(b"INVITE sip:x") == []
