"""What was taken stays taken, whatever happens in between."""

from pathlib import Path

import pytest

from agent.clock import CaptureClock
from agent.commands import executed
from agent.commands.executed import ExecutedIds
from agent.errors import Refused

BOOT, OTHER = bytes(16), bytes([1]) * 16


def test_taken_once(tmp_path: Path) -> None:
    clock = CaptureClock(100)
    ids = ExecutedIds(tmp_path, BOOT, clock)
    ids.take(BOOT, "status", 200)
    with pytest.raises(Refused) as caught:
        ids.take(BOOT, "status", 200)
    assert caught.value.reason == "replayed"
    again = ExecutedIds(tmp_path, BOOT, clock)
    assert BOOT in again
    assert [taken.name for taken in again.unfinished()] == ["status"]
    again.finish(BOOT)
    assert ExecutedIds(tmp_path, BOOT, clock).unfinished() == []
    assert BOOT in ExecutedIds(tmp_path, BOOT, clock)


def test_another_boot_needs_no_memory_of_it(tmp_path: Path) -> None:
    ExecutedIds(tmp_path, BOOT, CaptureClock()).take(BOOT, "status", 200)
    assert BOOT not in ExecutedIds(tmp_path, OTHER, CaptureClock())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"boot": 1}', b"\xff" * 2000])
def test_a_damaged_file_keeps_its_id_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / OTHER.hex()).write_bytes(content)
    ids = ExecutedIds(tmp_path, BOOT, CaptureClock())
    assert OTHER in ids
    assert ids.unfinished() == []


def test_ids_past_their_time_make_room_and_a_full_table_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executed, "IDS_MAX", 3)
    clock = CaptureClock(100)
    ids = ExecutedIds(tmp_path, BOOT, clock)
    names = [bytes([number]) * 16 for number in range(5)]
    for name in names[:3]:
        ids.take(name, "status", 200)
        ids.finish(name)
    with pytest.raises(Refused) as caught:
        ids.take(names[3], "status", 200)
    assert caught.value.reason == "busy"
    clock.advance(201)
    ids.take(names[4], "status", 400)
    assert len(list(tmp_path.iterdir())) == 1
