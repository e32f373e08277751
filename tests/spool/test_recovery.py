"""Starting on what is left: always, without a person, and honest about what is missing."""

import time
from pathlib import Path

import pytest

from agent.spool import recovery, survey
from agent.spool.reader import SpoolReader
from agent.spool.records import Lane, SpoolLimits
from agent.spool.recovery import examine, run_file
from agent.spool.segment import Frame, Kind, frame, frames, list_segments, read_segment
from agent.wire import body
from agent.wire.types import MessageType
from tests.spool.conftest import QUICK, Open, bulk, urgent

RUN = bytes(range(16))


def segment(folder: Path, lane: str, first: int, content: bytes, generation: int = 1) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{generation:08d}-{lane}-{first:020d}-000-{RUN.hex()}.seg"
    path.write_bytes(content)
    return path


def record(seq: int) -> bytes:
    return frame(Kind.RECORD, seq, RUN, "wardtap/receipt.v1", b"body-%d" % seq)


def declared(folder: Path) -> list[tuple[int, int, str, str]]:
    """Ranges of all gap records."""
    rows: list[tuple[int, int, str, str]] = []
    for item in SpoolReader(folder, "uplink").records():
        if item.type == MessageType.GAP:
            rows.extend(tuple(row) for row in body.decode(item.type, item.body)[1]["ranges"])
    return rows


def test_an_empty_folder_is_a_first_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    found = examine(folder, {})
    assert (found.generation, found.run, found.last_seq) == (0, b"", 0)


def test_intact_records_no_mark_covers_are_written_again(folder: Path, open_spool: Open) -> None:
    """The process died between fsync and mark, or before the fsync: both look like this."""
    segment(folder, "f", 1, record(1) + frame(Kind.MARK, 1, RUN) + record(2) + record(3)[:-2])
    writer = open_spool()
    urgent(writer)
    assert writer.flush(60)
    assert writer.counts.recovered == 1
    found = [item for item in SpoolReader(folder, "uplink").records() if item.run == RUN]
    assert {item.seq for item in found} == {1, 2}
    header, _ = body.decode(
        MessageType.RECEIPT, next(item for item in SpoolReader(folder).records() if item.run != RUN).body
    )
    assert header is not None
    assert (header.before_run, header.before_seq) == (RUN, 2)
    writer.close()
    assert open_spool().counts.recovered == 0


def test_before_its_first_record_a_run_is_durable(folder: Path, open_spool: Open) -> None:
    first = open_spool()
    assert first.flush(60)
    first.close()
    second = open_spool()
    urgent(second)
    second.flush()
    names = [path.name for path in folder.glob("*.run")]
    assert any(second.run.hex() in name for name in names)
    assert all(run_file(1, second.run, b"", 0)[0].endswith(".run") for _ in names)


@pytest.mark.parametrize("content", [b"", b"W", bytes(60)])
def test_a_run_s_file_that_was_only_begun_is_no_run(folder: Path, open_spool: Open, content: bytes) -> None:
    """A full disk leaves it empty, a power cut fills it with zeros: the run before it is the one that has records."""
    first = open_spool()
    urgent(first)
    assert first.close()
    run = b"b" * 16
    (folder / run_file(2, run, first.run, 1)[0]).write_bytes(content)
    found = examine(folder, {})
    assert (found.run, found.last_seq) == (first.run, 1)
    second = open_spool()
    urgent(second)
    assert second.close()
    links = {
        header.before_run for one in SpoolReader(folder).records() if (header := body.decode(one.type, one.body)[0])
    }
    assert links == {b"", first.run}


def test_what_a_damaged_region_held_is_told(folder: Path, open_spool: Open) -> None:
    broken = bytearray(record(2) + record(4))
    broken[50], broken[-1] = broken[50] ^ 1, broken[-1] ^ 1
    segment(folder, "f", 1, record(1) + bytes(broken) + record(5) + frame(Kind.MARK, 5, RUN))
    segment(folder, "s", 3, record(3) + frame(Kind.MARK, 3, RUN))
    writer = open_spool()
    assert writer.flush(60)
    assert declared(folder) == [(2, 2, "finding", "damaged"), (4, 4, "finding", "damaged")]
    assert writer.counts.damaged_regions == 1
    assert writer.counts.damaged_bytes == len(broken)


def test_a_torn_end_is_no_loss(folder: Path, open_spool: Open) -> None:
    segment(folder, "f", 1, record(1) + frame(Kind.MARK, 1, RUN) + record(2)[:30])
    writer = open_spool()
    assert writer.flush(60)
    assert declared(folder) == []


