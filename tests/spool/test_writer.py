"""What `append` promises, on disks that work and on disks that do not."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.errors import StateError, WireError
from agent.spool.coverage import Coverage, progress_bytes
from agent.spool.disk import BULK_PERCENT
from agent.spool.reader import SpoolReader
from agent.spool.records import Lane, SpoolLimits, SpoolRecord
from agent.spool.segment import list_segments
from agent.spool.writer import SpoolWriter
from agent.wire import body
from agent.wire.chain import body_hash
from agent.wire.types import MessageType
from tests.faults.conftest import eventually
from tests.simulators.disk import BROKEN, NO_SPACE, READ_ONLY, faulty_disk, small_disk
from tests.spool.conftest import IDENTITY, QUICK, Open, bulk, urgent

SMALL = SpoolLimits(
    limit_bytes=64 * 1024, segment_bytes=8 * 1024, gather_bulk_s=0.02, gather_urgent_s=0.002, retry_s=0.05
)


def stored(folder: Path) -> list[SpoolRecord]:
    return sorted(SpoolReader(folder, "uplink").records(), key=lambda record: (record.run, record.seq))


def seqs(folder: Path, run: bytes) -> list[int]:
    return [record.seq for record in stored(folder) if record.run == run]


def gaps(folder: Path) -> list[list[object]]:
    return [
        row
        for record in stored(folder)
        if record.type == MessageType.GAP
        for row in body.decode(record.type, record.body)[1]["ranges"]
    ]


def test_records_come_back_in_a_chain(folder: Path, open_spool: Open) -> None:
    writer = open_spool()
    for number in range(5):
        bulk(writer, number)
        urgent(writer, str(number))
    assert writer.flush(60)
    records = stored(folder)
    assert [record.seq for record in records] == list(range(1, 11))
    previous = bytes(32)
    for record in records:
        header, _ = body.decode(record.type, record.body)
        assert header is not None
        assert (header.run, header.seq, header.prev) == (writer.run, record.seq, previous)
        previous = body_hash(record.body)


def test_findings_are_durable_in_50_ms_and_summaries_in_1_s(folder: Path, open_spool: Open) -> None:
    writer = open_spool(SpoolLimits())
    reader = SpoolReader(folder, "uplink")
    writer.flush()
    for append in (urgent, bulk):
        append(writer)
        deadline = time.monotonic() + 120  # this is no timed test: a disk may be busy, and the limits are below
        while not (found := reader.poll()) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert found
    limits = SpoolLimits()
    assert limits.gather_urgent_s < 0.05
    assert limits.gather_bulk_s < 1.0


def test_a_new_process_names_where_the_old_one_ended(folder: Path, open_spool: Open) -> None:
    first = open_spool()
    urgent(first)
    bulk(first)
    first.close()
    second = open_spool()
    urgent(second)
    second.flush()
    header, _ = body.decode(MessageType.RECEIPT, next(item for item in stored(folder) if item.run == second.run).body)
    assert header is not None
    assert (header.before_run, header.before_seq) == (first.run, 2)
    assert first.run != second.run
    assert seqs(folder, first.run) == [1, 2]


def test_a_second_owner_is_refused_with_the_reason(folder: Path, open_spool: Open) -> None:
    writer = open_spool()
    with pytest.raises(StateError, match=f"another process owns this spool \\(process {os.getpid()}\\)"):
        open_spool()
    writer.close()
    open_spool()


def test_bad_content_uses_no_number_up(folder: Path, open_spool: Open) -> None:
    writer = open_spool()
    with pytest.raises(WireError):
        writer.append(MessageType.RECEIPT, {"id": 1})
    with pytest.raises(WireError):
        writer.append(MessageType.SUMMARY, {})
    assert urgent(writer) == 1


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_one_error_on_any_call_loses_nothing(
    folder: Path, open_spool: Open, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Fail the Nth call, for every N: everything must still be there, and from fresh files."""
    for number in range(1, 9):
        with faulty_disk(monkeypatch) as disk:
            disk.fail_at = {call: {number: BROKEN}}
            disk.partial_bytes = 10
            writer = open_spool()
            for _ in range(3):
                urgent(writer)
                bulk(writer)
                assert writer.flush(60)
            assert disk.calls[call] >= number or number > 6
            errors = writer.counts.write_errors
            writer.close()
        assert errors == (1 if disk.calls[call] >= number else 0)
        assert sorted(set(seqs(folder, writer.run))) == list(range(1, 7))


