"""capture-loss: once for each worsening, with the numbers."""

import pytest

from agent.findings.records import Severity
from tests.findings.bench import HOUR, Bench, ids


@pytest.mark.parametrize(
    ("frames", "dropped", "word"),
    [
        (100_000, 99, ""),
        (100_000, 100, "warning"),
        (100_000, 999, "warning"),
        (100_000, 1000, "critical"),
        (0, 5, "critical"),
        (0, 0, ""),
        (10, 0, ""),
    ],
)
def test_thresholds(bench: Bench, frames: int, dropped: int, word: str) -> None:
    said = bench.judge(interval_closed=True, frames=frames, dropped=dropped)
    assert [word in f.sentence for f in said] == ([True] if word else [])


def test_it_says_how_much_and_how_bad(bench: Bench) -> None:
    (found,) = bench.judge(interval_closed=True, frames=10_000, dropped=123)
    assert (found.id, found.severity, found.mac) == ("capture-loss", Severity.HEALTH, 0)
    assert found.sentence == (
        "The tap could not read 123 of 10000 frames (1.23 %) in this interval, which is critical: it may have missed "
        "what mattered."
    )


def test_once_for_each_change_not_each_interval(bench: Bench) -> None:
    said = [ids(bench.judge(interval_closed=True, frames=1000, dropped=d)) for d in (2, 2, 5, 20, 30, 2, 0)]
    assert said == [["capture-loss"], [], [], ["capture-loss"], [], [], []]


def test_flapping_folds(bench: Bench) -> None:
    said = [bench.judge(interval_closed=True, frames=1000, dropped=d) for d in (2, 0) * 20]
    assert sum(map(len, said)) == 1
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True, frames=1000)
    assert again.count == 20


def test_only_when_the_interval_is_complete(bench: Bench) -> None:
    assert not bench.judge(frames=1000, dropped=500)
