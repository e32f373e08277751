import pytest

from agent.collector.web.filters import NEVER, label, number, octets, when


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_540_000, "1.5 MB"), (2**63, "9223.4 PB")]
)
def test_octets(value: int, shown: str) -> None:
    assert octets(value) == shown


def test_times() -> None:
    assert when(0) == NEVER
    assert when(1_700_000_000_000_000_000) == "2023-11-14 22:13:20"
    assert when(2**63 - 1).startswith("2262")
    assert when(10**30) == "?"


def test_numbers_and_labels() -> None:
    assert number(1234567) == "1\u202f234\u202f567"
    assert label("infusion-pump") == "infusion pump"
