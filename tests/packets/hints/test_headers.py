"""Shapes of headers: a word, and nothing of the packet."""

import pytest

from agent.packets.hints import READERS, headers
from agent.packets.hints.records import Signal
from agent.packets.records import HintKind


def test_any_octets_give_the_word() -> None:
    read = headers.reader("land")
    assert read(b"\0") == read(b"QUILLFEATHER" * 99) == [Signal("header.exploit", "land")]
    assert read(b"") == []


@pytest.mark.parametrize("kind", range(HintKind.SOURCE_ROUTE, HintKind.RARP_REPLY + 1))
def test_every_kind_has_a_word_of_its_own(kind: int) -> None:
    words = [READERS[HintKind(k)](b"x")[0].value for k in range(HintKind.SOURCE_ROUTE, HintKind.RARP_REPLY + 1)]
    assert len(set(words)) == len(words)
    assert READERS[HintKind(kind)](b"x")[0].kind == "header.exploit"
