"""Rows A1, A3, E1 with the real kernel: killed by strace at the entry of the N-th call of its kind, for every N.

A random kill rarely falls between two calls that belong together; here it falls between every two.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count as count_up
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.store import database
from agent.collector.store.database import FILE_NAME
from agent.spool.reader import SpoolReader
from agent.spool.writer import SpoolWriter
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.faults.matrix import FULL, tally
from tests.faults.scripts import LIMITS, identity
from tests.faults.site import Site, twice
from tests.simulators.reporter import finding_map

# Every call of these kinds in the full form, in every run those of SHORT.
CALLS = {
    "sensor": ("mkdir", "write", "fsync", "unlink"),
    "collector": ("mkdir", "pwrite64", "fdatasync", "ftruncate", "unlink"),
    "uplink": ("sendto", "rename", "fsync"),
}
SHORT = {
    "sensor": (("write", 10),),  # of some sixteen; two flushes are done by then
    "collector": (("pwrite64", 170),),
    "uplink": (("sendto", 7),),
}
UPLINK_MAX = {"sendto": 60, "rename": 4, "fsync": 8}  # an uplink that is not killed goes on; it saves once a second
Kill = Callable[[str, int], bool]


def under_strace(call: str, number: int, *words: str) -> tuple[bool, list[str]]:
    """Run one of `scripts` until that call; whether it was killed, and the lines that it printed whole."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed: apt-get install strace")
    traced = ["-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    inject = ["-e", f"inject={call}:signal=KILL:when={number}"]
    ran = subprocess.run(
        [program, *traced, *inject, sys.executable, "-m", "tests.faults.scripts", *words],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if ran.returncode not in {0, -9}:
        pytest.skip(f"strace cannot trace here: {ran.stderr[-300:]}")
    return ran.returncode != 0, [line for line in ran.stdout.splitlines(keepends=True) if line.endswith("\n")]


def each_call(program: str, kill: Kill) -> int:
    """Kill it at every call, or at those of the short form; how many deaths that were."""
    if not FULL:
        assert all(kill(call, number) for call, number in SHORT[program])
        return len(SHORT[program])
    deaths = 0
    for call in CALLS[program]:
        for number in count_up(1):
            if program == "uplink" and number > UPLINK_MAX[call]:
                break
            if not kill(call, number):
                assert number > 1, f"{program} never calls {call}"
                break
            deaths += 1
    return deaths


def promised_of(lines: list[str]) -> dict[bytes, int]:
    """Run -> the last number that was promised."""
    pairs = (line.split() for line in lines)
    return {bytes.fromhex(run): int(last) for run, last in pairs}


def test_sensor_killed_at_each_system_call(tmp_path: Path) -> None:
    """It starts again by itself; what was promised is there, whole and once."""
    totals = {"sent": 0, "lost": 0, "duplicated": 0}

    def kill(call: str, number: int) -> bool:
        folder = tmp_path / f"{call}-{number}" / "spool"
        killed, lines = under_strace(call, number, "sensor", str(folder))
        writer = SpoolWriter.open(folder, identity(), SystemClock(), LIMITS, folder.parent / "progress.json")
        writer.append(MessageType.FINDING, finding_map())
        assert writer.flush()
        assert writer.close()
        held = {(record.run, record.seq, record.body) for record in SpoolReader(folder).records()}
        keys = {(run, seq) for run, seq, _ in held}
        wanted = {(run, seq) for run, last in promised_of(lines).items() for seq in range(1, last + 1)}
        totals["sent"] += len(wanted)
        totals["lost"] += len(wanted - keys)
        totals["duplicated"] += len(held) - len(keys)  # written again is the courier's to ignore, written otherwise not
        return killed

    deaths = each_call("sensor", kill)
    tally("A3", faults=deaths, **totals)
    assert totals["sent"]
    assert (totals["lost"], totals["duplicated"]) == (0, 0)


def test_collector_killed_at_each_system_call(tmp_path: Path) -> None:
    """The file is whole; what was acknowledged is in it; a record is there with all that follows from it, or not."""
    totals = {"sent": 0, "lost": 0, "duplicated": 0}

    def kill(call: str, number: int) -> bool:
        folder = tmp_path / f"{call}-{number}"
        killed, lines = under_strace(call, number, "collector", str(folder))
        with closing(database.open_writer(folder / FILE_NAME)) as store:
            assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            for run, last in promised_of(lines).items():
                totals["sent"] += last
                totals["lost"] += last - rows_of(store, run, last)
            totals["duplicated"] += twice(store)
        return killed

    deaths = each_call("collector", kill)
    tally("E1", faults=deaths, **totals)
    assert totals["sent"]
    assert (totals["lost"], totals["duplicated"]) == (0, 0)


def rows_of(store: sqlite3.Connection, run: bytes, last: int) -> int:
    """How many of the first numbers of a run are stored."""
    found = store.execute("SELECT count(*) FROM records WHERE run=? AND seq<=?", (run, last)).fetchone()
    return int(found[0])


@pytest.mark.broker
def test_uplink_killed_at_each_system_call(tmp_path: Path) -> None:
    """Between any two messages, and while it writes down what was acknowledged."""
    site = Site(tmp_path)
    try:
        site.uplink.kill()

        def kill(call: str, number: int) -> bool:
            return under_strace(call, number, "uplink", str(site.state), site.broker.url)[0]

        deaths = each_call("uplink", kill)
        site.uplink.start()
        site.rest()
        found = site.delivered()
        tally("A1", sent=found.sent, faults=deaths, lost=found.lost, duplicated=found.duplicated)
        assert found.sent
        assert (found.lost, found.duplicated) == (0, 0)
    finally:
        site.end()
