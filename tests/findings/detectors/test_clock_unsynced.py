"""clock-unsynced: a clock that is wrong, was set, or is kept by nobody."""

import pytest

from agent.findings.records import ClockNote, Finding, Severity
from tests.findings.bench import Bench, S, ids


def note(bench: Bench, clock: ClockNote, after_s: int = 1) -> list[Finding]:
    """A turn with this clock."""
    bench.engine.clock = clock
    return bench.judge(after_ns=after_s * S)


def test_a_clock_before_its_own_software(bench: Bench) -> None:
    (found,) = note(bench, ClockNote(behind=True))
    assert (found.id, found.severity) == ("clock-unsynced", Severity.HEALTH)
    assert found.sentence == "The tap's clock is behind the time of its own software, so it is wrong."
    assert not note(bench, ClockNote(behind=True)), "once while it lasts"


@pytest.mark.parametrize(("stepped_s", "way"), [(7200, "forwards by 7200"), (-7200, "backwards by 7200")])
def test_a_clock_that_was_set(bench: Bench, stepped_s: int, way: str) -> None:
    (found,) = note(bench, ClockNote(stepped_ns=stepped_s * S))
    assert way in found.sentence
    assert not bench.judge(), "a step is told once"


@pytest.mark.parametrize("stepped_s", [0, 4, -4])
def test_a_clock_that_was_set_right(bench: Bench, stepped_s: int) -> None:
    assert not note(bench, ClockNote(kept=True, stepped_ns=stepped_s * S))


def test_nobody_keeps_it(bench: Bench) -> None:
    assert not note(bench, ClockNote(kept=False))
    assert not note(bench, ClockNote(kept=False), 800)
    assert ids(note(bench, ClockNote(kept=False), 200)) == ["clock-unsynced"]
    assert not note(bench, ClockNote(kept=False), 5000), "once"


def test_a_time_server_that_was_away(bench: Bench) -> None:
    for _ in range(5):
        assert not note(bench, ClockNote(kept=False), 500)
        assert not note(bench, ClockNote(kept=True), 500)


def test_where_the_kernel_does_not_say(bench: Bench) -> None:
    assert not note(bench, ClockNote(kept=None), 10_000)
    assert not note(bench, ClockNote(kept=None), 10_000)
