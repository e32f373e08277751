"""Boards made of files: hot ones, throttled ones, ones that say nothing or nonsense."""

import os
from pathlib import Path

import pytest

from agent.service.board import (
    THROTTLED,
    Throttle,
    is_alive,
    line_of,
    number_of,
    temperature_mc,
    throttle,
    throttle_words,
)


def zone(root: Path, number: int, text: str) -> None:
    """A thermal zone."""
    folder = root / f"sys/class/thermal/thermal_zone{number}"
    folder.mkdir(parents=True)
    (folder / "temp").write_text(text)


def test_the_hottest_zone_counts(tmp_path: Path) -> None:
    assert temperature_mc(tmp_path) is None
    for number, text in enumerate(["41250\n", "63500\n", "-274000\n", "9999999\n", "", "none\n"]):
        zone(tmp_path, number, text)
    assert temperature_mc(tmp_path) == 63_500


@pytest.mark.parametrize("name", THROTTLED)
def test_the_firmware_s_flags(tmp_path: Path, name: str) -> None:
    assert throttle(tmp_path) is None
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("50005\n")
    flags = throttle(tmp_path)
    assert flags == Throttle.UNDERVOLTED | Throttle.THROTTLED | Throttle.WAS_UNDERVOLTED | Throttle.WAS_THROTTLED
    path.write_text("no\n")
    assert throttle(tmp_path) is None


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (0, ""),
        (0x50005, "voltage too low, throttled"),
        (0x50001, "voltage too low, was throttled since boot"),
        (0x80000, "was at its temperature limit since boot"),
        (0x2, "clock capped"),
    ],
)
def test_what_is_now_hides_that_it_was(flags: int, words: str) -> None:
    assert throttle_words(flags) == words


def test_small_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert line_of(path) is None
    path.write_bytes(b"  1f \nrest" + b"x" * 1000)
    assert line_of(path) == "1f"
    assert number_of(path, 16) == 31
    assert number_of(path) is None
    path.write_bytes(b"\xff" * 5000)
    assert len(line_of(path) or "") == 256


def test_processes() -> None:
    assert is_alive(os.getpid())
    assert not is_alive(0)
    assert not is_alive(1 << 30)