def test_records_of_a_lost_end_that_a_mark_promised_are_told(folder: Path, open_spool: Open) -> None:
    broken = bytearray(record(2))
    broken[-1] ^= 1
    segment(folder, "f", 1, record(1) + bytes(broken) + frame(Kind.MARK, 2, RUN))
    writer = open_spool()
    urgent(writer)
    assert writer.flush(60)
    assert declared(folder) == [(2, 2, "finding", "damaged")]


def test_other_files_are_left_alone(folder: Path, open_spool: Open) -> None:
    folder.mkdir(parents=True)
    for name in ("notes.txt", "x.seg", "99999999999999999999-f.run", "zz.run", "-.run"):
        (folder / name).write_text("not ours")
    (folder / "00000002-f-00000000000000000001-000-00.seg").mkdir()
    writer = open_spool()
    urgent(writer)
    assert writer.flush(60)
    writer.close()
    assert (folder / "notes.txt").read_text() == "not ours"
    assert writer.counts.foreign_files == 2


@pytest.mark.parametrize("content", [b"", b"\x00" * 3000, b"\xff" * 3000, b"\xd7wtS" * 800])
@pytest.mark.parametrize("generation", [1, 99_999_999])
def test_it_starts_on_anything(folder: Path, open_spool: Open, content: bytes, generation: int) -> None:
    for lane, first in (("f", 1), ("s", 2), ("f", 3)):
        segment(folder, lane, first, content, generation)
    for _ in range(3):
        writer = open_spool()
        seq = urgent(writer)
        assert writer.flush(60)
        writer.close()
        assert (writer.run, seq) in {(item.run, item.seq) for item in SpoolReader(folder, "uplink").records()}


def test_the_scan_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for first in range(1, 20):
        segment(folder, "s", first, record(first) + frame(Kind.MARK, first, RUN))
    monkeypatch.setattr(recovery, "SCAN_BYTES_MAX", 500)
    read: list[Path] = []

    def watched(path: Path) -> bytes:
        read.append(path)
        return read_segment(path)

    monkeypatch.setattr(survey, "read_segment", watched)
    assert examine(folder, {}).last_seq == 19
    assert len(read) < 5


def test_a_large_spool_starts_quickly(folder: Path, open_spool: Open) -> None:
    """32 MiB of one run: read once, hashed once. The bound is loose; a scan that is not linear misses it by far."""
    writer = open_spool(SpoolLimits(gather_bulk_s=0.01))
    for _ in range(2000):
        bulk(writer, size=1280)
        if writer.backlog_bytes > 2 << 20:
            writer.flush()
    writer.close()
    some = next(path for path in sorted(folder.glob("*.seg")) if "-s-" in path.name)
    for number in range(30):
        (folder / some.name.replace("-000-", f"-{number + 100:03d}-")).write_bytes(some.read_bytes())
    started = time.thread_time()
    examine(folder, {})
    assert time.thread_time() - started < 20
    assert {item.kind for item in frames(some.read_bytes()) if isinstance(item, Frame)} == {Kind.RECORD, Kind.MARK}
    assert {each.lane for each in list_segments(folder)[0]} == {Lane.BULK}
    assert QUICK.segment_bytes == 1 << 20


def test_a_hole_that_no_damage_explains_is_told(folder: Path, open_spool: Open) -> None:
    """The power went after one lane's fsync and before the other's: 2 was never durable, but 3 was."""
    segment(folder, "f", 1, record(1) + record(3) + frame(Kind.MARK, 3, RUN))
    writer = open_spool()
    urgent(writer)
    assert writer.flush(60)
    assert declared(folder) == [(2, 2, "unknown", "missing")]
    writer.close()
    again = open_spool()
    urgent(again)
    assert again.flush(60)
    assert declared(folder) == [(2, 2, "unknown", "missing")]  # once


def test_who_died_before_saying_so_does_not_take_the_hole_along(folder: Path, open_spool: Open) -> None:
    """The run that found the hole left its run file and no record; the next one says it."""
    segment(folder, "f", 1, record(1) + record(4) + frame(Kind.MARK, 4, RUN))
    name, content = run_file(2, bytes(16), RUN, 4)
    (folder / name).write_bytes(content)
    writer = open_spool()
    urgent(writer)
    assert writer.flush(60)
    assert declared(folder) == [(2, 3, "unknown", "missing")]


def test_a_segment_that_was_deleted_is_missed(folder: Path, open_spool: Open) -> None:
    for first in (1, 3, 5):
        segment(folder, "f", first, record(first) + record(first + 1) + frame(Kind.MARK, first + 1, RUN))
    (folder / segment(folder, "f", 3, b"").name).unlink()
    writer = open_spool()
    assert writer.flush(60)
    assert declared(folder) == [(3, 4, "unknown", "missing")]
