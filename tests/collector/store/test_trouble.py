"""A store that is locked, full or killed: nothing is acknowledged that is not there, and nothing is there twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector import queries
from agent.collector.intake import Verdict
from agent.collector.records import Batch
from agent.collector.store import database
from agent.collector.store.database import FILE_NAME
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.errors import StateError
from tests.collector.conftest import Message, batch_of
from tests.simulators.reporter import Reporter

KILLS = 8
CHILD = """
import sys
from pathlib import Path
from agent.collector.intake import judge
from agent.collector.records import Arrival
from agent.collector.store.writer import Store
from agent.signing.keys import PrivateKey
from tests.collector.conftest import batch_of
from tests.simulators.reporter import START_NS, Reporter, trust_of

tap = Reporter(key=PrivateKey.from_seed(bytes(32)))
tap.boot, tap.chain.boot, tap.chain.run = bytes(16), bytes(16), b"r" * 16
trust = trust_of(tap)
store = Store.open(Path(sys.argv[1]))
print("open", flush=True)
while True:
    batch = batch_of([judge(Arrival(*tap.summary(), START_NS), trust) for _ in range(5)] )
    for position in store.commit(batch).positions:
        print(position.upto, flush=True)  # this is the acknowledgement
"""


def until_full(store: Store, fill: Callable[[], Batch]) -> tuple[int, Batch, str]:
    """Commit until the store refuses: how many it has acknowledged, the batch it refused, and why."""
    stored = 0
    for _ in range(1000):
        batch = fill()
        try:
            stored = store.commit(batch).positions[0].upto
        except StateError as error:
            return stored, batch, str(error)
    raise AssertionError("never full")


def test_a_locked_store_gives_no_acknowledgement_and_recovers(
    tap: Reporter, store: Store, judged: Callable[[Message], Verdict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store._connection.execute("PRAGMA busy_timeout=50")
    batch = batch_of([judged(tap.summary()), judged(tap.finding())])
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(StateError, match="locked"):
                store.commit(batch)
        other.execute("ROLLBACK")
    assert store.commit(batch).positions[0].upto == 2
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["stored"] == 2


def test_a_full_disk_gives_no_acknowledgement_and_recovers(
    tap: Reporter, store: Store, judged: Callable[[Message], Verdict], tmp_path: Path
) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages + 3}")
    stored, batch, error = until_full(store, lambda: batch_of([judged(tap.summary()) for _ in range(10)]))
    assert "full" in error
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["stored"] == stored
        assert len(reader.rows("SELECT * FROM intervals")) == stored  # nothing half
    store._connection.execute("PRAGMA max_page_count=1000000")
    assert store.commit(batch).positions[0].upto == stored + 10


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_real_full_file_system_gives_no_acknowledgement_and_recovers(
    tap: Reporter, judged: Callable[[Message], Verdict], tmp_path: Path
) -> None:
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        ballast = tmp_path / "ballast"
        ballast.write_bytes(bytes(300_000))
        store = Store.open(tmp_path)
        stored, batch, _ = until_full(store, lambda: batch_of([judged(tap.summary()) for _ in range(10)]))
        ballast.unlink()
        assert store.commit(batch).positions[0].upto == stored + 10
        store.close()
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)


def test_killed_at_any_moment_nothing_acknowledged_is_missing_and_nothing_is_there_twice(tmp_path: Path) -> None:
    chance = random.Random(5)
    acknowledged = 0
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == "open\n"
            lines = [child.stdout.readline() for _ in range(chance.randrange(1, 25))]
            os.kill(child.pid, signal.SIGKILL)
            lines += child.stdout.readlines()
        child.wait(10)
        whole = [int(line) for line in lines if line.endswith("\n")]
        acknowledged = max(acknowledged, *whole)
        _check(tmp_path, acknowledged)
    assert acknowledged > 20


def _check(state: Path, acknowledged: int) -> None:
    with closing(database.open_writer(state / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        seqs = [row[0] for row in connection.execute("SELECT seq FROM records ORDER BY seq")]
        assert seqs == list(range(1, len(seqs) + 1))  # each once
        assert len(seqs) >= acknowledged
        derived = [row[0] for row in connection.execute("SELECT seq FROM intervals ORDER BY seq")]
        assert derived == seqs  # the record and what follows from it, or neither
        total = connection.execute("SELECT intervals FROM device_totals WHERE number=1").fetchone()[0]
        assert total == len(seqs)
        assert connection.execute("SELECT count(*) FROM envelopes").fetchone()[0] == len(seqs)
