"""The word that passes a disk which takes nothing."""

import errno
import os
from pathlib import Path

import pytest

from agent.clock import NS_PER_S, CaptureClock, SystemClock
from agent.service import condition
from agent.service.condition import LOOK_EVERY_S, OVER_S, Condition
from agent.service.status import status_file
from agent.spool.writer import SpoolWriter
from tests.faults.conftest import eventually
from tests.service.bench import status_of
from tests.simulators.disk import faulty_disk
from tests.spool.conftest import BOOT, IDENTITY, QUICK, bulk


class Bench:
    """A state directory, an own spool in it, and what was said."""

    def __init__(self, folder: Path) -> None:
        self.state, self.clock, self.said = folder, CaptureClock(NS_PER_S), list[str]()
        self.sensor = folder / "sensor"
        (self.sensor / "spool").mkdir(parents=True)
        self.own = SpoolWriter.open(folder / "uplink" / "spool", IDENTITY, SystemClock(), QUICK)
        self.condition = Condition(folder, BOOT, self.own, self.clock, self.said.append)

    def word(self, *, able: bool = True, after_s: float = LOOK_EVERY_S) -> str:
        """As of the next look."""
        self.clock.sleep(after_s)
        return self.condition.word(able=able)

    def later(self) -> str:
        """As of a look when no trouble has been seen for long enough."""
        self.word()
        return self.word(after_s=OVER_S)

    def sensor_says(self, *, pending_bytes: int, write_errors: int) -> None:
        held = status_of()
        spool = held.spool._replace(pending_bytes=pending_bytes, write_errors=write_errors)
        status_file(self.state, {}).write_bytes(held._replace(spool=spool).to_json())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_ready_unless_it_can_do_nothing(bench: Bench) -> None:
    assert bench.word() == "ready"
    assert bench.word(able=False) == "degraded"
    assert bench.said == []
    bench.own.close()


@pytest.mark.parametrize("place", ["full", "read-only", "no inodes", "gone"])
def test_the_sensor_s_disk(bench: Bench, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.word() == "ready"
    with monkeypatch.context() as patch:
        patch.setattr(condition, "refusal", lambda _: place)
        assert [bench.word(), bench.word()] == ["degraded", "degraded"]
    assert bench.word() == "degraded", "it may come again at once"
    assert bench.later() == "ready"
    assert bench.said == [f"the sensor's spool takes nothing: {place}", "both spools take records again"]
    bench.own.close()


def test_a_sensor_that_was_never_started_is_no_trouble(bench: Bench) -> None:
    (bench.sensor / "spool").rmdir()
    assert bench.word() == "ready"
    (bench.sensor / "spool").mkdir()
    assert bench.word() == "ready"
    (bench.sensor / "spool").rmdir()
    assert bench.word() == "degraded"
    bench.own.close()


def test_a_disk_with_room_that_refuses(bench: Bench) -> None:
    """Errors that are over are not told for ever; records that wait without an error are only waiting."""
    for pending_bytes, write_errors, word in (
        *((0, 7, "ready"), (4096, 7, "ready"), (4096, 9, "degraded"), (4096, 11, "degraded")),
        *((0, 11, "degraded"), (0, 11, "degraded"), (0, 11, "ready")),
    ):
        bench.sensor_says(pending_bytes=pending_bytes, write_errors=write_errors)
        assert bench.word() == word
    status_file(bench.state, {}).write_text("no status")
    assert bench.word() == "ready"
    bench.own.close()


def test_its_own_spool(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty_disk(monkeypatch) as disk:
        disk.fail = {"write": errno.EROFS}
        bulk(bench.own)
        assert eventually(lambda: bool(bench.own.trouble))
        assert bench.word() == "degraded"
        disk.fail = {}
        assert bench.own.flush(60)
    assert bench.later() == "ready"
    assert os.strerror(errno.EROFS) in bench.said[0]
    bench.own.close()
