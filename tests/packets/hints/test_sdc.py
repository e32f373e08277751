"""SDC in clear: operations by their name."""

import pytest

from agent.packets.hints import sdc
from agent.packets.hints.records import Signal
from tests.packets.hints.samples import SOAP


@pytest.mark.parametrize(
    ("action", "signal"),
    [
        (b"GetService/GetMdib", Signal("sdc.asks", "GetMdib")),
        (b"GetService/GetMdibResponse", Signal("sdc.answers", "GetMdib")),
        (b"SetService/SetValue", Signal("sdc.asks", "SetValue")),
        (b"StateEventService/EpisodicMetricReport", Signal("sdc.reports", "EpisodicMetricReport")),
    ],
)
def test_operations(action: bytes, signal: Signal) -> None:
    assert sdc.read(SOAP % action) == [signal]


def test_other_words_are_silent() -> None:
    assert sdc.read(SOAP % b"GetService/Quillfeather") == []
    assert sdc.read(b"<?xml version='1.0'?><x/>") == []
    assert sdc.read(b"/11073/11073-20701-2018/" * 500) == []
