"""Machines made of files: old, small, hot, starved, with a wrong clock, with a full disk."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from agent.clock import CaptureClock, Discipline, SystemClock
from agent.service import machine_checks
from agent.service.board import THROTTLED
from agent.service.check import Check, Level
from agent.service.machine_checks import clock_checks, count_of, disk_checks
from tests.service.bench import S, small, status_of
from tests.service.test_board import zone

GIB = 1 << 30


def put(root: Path, name: str, text: str) -> None:
    """A file of the kernel."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def board(tmp_path: Path) -> Path:
    """A well one, on which a sensor (process 1) listens."""
    put(tmp_path, "proc/sys/kernel/osrelease", "6.12.34+rpt-rpi-2712\n")
    put(tmp_path, "sys/devices/system/cpu/online", "0-3\n")
    put(tmp_path, "proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n")
    put(tmp_path, "proc/self/status", "Name:\tx\nCapEff:\t0000000000002000\n")
    put(tmp_path, "proc/1/status", "CapEff:\t0000000000002000\n")
    put(tmp_path, "sys/class/rtc/rtc0/since_epoch", "1700000000\n")
    put(tmp_path, THROTTLED[0], "0\n")
    zone(tmp_path, 0, "48000\n")
    return tmp_path


def lines(root: Path, *, running: bool = True) -> list[Check]:
    """What is said of a machine."""
    return list(machine_checks.machine_checks(small(), status_of() if running else None, root))


def ill(checks: list[Check]) -> list[str]:
    """Lines that are not well."""
    return [str(check) for check in checks if check.level != Level.OK]


def test_a_well_board(board: Path) -> None:
    for running in (True, False):
        checks = lines(board, running=running)
        assert not ill(checks)
        assert [check.topic for check in checks] == ["kernel", "processor", "memory", "capability", "heat", "power"]
    assert not ill(list(clock_checks(Discipline(synced=True, error_ns=3_000_000), SystemClock(), board)))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("proc/sys/kernel/osrelease", "4.19.1\n", "older than 4.20"),
        ("proc/sys/kernel/osrelease", "5.15.0-rpi\n", "older than 5.16"),
        ("proc/sys/kernel/osrelease", "unknown\n", "does not say its version"),
        ("sys/devices/system/cpu/online", "0\n", "1 core"),
        ("proc/meminfo", "MemAvailable: 200000 kB\n", "lower [tap] buffer_bytes"),
        ("proc/meminfo", "MemAvailable: none\n", "does not say how much is free"),
        ("proc/self/status", "CapEff:\t0000000000000000\n", "may not open packet sockets"),
        ("proc/self/status", "\n", "not readable"),
        ("sys/class/thermal/thermal_zone0/temp", "82500\n", "82.5 °C: it will slow down"),
        (THROTTLED[0], "50005\n", "voltage too low, throttled"),
    ],
)
def test_one_thing_wrong(board: Path, name: str, text: str, words: str) -> None:
    put(board, name, text)
    (line,) = ill(lines(board, running=False))
    assert words in line


def test_a_sensor_that_may_too_much(board: Path) -> None:
    put(board, "proc/1/status", "CapEff:\t000001ffffffffff\n")
    (line,) = ill(lines(board))
    assert "may do more than listen" in line
    put(board, "proc/1/status", "CapEff:\t0000000000000000\n")
    assert not ill(lines(board))


def test_a_running_sensor_has_its_memory_already(board: Path) -> None:
    put(board, "proc/meminfo", "MemAvailable: 100000 kB\n")
    assert not ill(lines(board))


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    """A virtual one has no thermal zones; that is no fault."""
    unknown = {check.topic for check in lines(tmp_path) if check.level != Level.OK}
    assert unknown - {"processor"} == {"kernel", "memory", "capability"}


@pytest.mark.parametrize(("online", "workers", "level", "words"), [
    ("0-3\n", 1, Level.OK, "4 cores"), ("0-3\n", 4, Level.OK, "4 cores, 4 workers"),
    ("0-1\n", 4, Level.WARN, "2 cores for 4 workers"),
])  # fmt: skip
def test_cores_for_the_workers(board: Path, online: str, workers: int, level: Level, words: str) -> None:
    put(board, "sys/devices/system/cpu/online", online)
    base = small()
    config = base._replace(tap=base.tap._replace(workers=workers))
    (told,) = [one for one in machine_checks.machine_checks(config, None, board) if one.topic == "processor"]
    assert (told.level, told.what) == (level, words)


@pytest.mark.parametrize(("text", "count"), [("0", 1), ("0-3", 4), ("0-1,4,6-7", 5), ("", 0), ("x", 0)])
def test_ranges_of_processors(text: str, count: int) -> None:
    assert count_of(text) == count


@pytest.mark.parametrize(
    ("held", "now_ns", "level", "words"),
    [
        (None, None, "warn", "does not say"),
        (Discipline(synced=False, error_ns=16 * S), None, "warn", "nothing keeps it right"),
        (Discipline(synced=True, error_ns=9 * S), None, "warn", "9 s wrong"),
        (Discipline(synced=True, error_ns=0), 1, "fail", "1970-01-01 00:00 UTC, which is before this release"),
    ],
)
def test_a_clock(board: Path, held: Discipline | None, now_ns: int | None, level: str, words: str) -> None:
    clock = SystemClock() if now_ns is None else CaptureClock(now_ns)
    (line,) = ill(list(clock_checks(held, clock, board)))
    assert line.startswith(level)
    assert words in line


def test_no_clock_over_a_power_cut(board: Path) -> None:
    (board / "sys/class/rtc/rtc0/since_epoch").unlink()
    (line,) = ill(list(clock_checks(Discipline(synced=True, error_ns=0), SystemClock(), board)))
    assert "while the power is off" in line


Usage = namedtuple("Usage", "free")  # noqa: PYI024 - as shutil gives it


@pytest.mark.parametrize(
    ("free", "level"), [(100 * GIB, Level.OK), (700 << 20, Level.WARN), (100 << 20, Level.FAIL)]
)  # fmt: skip
def test_room_on_the_disk(free: int, level: Level, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    check = next(disk_checks(small(), tmp_path / "not" / "made"))
    assert check.level == level
    assert check.where == str(tmp_path), "of the folder in which it will be made"


def test_what_the_spool_has_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = tmp_path / "sensor" / "spool"
    spool.mkdir(parents=True)
    with (spool / "segment").open("wb") as file:
        file.truncate(400 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(400 << 20))
    check = next(disk_checks(small(), tmp_path))
    assert check.level == Level.OK
    assert "the spool has 400.0 MiB of 512.0 MiB" in check.what


def test_a_disk_that_cannot_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    (check,) = disk_checks(small(), tmp_path)
    assert (check.level, check.kind.exit_code) == (Level.FAIL, 7)


def test_few_files_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    few = namedtuple("Few", "f_files f_favail")(1000, 3)  # noqa: PYI024
    assert real.f_favail > 1000 or real.f_files == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * GIB))
    monkeypatch.setattr(os, "statvfs", lambda _: few)
    assert any("room for 3 more files" in check.what for check in disk_checks(small(), tmp_path))
