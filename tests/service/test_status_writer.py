"""The file is whole, the hand-over never waits, and what the disk refuses is counted."""

import threading
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.service import status_writer
from agent.service.status import parse
from agent.service.status_writer import StatusWriter
from tests.faults.conftest import eventually
from tests.service.bench import status_of
from tests.service.test_board import zone


def test_what_is_offered_is_there_with_the_board(tmp_path: Path) -> None:
    zone(tmp_path, 0, "51000\n")
    path = tmp_path / "sensor" / "status.json"
    writer = StatusWriter(path, SystemClock(), tmp_path)
    writer.offer(status_of(devices=7))
    writer.close()
    read = parse(path.read_bytes())
    assert read._replace(board=status_of().board) == status_of(devices=7)
    assert read.board.temperature_mc == 51_000
    assert read.board.throttle is None
    assert read.board.memory_bytes > 1 << 20
    assert 0 <= read.board.cpu_permille < 64_000
    assert path.stat().st_mode & 0o027 == 0, "of its owner and its group"
    assert [entry.name for entry in path.parent.iterdir()] == ["status.json"]


def test_failures_are_counted_and_told_later(tmp_path: Path) -> None:
    (tmp_path / "sensor").write_text("no folder")
    path = tmp_path / "sensor" / "status.json"
    writer = StatusWriter(path, SystemClock(), tmp_path)
    writer.offer(status_of())
    assert eventually(lambda: writer.failed == 1)
    assert writer.last_error
    (tmp_path / "sensor").unlink()
    writer.offer(status_of())
    writer.close()
    assert parse(path.read_bytes()).board.status_failed == 1


def test_a_disk_that_hangs_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, goes_on = threading.Event(), threading.Event()
    written: list[bytes] = []

    def stuck(_: Path, content: bytes, *, durable: bool) -> None:
        assert not durable, "nothing is synced each second: cards wear out"
        written.append(content)
        hangs.set()
        assert goes_on.wait(120)

    monkeypatch.setattr(status_writer, "write_atomically", stuck)
    writer = StatusWriter(tmp_path / "status.json", SystemClock(), tmp_path)
    writer.offer(status_of(devices=1))
    assert hangs.wait(60)
    for number in (2, 3, 4):
        writer.offer(status_of(devices=number))
    assert writer.skipped == 2
    goes_on.set()
    writer.close()
    assert [parse(content).devices for content in written] == [1, 4]
    assert parse(written[1]).board.status_skipped == 2
