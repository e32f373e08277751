"""One segment, read once."""

from pathlib import Path

import pytest

from agent.spool.records import Lane
from agent.spool.segment import Kind, frame, parse_name, segment_name
from agent.spool.survey import Survey

RUN, OTHER = bytes(range(16)), bytes(range(16, 32))


def record(seq: int, run: bytes = RUN) -> bytes:
    return frame(Kind.RECORD, seq, run, "wardtap/receipt.v1", b"body-%d" % seq)


def survey(folder: Path, content: bytes) -> Survey:
    path = folder / segment_name(1, Lane.URGENT, 3, 0, RUN)
    path.write_bytes(content)
    segment = parse_name(path, len(content))
    assert segment is not None
    return Survey(segment)


def test_numbers_marks_and_whose_they_are(tmp_path: Path) -> None:
    found = survey(tmp_path, record(3) + record(4) + frame(Kind.MARK, 4, RUN) + record(9, OTHER))
    assert {run: held.ranges() for run, held in found.held().items()} == {RUN: [(3, 4)], OTHER: [(9, 9)]}
    assert (found.marked, found.suspects, found.damage) == ({RUN: 4}, [], [])
    found.forget()
    assert found.held() == {}


def test_damage_lies_between_its_neighbours(tmp_path: Path) -> None:
    broken = record(5)[:-1] + b"\x00"
    assert survey(tmp_path, record(3) + broken + record(8)).suspects == [(4, 7)]
    assert survey(tmp_path, broken + record(8)).suspects == [(3, 7)]
    assert survey(tmp_path, record(3) + broken).suspects == [(4, 0)]  # up to where the segment ends


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    segment = parse_name(tmp_path / segment_name(1, Lane.URGENT, 3, 0, RUN))
    assert segment is not None
    with pytest.raises(OSError, match="No such file"):
        Survey(segment)
