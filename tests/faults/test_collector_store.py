"""A collector's store on a full file system, or killed: what is acknowledged is there, and nothing is there twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch
from agent.collector.store import database
from agent.collector.store.database import FILE_NAME
from agent.collector.store.migrations import MIGRATIONS
from agent.collector.store.writer import Store
from agent.spool.coverage import read_progress
from tests.collector.conftest import batch_of
from tests.collector.store.test_writer import until_full
from tests.faults.matrix import count, tally
from tests.faults.site import Site
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


def acknowledged(site: Site) -> set[tuple[bytes, int]]:
    """What the uplink was told is stored."""
    progress = read_progress(site.state / "uplink" / "progress.json").get("sensor", {})
    spans = [(run, span) for run, coverage in progress.items() for span in coverage.ranges()]
    return {(run, seq) for run, (first, last) in spans for seq in range(first, last + 1)}


def stored(site: Site) -> set[tuple[bytes, int]]:
    """What the collector's file has."""
    with closing(sqlite3.connect(site.collected / FILE_NAME, timeout=60)) as store:
        return set(store.execute("SELECT run, seq FROM records WHERE stream='sensor'").fetchall())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.end()


@pytest.mark.broker
def test_a_locked_file_gives_no_acknowledgement_and_recovers_by_itself(site: Site) -> None:
    """E3: another program holds the file, in full for a minute; the real collector behind a real broker."""
    assert site.arrives()
    with closing(sqlite3.connect(site.collected / FILE_NAME, timeout=60, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        before = stored(site)
        time.sleep(max(1.0, count("E3")))
        assert acknowledged(site) <= before == stored(site)
        other.execute("ROLLBACK")
    began_s = time.monotonic()
    assert site.arrives()
    note = f"stored again {time.monotonic() - began_s:.0f} s after the lock (bar 30 s)"
    settle(site, note)


@pytest.mark.broker
def test_a_newer_release_takes_the_file_over_while_records_come(tmp_path: Path) -> None:
    """E3: the collector of an earlier release, whose file lacks the last step, is replaced under load."""
    (tmp_path / "collector").mkdir(mode=0o750)
    with closing(sqlite3.connect(tmp_path / "collector" / FILE_NAME)) as old:
        for statement in (statement for step in MIGRATIONS[:-1] for statement in step):
            old.execute(statement)
        old.execute(f"PRAGMA user_version={len(MIGRATIONS) - 1}")
        old.commit()
    site = Site(tmp_path)
    try:
        assert site.arrives()
        with closing(sqlite3.connect(site.collected / FILE_NAME, timeout=60)) as store:
            assert store.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        settle(site, "a file of an earlier release taken over")
    finally:
        site.end()


def settle(site: Site, note: str) -> None:
    """All of it arrives, once, and nothing was acknowledged that is not there."""
    site.rest()
    found = site.delivered()
    assert acknowledged(site) <= stored(site)
    tally("E3", sent=found.sent, faults=1, lost=found.lost, duplicated=found.duplicated, note=note)
    assert (found.lost, found.duplicated) == (0, 0)


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
