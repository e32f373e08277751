"""Segments as the writer makes them."""

from pathlib import Path

import pytest

from agent.spool.records import Lane
from agent.spool.segment import HEAD_BYTES, Damage, Frame, Kind, frame, frames, list_segments, parse_name, segment_name
from agent.spool.store import LaneLog, SegmentFile, bury
from agent.spool.survey import Survey
from tests.simulators.disk import BROKEN, faulty_disk

RUN = bytes(range(16))


def log(folder: Path, size: int = 300) -> LaneLog:
    return LaneLog(folder, Lane.URGENT, 1, RUN, size)


def kinds(path: Path) -> list[tuple[Kind, int]]:
    return [(item.kind, item.seq) for item in frames(path.read_bytes()) if isinstance(item, Frame)]


def record(seq: int) -> bytes:
    return frame(Kind.RECORD, seq, RUN, "wardtap/gap.v1", bytes(100))


def test_marks_follow_the_fsync_in_every_file_it_touched(tmp_path: Path) -> None:
    lane = log(tmp_path)
    for seq in (1, 2, 3):
        lane.append(seq, record(seq))
    lane.sync()
    lane.close()
    segments, _ = list_segments(tmp_path)
    assert [segment.first_seq for segment in segments] == [1, 2, 3]
    for segment in segments:
        assert kinds(segment.path) == [(Kind.RECORD, segment.first_seq), (Kind.MARK, 3)]


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    lane = log(tmp_path)
    assert lane.sync() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_segment_is_never_written_over(tmp_path: Path) -> None:
    for _ in range(3):
        lane = log(tmp_path)
        lane.append(1, record(1))
        lane.sync()
        lane.close()
    segments, _ = list_segments(tmp_path)
    assert [segment.attempt for segment in segments] == [0, 1, 2]


@pytest.mark.parametrize("call", ["write", "fsync", "open"])
def test_after_an_error_nothing_unmarked_is_left_to_be_taken_for_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    lane = log(tmp_path, size=1 << 20)
    with faulty_disk(monkeypatch) as disk:
        disk.fail = {call: BROKEN}
        with pytest.raises(OSError, match="Input/output"):
            step(lane)
        lane.abandon()
        disk.fail = {}
        lane.append(1, record(1))
        lane.sync()
        lane.close()
    segments, _ = list_segments(tmp_path)
    assert len(segments) == 1
    assert kinds(segments[0].path) == [(Kind.RECORD, 1), (Kind.MARK, 1)]


def step(lane: LaneLog) -> None:
    lane.append(1, record(1))
    lane.sync()


def test_a_file_deleted_under_it_is_an_error_and_not_a_success(tmp_path: Path) -> None:
    file = SegmentFile(tmp_path / "x.seg")
    file.append(b"x")
    (tmp_path / "x.seg").unlink()
    with pytest.raises(OSError, match="deleted"):
        file.sync()
    file.close()
    file.close()


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty_disk(monkeypatch) as disk:
        real = disk.write
        disk.write = lambda descriptor, octets: real(descriptor, bytes(octets[:7]))  # type: ignore[method-assign]
        step_log = log(tmp_path)
        step(step_log)
        step_log.close()
    segments, _ = list_segments(tmp_path)
    assert not [item for item in frames(segments[0].path.read_bytes()) if isinstance(item, Damage)]


def test_a_buried_segment_still_says_where_its_run_ended(tmp_path: Path) -> None:
    run = bytes(range(16))
    path = tmp_path / segment_name(1, Lane.BULK, 3, 0, run)
    path.write_bytes(b"".join(frame(Kind.RECORD, seq, run, "wardtap/gap.v1", bytes(99)) for seq in (3, 4, 9)))
    segment = parse_name(path, path.stat().st_size)
    assert segment is not None
    assert bury(segment) == path.stat().st_size == HEAD_BYTES
    assert Survey(segment).marked == {run: 9}


def test_names_sort_behind_those_that_are_there(tmp_path: Path) -> None:
    run = bytes(range(16))
    there = tmp_path / segment_name(1, Lane.BULK, 3, 4, run)
    there.write_bytes(b"")
    log = LaneLog(tmp_path, Lane.BULK, 1, run, 4096)
    log.follow(list_segments(tmp_path)[0])
    log.append(3, b"x")
    log.abandon()
    log.append(3, b"x")
    assert log.active is not None
    assert log.active.name > there.name
    assert "-006-" in log.active.name  # the one that was abandoned is not used again
    log.close()
