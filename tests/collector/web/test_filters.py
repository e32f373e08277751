import pytest

from agent.collector.web.filters import NEVER, label, measure, measured, number, octets, signal, when


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


def test_evidence_is_told_in_words() -> None:
    assert measure("role-confidence-permille") == "role confidence"
    assert measured(987, "role-confidence-permille") == "99 %"
    assert (measure("score-permille"), measured(16635, "score-permille")) == ("score", "16.6")
    assert (measure("packets-out"), measured(3, "packets-out")) == ("packets out", "3")
    assert measured("203.0.113.77\u202e", "peer") == "203.0.113.77⟨U+202E⟩"
    assert signal("dhcp.vendor") == "DHCP vendor"
