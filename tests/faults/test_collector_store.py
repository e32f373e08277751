"""A collector's store on a full file system, or killed: what is acknowledged is there, and nothing is there twice."""

import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch
from agent.collector.store import database
from agent.collector.store.database import FILE_NAME
from agent.collector.store.writer import Store
from tests.collector.conftest import batch_of
from tests.collector.store.test_writer import until_full
from tests.simulators.reporter import START_NS, Reporter, trust_of

KILLS = 8
ROOT = Path(__file__).parents[2]
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


def ten_of(tap: Reporter) -> Batch:
    """Ten more records of a tap."""
    trust = trust_of(tap)
    return batch_of([judge(Arrival(*tap.summary(), START_NS), trust) for _ in range(10)])


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_file_system_gives_no_acknowledgement_and_recovers(tmp_path: Path) -> None:
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True, check=False
    )
    if mount.returncode != 0:
        pytest.skip("this machine does not let us mount a tmpfs")
    try:
        ballast = tmp_path / "ballast"
        ballast.write_bytes(bytes(300_000))
        store, tap = Store.open(tmp_path), Reporter()
        stored, batch, _ = until_full(store, lambda: ten_of(tap))
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
            cwd=ROOT,
        )
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == "open\n"
            lines = [child.stdout.readline() for _ in range(chance.randrange(1, 25))]
            os.kill(child.pid, signal.SIGKILL)
            lines += child.stdout.readlines()
        child.wait(60)
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
