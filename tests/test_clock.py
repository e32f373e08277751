"""The machine's clocks, their floor, and the time inside a capture."""

import ctypes
from pathlib import Path

import pytest

from agent import clock as clock_module
from agent.clock import (
    FOR_PEOPLE,
    NS_PER_S,
    CaptureClock,
    Clock,
    SystemClock,
    boot_id,
    discipline,
    process_age_s,
    set_wall,
    stopwatch_s,
    utc_text,
)
from agent.errors import PermissionNeeded, StateError

S = 1_000_000_000


def test_the_machine_s_clocks_go_on() -> None:
    clock: Clock = SystemClock()
    mono, wall = clock.mono_ns(), clock.wall_ns()
    clock.sleep(0.02)
    assert clock.mono_ns() - mono >= 0.02 * S
    assert clock.wall_ns() > wall > 1_600_000_000 * S


def test_wall_time_never_goes_below_its_floor() -> None:
    floor = SystemClock().wall_ns() + 3600 * S
    behind = SystemClock(floor)
    assert behind.wall_ns() == floor
    assert behind.state() == ("floor", -1)
    assert SystemClock(1).state() == ("holdover", -1)
    assert SystemClock(1, synced=True).state() == ("synced", S)


def test_time_inside_a_capture() -> None:
    clock = CaptureClock()
    clock.advance(5 * S)
    clock.advance(3 * S)
    assert (clock.mono_ns(), clock.wall_ns()) == (5 * S, 5 * S)
    clock.sleep(2.5)
    assert clock.wall_ns() == int(7.5 * S)
    assert clock.state() == ("none", -1)


def test_the_boot_has_an_id(tmp_path: Path) -> None:
    assert len(boot_id()) == 16
    assert boot_id() == boot_id()
    wrong = tmp_path / "boot_id"
    for content in (None, "not hexadecimal"):
        if content is not None:
            wrong.write_text(content)
        with pytest.raises(StateError, match="which boot"):
            boot_id(wrong)


def test_stopwatch_and_age() -> None:
    began = stopwatch_s()
    assert 0 <= stopwatch_s() - began < 60
    assert 0 < process_age_s() < 24 * 3600


def test_how_the_kernel_s_clock_is_kept() -> None:
    """The kernel's own bound of an unsynchronised clock is 16 s and grows no further (NTP_PHASE_LIMIT)."""
    held = discipline()
    assert held is not None
    assert 0 <= held.error_ns <= 16 * NS_PER_S
    assert held.synced or held.error_ns > 0


def test_a_kernel_that_does_not_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: type("Libc", (), {"adjtimex": lambda _, __: -1})())
    assert discipline() is None


def test_the_clock_is_set_or_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own clock is nobody's to set in a test."""
    asked = list[tuple[int, int]]()
    monkeypatch.setattr(clock_module.time, "clock_settime_ns", lambda which, ns: asked.append((which, ns)))
    set_wall(5 * S)
    assert asked == [(clock_module.time.CLOCK_REALTIME, 5 * S)]

    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(clock_module.time, "clock_settime_ns", refuse)
    with pytest.raises(PermissionNeeded, match="CAP_SYS_TIME"):
        set_wall(5 * S)


def test_a_time_as_people_write_it_and_one_that_no_calendar_has() -> None:
    assert utc_text(1_700_000_000_000_000_000) == "2023-11-14T22:13:20Z"
    assert utc_text(1_700_000_000_000_000_000, FOR_PEOPLE) == "2023-11-14 22:13:20"
    assert utc_text(2**63 - 1).startswith("2262-04-11")
    assert (utc_text(10**30), utc_text(-(10**30))) == ("?", "?")
