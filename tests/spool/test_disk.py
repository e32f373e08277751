"""One owner, and what it does when the disk says no."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StateError
from agent.spool.coverage import Coverage, progress_bytes
from agent.spool.disk import Pending, SpoolDisk
from agent.spool.records import Lane, SpoolLimits
from agent.spool.room import GapRange
from agent.spool.segment import list_segments
from tests.simulators.disk import BROKEN, NO_SPACE, READ_ONLY, FaultyDisk, faulty_disk
from tests.spool.conftest import IDENTITY

LIMITS = SpoolLimits(limit_bytes=1 << 20, segment_bytes=2048)


class Owner:
    """A disk, and what it declared."""

    def __init__(self, folder: Path, progress: Path) -> None:
        self.declared: list[dict[bytes, list[GapRange]]] = []
        self.progress = progress
        self.seq = 0
        self.disk = SpoolDisk(folder, IDENTITY, LIMITS, progress, self._declare)

    def _declare(self, ranges: dict[bytes, list[GapRange]]) -> int:
        self.declared.append(ranges)
        return self.seq + 1

    def commit(self, count: int = 1, lane: Lane = Lane.BULK, size: int = 500) -> bool:
        batch = [Pending(self.seq + number + 1, lane, "wardtap/gap.v1", bytes(size)) for number in range(count)]
        done = self.disk.commit(batch)
        self.seq += count if done else 0
        return done


@pytest.fixture
def owner(folder: Path, tmp_path: Path) -> Iterator[Owner]:
    made = Owner(folder, tmp_path / "progress.json")
    yield made
    made.disk.close()


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    with faulty_disk(monkeypatch) as disk:
        yield disk


@pytest.mark.parametrize("code", [NO_SPACE, READ_ONLY, BROKEN])
def test_no_is_an_answer_and_never_an_exception(owner: Owner, faults: FaultyDisk, code: int) -> None:
    faults.fail = {"write": code}
    assert not owner.commit()
    assert owner.disk.counts.write_errors > 0
    assert owner.disk.counts.last_error
    faults.fail = {}
    assert owner.commit()


def test_many_refusals_leave_no_rubbish(owner: Owner, folder: Path, faults: FaultyDisk) -> None:
    owner.commit()
    before = len(list(folder.iterdir()))
    faults.fail = {"fsync": BROKEN}
    for _ in range(20):
        assert not owner.commit()
    faults.fail = {}
    assert owner.commit()
    assert len(list(folder.iterdir())) <= before + 1


def test_a_disk_others_filled_costs_acknowledged_segments_first(owner: Owner, folder: Path, faults: FaultyDisk) -> None:
    for _ in range(12):
        owner.commit()
    count = len(list_segments(folder)[0])
    owner.progress.write_bytes(progress_bytes({"uplink": {owner.disk.run: Coverage([(1, 9)])}}))
    faults.fail_at = {"write": {faults.calls["write"] + 1: NO_SPACE}}
    assert owner.commit()
    assert owner.disk.counts.acknowledged_segments_deleted == 1
    assert owner.declared == []
    assert len(list_segments(folder)[0]) <= count + 1


def test_a_disk_others_filled_costs_one_segment_of_summaries_now_and_then(owner: Owner, faults: FaultyDisk) -> None:
    for _ in range(12):
        owner.commit()
    faults.fail = {"write": NO_SPACE}
    for _ in range(5):
        assert not owner.commit()
    assert len(owner.declared) == 1, "others would take every octet we free"
    ((run, rows),) = owner.declared[0].items()
    assert run == owner.disk.run
    assert {(label, reason) for _, _, label, reason in rows} == {("summary", "disk-full")}


def test_findings_are_never_given_up_for_a_disk_others_filled(owner: Owner, faults: FaultyDisk) -> None:
    for _ in range(12):
        owner.commit(lane=Lane.URGENT)
    faults.fail = {"write": NO_SPACE}
    for _ in range(5):
        assert not owner.commit()
    assert owner.declared == []
    assert owner.disk.counts.given_up == 0


def test_the_folder_is_locked_while_it_is_owned(owner: Owner, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="another process"):
        Owner(folder, tmp_path / "progress.json")
    owner.disk.close()
    owner.disk.close()
    Owner(folder, tmp_path / "progress.json").disk.close()
