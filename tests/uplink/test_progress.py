"""The hint file: whole after any crash, and bounded."""

from pathlib import Path

from agent.spool.coverage import RUNS_MAX
from agent.uplink.progress import Progress
from agent.wire.delivery import Ack

RUN = bytes(range(16))


def ack(upto: int, *ranges: tuple[int, int]) -> Ack:
    return Ack("tap-1", "ward", RUN, "sensor", upto, ranges, b"")


def test_acknowledged_numbers_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "uplink" / "progress.json"
    progress = Progress(path)
    progress.sent("sensor", RUN, 20)
    progress.acknowledge(ack(5, (7, 9)))
    progress.save()
    again = Progress(path)
    assert again.covers("sensor", RUN, 1, 5)
    assert again.covers("sensor", RUN, 7, 9)
    assert not again.covers("sensor", RUN, 6, 6)
    assert not again.covers("uplink", RUN, 1, 1)


def test_nothing_is_believed_beyond_what_was_sent(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    progress.acknowledge(ack(5, (7, 9)))
    assert progress.runs("sensor") == {}
    progress.sent("sensor", RUN, 3)
    progress.acknowledge(ack(2**64 - 1))
    assert progress.runs("sensor")[RUN].ranges() == [(1, 3)]


def test_a_disk_that_refuses_is_counted_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "uplink").write_text("a file where the folder should be")
    progress = Progress(tmp_path / "uplink" / "progress.json")
    progress.add("sensor", RUN, 1, 3)
    progress.save()
    assert progress.write_errors == 1
    (tmp_path / "uplink").unlink()
    progress.save()
    assert Progress(progress.path).covers("sensor", RUN, 1, 3)


def test_runs_that_the_spool_no_longer_has_are_forgotten(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    runs = [bytes([number]) * 16 for number in range(RUNS_MAX // 2 + 1)]
    for run in runs:
        progress.add("sensor", run, 1, 1)
    progress.forget_runs("sensor", {runs[-1]})
    assert set(progress.runs("sensor")) == {runs[-1]}
