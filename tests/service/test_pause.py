"""A pause survives the process, ends with its time or its boot, and is answered once."""

import json
import threading
from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.commands.requests import QUIET_S_MAX, Request
from agent.service import pause
from agent.wire.command import Receipt

ID, BOOT, OTHER = bytes(range(16)), b"b" * 16, b"o" * 16
QUIET = Request(ID, "quiesce", {"seconds": 60}, BOOT, 9)
AGAIN = Request(ID, "restart", {"what": "sensor"}, BOOT, 9)


def wait(state: Path, boot: bytes, clock: CaptureClock) -> Receipt | None:
    return pause.wait(state, boot, clock, threading.Event())


def test_nobody_asked(tmp_path: Path) -> None:
    assert wait(tmp_path, BOOT, CaptureClock()) is None
    assert not pause.is_quiet(tmp_path, BOOT, 0)


def test_a_restart_does_not_wait(tmp_path: Path) -> None:
    clock = CaptureClock(5)
    pause.begin(tmp_path, AGAIN, BOOT, clock.now_ns)
    assert not pause.is_quiet(tmp_path, BOOT, clock.now_ns)
    assert wait(tmp_path, BOOT, clock) == Receipt(ID, "restart", "done", "", {})
    assert clock.now_ns == 5


def test_quiet_for_as_long_as_was_asked(tmp_path: Path) -> None:
    clock = CaptureClock(5)
    pause.begin(tmp_path, QUIET, BOOT, clock.now_ns)
    assert pause.is_quiet(tmp_path, BOOT, clock.now_ns)
    assert wait(tmp_path, BOOT, clock) == Receipt(ID, "quiesce", "done", "", {})
    assert 60 * NS_PER_S <= clock.now_ns < 62 * NS_PER_S
    assert not pause.is_quiet(tmp_path, BOOT, clock.now_ns)
    assert pause.read(tmp_path) is not None, "until the receipt is durable"
    pause.end(tmp_path)
    assert wait(tmp_path, BOOT, clock) is None


def test_killed_while_quiet_it_stays_quiet(tmp_path: Path) -> None:
    clock = CaptureClock(0)
    pause.begin(tmp_path, QUIET, BOOT, 0)
    clock.advance(30 * NS_PER_S)
    assert wait(tmp_path, BOOT, clock) is not None
    assert clock.now_ns < 62 * NS_PER_S


def test_a_power_cut_ends_it(tmp_path: Path) -> None:
    clock = CaptureClock(1)
    pause.begin(tmp_path, QUIET, BOOT, 50 * NS_PER_S)
    receipt = wait(tmp_path, OTHER, clock)
    assert receipt is not None
    assert receipt.reason == "this machine started again"
    assert clock.now_ns == 1


def test_told_to_stop_while_quiet(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    pause.begin(tmp_path, QUIET, BOOT, 0)
    assert pause.wait(tmp_path, BOOT, CaptureClock(0), stop) is None
    assert pause.read(tmp_path) is not None


def test_no_file_keeps_it_quiet_for_long(tmp_path: Path) -> None:
    pause.begin(tmp_path, QUIET, BOOT, 0)
    path = tmp_path / "sensor" / "pause.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"until_mono_ns": 1 << 62}))
    clock = CaptureClock(0)
    assert wait(tmp_path, BOOT, clock) is not None
    assert clock.now_ns <= (QUIET_S_MAX + 1) * NS_PER_S


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"id": 1}', b"[" * 900, b'{"id":"00","name":"quiesce","boot":""}']
)
def test_a_damaged_file_is_no_pause(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sensor").mkdir()
    (tmp_path / "sensor" / "pause.json").write_bytes(content)
    assert wait(tmp_path, BOOT, CaptureClock()) is None
    assert not pause.is_quiet(tmp_path, BOOT, 0)