def test_after_a_failed_fsync_the_page_is_not_trusted(
    folder: Path, open_spool: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with faulty_disk(monkeypatch) as disk:
        writer = open_spool()
        urgent(writer)
        writer.flush()
        before = {segment.path for segment in list_segments(folder)[0]}
        disk.fail_at = {"fsync": {disk.calls["fsync"] + 1: BROKEN}}
        urgent(writer)
        assert writer.flush(60)
    after = {segment.path for segment in list_segments(folder)[0]}
    assert len(after - before) == 1
    fresh = (after - before).pop()
    assert [record.seq for record in stored(folder) if record.position.segment == fresh.name] == [2]
    assert writer.counts.fresh_segments_after_error == 1


@pytest.mark.parametrize("code", [NO_SPACE, READ_ONLY, BROKEN])
def test_a_disk_that_refuses_costs_bounded_memory_and_recovers(
    folder: Path, open_spool: Open, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    limits = SpoolLimits(pending_bytes=16 * 1024, gather_bulk_s=0.01, gather_urgent_s=0.001, retry_s=0.02)
    with faulty_disk(monkeypatch) as disk:
        writer = open_spool(limits)
        urgent(writer)
        assert writer.flush(60)
        disk.fail = {"write": code}
        findings = [urgent(writer, size=100) for _ in range(20)]
        summaries = [bulk(writer, size=600) for _ in range(100)]
        assert not writer.flush(0.2)
        assert writer.backlog_bytes <= limits.pending_bytes
        assert writer.counts.dropped > 0
        assert eventually(lambda: writer.counts.write_errors > 0)
        disk.fail = {}
        assert writer.flush(60)
        assert writer.flush(60)  # the gap record it then wrote
    have = set(seqs(folder, writer.run))
    assert have.issuperset(findings)
    told = {seq for first, last, label, reason in gaps(folder) for seq in range(int(str(first)), int(str(last)) + 1)}
    assert told == set(summaries) - have
    assert {(row[2], row[3]) for row in gaps(folder)} == {("summary", "memory")}


def test_full_gives_up_oldest_summaries_first_and_says_exactly_which(folder: Path, open_spool: Open) -> None:
    writer = open_spool(SMALL)
    findings, summaries = [], []
    for _ in range(90):
        summaries.append(bulk(writer, size=1200))
        findings.append(urgent(writer))
        writer.flush()
    assert sum(segment.size_bytes for segment in list_segments(folder)[0]) <= SMALL.limit_bytes
    have = set(seqs(folder, writer.run))
    assert have.issuperset(findings)
    lost = sorted(set(summaries) - have)
    assert lost
    assert lost == summaries[: len(lost)]
    told = [seq for first, last, label, reason in gaps(folder) for seq in range(int(str(first)), int(str(last)) + 1)]
    assert told == lost
    assert writer.counts.given_up == len(lost)
    assert {row[2] for row in gaps(folder)} == {"summary"}


def test_full_of_findings_gives_up_the_oldest_of_them(folder: Path, open_spool: Open) -> None:
    writer = open_spool(SMALL)
    wrote = []
    for _ in range(150):
        wrote.append(urgent(writer, size=1000))
        writer.flush()
    have = seqs(folder, writer.run)
    lost = [seq for seq in wrote if seq not in have]
    assert lost
    assert lost == wrote[: len(lost)]
    assert {row[2] for row in gaps(folder)} == {"finding"}


def test_acknowledged_segments_go_first_and_need_no_gap(folder: Path, open_spool: Open, tmp_path: Path) -> None:
    progress = tmp_path / "progress.json"
    writer = open_spool(SMALL, progress)
    wrote = []
    for number in range(300):
        wrote.append(urgent(writer, size=700) if number % 2 else bulk(writer, size=700))
        writer.flush()
        progress.write_bytes(progress_bytes({"uplink": {writer.run: Coverage([(1, wrote[-1])])}}))
    assert writer.counts.acknowledged_segments_deleted > 0
    assert writer.counts.given_up == 0
    assert gaps(folder) == []
    assert writer.bytes_used <= SMALL.limit_bytes


def test_acknowledged_segments_stay_while_there_is_room(folder: Path, open_spool: Open, tmp_path: Path) -> None:
    progress = tmp_path / "progress.json"
    writer = open_spool(QUICK, progress)
    progress.write_bytes(progress_bytes({"uplink": {writer.run: Coverage([(1, 99)])}}))
    for _ in range(20):
        urgent(writer, size=5000)
    writer.flush()
    assert seqs(folder, writer.run) == list(range(1, 21))


def test_a_folder_deleted_under_it_is_made_again(folder: Path, open_spool: Open) -> None:
    writer = open_spool()
    urgent(writer)
    writer.flush()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    urgent(writer)
    assert writer.flush(60)
    assert seqs(folder, writer.run) == [2]
    with pytest.raises(StateError):
        open_spool()


@pytest.mark.root
def test_a_really_full_disk(folder: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "256k") as disk:
        limits = SpoolLimits(segment_bytes=16 * 1024, gather_bulk_s=0.01, gather_urgent_s=0.001, retry_s=0.02)
        writer = SpoolWriter.open(disk / "spool", IDENTITY, SystemClock(), limits)
        filler = disk / "filler"
        bulk(writer, size=1200)
        assert writer.flush(60)
        filler.write_bytes(bytes(200 * 1024))
        findings = []
        for _ in range(40):
            bulk(writer, size=1200)
            findings.append(urgent(writer, size=1000))
        writer.flush(0.5)
        filler.unlink()
        assert writer.flush(60)
        assert writer.flush(60)
        writer.close()
        have = set(seqs(disk / "spool", writer.run))
        assert have.issuperset(findings)
        told = {seq for first, last, *_ in gaps(disk / "spool") for seq in range(int(str(first)), int(str(last)) + 1)}
        assert told.isdisjoint(have)
        assert told | have == set(range(1, max(have) + 1))


@pytest.mark.root
def test_a_read_only_folder_is_owned_and_waits(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        (disk / "spool").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        writer = SpoolWriter.open(disk / "spool", IDENTITY, SystemClock(), QUICK)
        urgent(writer)
        assert not writer.flush(0.2)
        assert eventually(lambda: "EROFS" in writer.counts.last_error)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert writer.flush(60)
        writer.close()
        assert seqs(disk / "spool", writer.run) == [1]


def test_a_place_where_no_folder_can_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be made"):
        SpoolWriter.open(tmp_path / "file" / "spool", IDENTITY, SystemClock())


CHILD = """
import sys
from pathlib import Path
from agent.clock import SystemClock
from agent.spool.writer import SpoolWriter
from tests.spool.conftest import IDENTITY, QUICK, bulk, urgent
writer = SpoolWriter.open(Path(sys.argv[1]), IDENTITY, SystemClock(), QUICK)
while True:
    bulk(writer); last = urgent(writer)
    if writer.flush():
        print(last, writer.run.hex(), flush=True)
"""


def test_killed_at_any_moment_what_was_called_durable_is_there(folder: Path, open_spool: Open) -> None:
    promised: list[tuple[bytes, int]] = []
    for round_number in range(5):
        child = subprocess.Popen([sys.executable, "-c", CHILD, folder], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        line = child.stdout.readline()
        time.sleep(0.01 * round_number)
        child.kill()
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        last, run = [*line.splitlines(), *(text for text in rest.splitlines() if len(text.split()) == 2)][-1].split()
        promised.append((bytes.fromhex(run), int(last)))
    writer = open_spool()
    urgent(writer)
    writer.flush()
    for promised_run, seq in promised:
        assert set(range(1, seq + 1)) <= set(seqs(folder, promised_run))
    runs: dict[bytes, int] = {}
    links = set()
    for record in stored(folder):
        runs[record.run] = max(runs.get(record.run, 0), record.seq)
        header, _ = body.decode(record.type, record.body)
        assert header is not None
        links.add((record.run, header.before_run, header.before_seq))
    for _, before_run, before_seq in links:
        assert not before_run or runs[before_run] == before_seq, "a run went on past its successor's `before`"
    assert len(links) == len(runs)


def test_lanes_are_files_of_their_own(folder: Path, open_spool: Open) -> None:
    writer = open_spool()
    bulk(writer)
    urgent(writer)
    writer.flush()
    assert {segment.lane for segment in list_segments(folder)[0]} == set(Lane)


def test_summaries_leave_room_for_findings(folder: Path, open_spool: Open) -> None:
    writer = open_spool(SMALL)
    for _ in range(120):
        bulk(writer, size=1200)
        writer.flush()
    used = sum(one.size_bytes for one in list_segments(folder)[0] if one.lane is Lane.BULK)
    assert used <= SMALL.limit_bytes * BULK_PERCENT // 100
    assert gaps(folder)
