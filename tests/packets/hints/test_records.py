"""Signals and the list of their kinds."""

from agent.packets.hints.records import KINDS, Signal


def test_a_signal_speaks_of_its_sender_unless_it_says_otherwise() -> None:
    signal = Signal("dhcp.host", "x")
    assert (signal.subject_mac, signal.address, signal.about_peer) == (None, b"", False)


def test_every_kind_has_a_meaning_and_a_protocol() -> None:
    assert all("." in kind and meaning for kind, meaning in KINDS.items())
    assert list(KINDS) == sorted(KINDS)
