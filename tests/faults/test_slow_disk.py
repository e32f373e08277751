"""Row A8: a disk that takes half a second or five for each fsync. The sensor does not wait for it."""

import os
import shutil
import threading
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.spool import store
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity, Lane
from agent.spool.writer import SpoolWriter
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import QUICK, eventually, finding
from tests.faults.matrix import FULL, tally
from tests.faults.sensing import frames, sensing
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.disk import FaultyDisk
from tests.simulators.kit import AGENT, SITE
from tests.simulators.namespace import cable

FRAMES, GAP_MS = 3_000, 1.0
SLOW_S = (0, 0.5, 5)


class Stuck(FaultyDisk):
    """Each fsync lasts until the disk is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let_go = threading.Event(), threading.Event()

    def fsync(self, descriptor: int) -> None:
        """As os.fsync, late."""
        self.entered.set()
        assert self.let_go.wait(120), "the test ended without letting it go"
        super().fsync(descriptor)


def test_append_does_not_wait_for_an_fsync_that_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Would it wait, this test would stand still here; afterwards everything is durable, findings and summaries."""
    folder, disk = tmp_path / "sensor" / "spool", Stuck()
    writer = SpoolWriter.open(folder, Identity(AGENT, SITE, "sensor", bytes(16)), SystemClock(), QUICK)
    monkeypatch.setattr(store, "os", disk)
    writer.append(MessageType.FINDING, finding(0))
    assert disk.entered.wait(30)
    for number in range(1, 300):
        writer.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())
        last = writer.append(MessageType.FINDING, finding(number))
    assert not disk.let_go.is_set()
    assert not list(SpoolReader(folder).records()), "nothing was handed out that is not durable"
    disk.let_go.set()
    assert writer.close()
    held = [(record.run, record.seq) for record in SpoolReader(folder).records()]
    assert sorted(held) == [(writer.run, seq) for seq in range(1, last + 1)]
    assert {record.lane for record in SpoolReader(folder).records()} == set(Lane)


@pytest.mark.root
@HASHES
@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_a_sensor_on_a_slow_disk_hears_every_frame(tmp_path: Path) -> None:
    """The real sensor on a cable; strace, beside it and not above, holds each of its fsyncs. No frame is lost."""
    if os.geteuid() != 0 or shutil.which("strace") is None:
        pytest.skip("needs root and strace: apt-get install strace")
    dropped = {}
    for slow_s in SLOW_S:
        folder = tmp_path / f"{slow_s}"
        folder.mkdir()
        hold = ("-e", "trace=fsync", "-e", f"inject=fsync:delay_enter={round(slow_s * 1e6)}")
        under = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", *hold) if slow_s else ()
        with cable() as namespace, sensing(namespace, folder, under=under) as sensor:
            namespace.put(frames(FRAMES), gap_ms=GAP_MS)
            assert eventually(lambda tap=sensor: tap.accounted() >= FRAMES, 180), sensor.accounted()  # type: ignore[misc]
            assert sensor.accounted() == FRAMES
            dropped[slow_s] = sensor.dropped()
        tally("A8", sent=FRAMES, faults=int(slow_s > 0), lost=dropped[slow_s], duplicated=0)
    assert set(dropped.values()) == {0}
