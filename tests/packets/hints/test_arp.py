"""ARP: who says what is whose."""

import pytest

from agent.packets.hints import arp
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import MONITOR_MAC, OWN
from tests.packets.hints.samples import arp as frame

OTHER = b"\x0a\x29\7\1"


@pytest.mark.parametrize(
    ("operation", "sender", "target", "word"),
    [
        (1, OWN, OWN, "announcement"),
        (2, OWN, OWN, "announcement"),
        (1, bytes(4), OWN, "probe"),
        (2, OWN, OTHER, "reply"),
    ],
)
def test_what_a_card_says(operation: int, sender: bytes, target: bytes, word: str) -> None:
    assert arp.read(frame(operation, MONITOR_MAC, sender, target)) == [Signal("arp.says", word, MONITOR_MAC, OWN)]


def test_a_question_for_another_and_nonsense_are_silent() -> None:
    assert arp.read(frame(1, MONITOR_MAC, OWN, OTHER)) == []
    assert arp.read(frame(1, MONITOR_MAC, bytes(4), bytes(4))) == []
    assert arp.read(frame(9, MONITOR_MAC, OWN, OWN)[:40]) == []


def test_another_kind_of_address_is_silent() -> None:
    assert arp.read(frame(2, MONITOR_MAC, OWN, OTHER).replace(b"\0\1\x08\0\6\4", b"\0\1\x08\0\6\x10")) == []


def test_behind_a_tag() -> None:
    plain = frame(2, MONITOR_MAC, OWN, OTHER)
    assert arp.read(plain[:12] + b"\x81\0\0\7" + plain[12:]) == arp.read(plain)
