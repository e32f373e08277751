"""That there was a log-in, and nothing of it."""

import pytest

from agent.packets.hints import credentials
from agent.packets.hints.records import Signal


@pytest.mark.parametrize("protocol", credentials.PROTOCOLS)
def test_whatever_is_handed_over_the_answer_is_the_same(protocol: str) -> None:
    read = credentials.reader(protocol)
    seen = [Signal("credentials.clear", protocol, about_peer=protocol == "telnet")]
    assert read(b"PASS") == read(b"PASS quillfeather") == read(b"\xff" * 4096) == seen
    assert read(b"") == []
