"""Rows A2 and E1: the power goes. What was called durable or acknowledged is there, nothing was handed out too early.

A file system on a loop device is shut down without flushing its journal (EXT4_IOC_SHUTDOWN, which XFS has too; flag 2):
everything that was not fsynced is gone, as after a power cut.
"""

import array
import fcntl
import os
import random
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.store import database
from agent.collector.store.database import FILE_NAME
from agent.spool.reader import SpoolReader
from agent.spool.writer import SpoolWriter
from agent.wire import body
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.faults.matrix import count, tally
from tests.faults.scripts import LIMITS, identity
from tests.faults.site import twice
from tests.faults.test_system_calls import promised_of, rows_of
from tests.simulators.reporter import finding_map

pytestmark = pytest.mark.root
SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
LONGEST_S, WORKS_S = 0.5, 120.0
A_FOLDER = 25  # cuts: then a new folder, so that a check reads little
IMAGE_BYTES = {"ext4": 64 << 20, "xfs": 320 << 20}  # sparse; XFS makes none below 300 MiB
Key = tuple[bytes, int]


class Disk:
    """A file system whose power can be cut."""

    def __init__(self, folder: Path, kind: str) -> None:
        make = shutil.which(f"mkfs.{kind}", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if make is None:
            pytest.skip(f"mkfs.{kind} is not installed: apt-get install e2fsprogs xfsprogs")
        self._image, self.mount = folder / "image", folder / "mount"
        self.mount.mkdir()
        with self._image.open("wb") as file:
            file.truncate(IMAGE_BYTES[kind])
        force = ["-q", "-F"] if kind == "ext4" else ["-q", "-f"]
        self._run(make, *force, str(self._image))
        self.on()

    def _run(self, *words: str) -> None:
        try:
            subprocess.run(words, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"this kernel mounts no such loop device: {error}")

    def on(self) -> None:
        self._run("mount", "-o", "loop", str(self._image), str(self.mount))
        try:
            (self.mount / "alive").touch()
        except OSError as error:
            pytest.skip(f"a container that started meanwhile has a copy of this mount, so its power stays cut: {error}")

    def cut(self) -> None:
        """Everything that was not fsynced is lost."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
        os.close(descriptor)

    def off(self) -> None:
        subprocess.run(["umount", self.mount], check=True, capture_output=True)


@pytest.fixture(params=["ext4", "xfs"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    made = Disk(tmp_path, request.param)
    yield made
    subprocess.run(["umount", "-l", made.mount], check=False, capture_output=True)


def held(folder: Path) -> dict[Key, bytes]:
    return {(record.run, record.seq): record.body for record in SpoolReader(folder).records()}


class Life:
    """One script that works on a disk until its power is cut."""

    def __init__(self, program: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.faults.scripts", program, str(folder), "0"]
        self._child = subprocess.Popen(command, cwd=ROOT, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._child.stdout is not None
        ready, _, _ = select.select([self._child.stdout], [], [], WORKS_S)
        self._said = self._child.stdout.readline() if ready else b""  # it works now
        if not self._said:
            self._child.kill()
            _, told = self._child.communicate()
            pytest.fail(f"{program} does not work on this disk: {told.decode()[-1000:]}")

    def cut(self, disk: Disk) -> dict[bytes, int]:
        """What it had promised when the power went; afterwards the disk is there again.

        What it says later does not count, since a machine without power says nothing: an fsync that is under way when
        the journal is aborted may find its transaction gone, and ext4 takes that for done.
        """
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)
        self._said += self._child.stdout.read() or b""
        disk.cut()
        self._child.kill()
        self._child.communicate()
        disk.off()
        disk.on()
        return promised_of([line for line in self._said.decode().splitlines(keepends=True) if line.endswith("\n")])


@pytest.mark.parametrize(("disk", "name"), [("ext4", "A2"), ("xfs", "A2-xfs")], indirect=["disk"])
def test_a_spool_whose_power_is_cut(disk: Disk, name: str) -> None:
    """A2: what was promised and what was handed out is there; each run says where the one before it ended."""
    chance, sent, lost, duplicated = random.Random(17), 0, 0, 0
    for folder, cuts in folders(disk, name):
        promised: dict[bytes, int] = {}
        handed_out: dict[Key, bytes] = {}
        for _ in range(cuts):
            life, until = Life("sensor", folder), time.monotonic() + chance.uniform(0.01, LONGEST_S)
            while time.monotonic() < until:
                handed_out |= held(folder)
            promised |= life.cut(disk)
        left = after(folder)
        wanted = {(run, seq) for run, last in promised.items() for seq in range(1, last + 1)} | handed_out.keys()
        sent, lost = sent + len(wanted), lost + len(wanted - left.keys())
        duplicated += sum(octets != left.get(key, octets) for key, octets in handed_out.items())
        assert len(promised) == cuts
    tally("A2", sent=sent, faults=count(name), lost=lost, duplicated=duplicated)
    assert (lost, duplicated) == (0, 0), "what the uplink was given is not what the power cut left"


def folders(disk: Disk, name: str) -> Iterator[tuple[Path, int]]:
    """New folders, each with its share of the cuts of a count."""
    for at in range(0, count(name), A_FOLDER):
        folder = disk.mount / f"{at}" / "spool"
        yield folder, min(A_FOLDER, count(name) - at)
        shutil.rmtree(folder.parent)


def after(folder: Path) -> dict[Key, bytes]:
    """What a sensor finds that starts now; no record that stayed is damaged, none is missing without a word."""
    writer = SpoolWriter.open(folder, identity(), SystemClock(), LIMITS, folder.parent / "progress.json")
    writer.append(MessageType.FINDING, finding_map())
    assert writer.flush(60)
    writer.close()
    left = held(folder)
    ends: dict[bytes, int] = {}
    for run, number in left:
        ends[run] = max(ends.get(run, 0), number)
    for record in SpoolReader(folder).records():
        header, _ = body.decode(record.type, record.body)
        assert header is not None
        assert not header.before_run or ends.get(header.before_run, 0) == header.before_seq
    return left


@pytest.mark.parametrize("disk", ["ext4"], indirect=True)
def test_a_collector_whose_power_is_cut(disk: Disk) -> None:
    """E1: what it acknowledged is in its database, and nothing twice."""
    chance, sent, lost, duplicated = random.Random(18), 0, 0, 0
    for folder, cuts in folders(disk, "E1-power"):
        for _ in range(cuts):
            life = Life("collector", folder)
            time.sleep(chance.uniform(0.01, LONGEST_S))
            promised = life.cut(disk)
            with closing(database.open_writer(folder / FILE_NAME)) as store:
                assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                sent += sum(promised.values())
                lost += sum(last - rows_of(store, run, last) for run, last in promised.items())
                duplicated += twice(store)
    tally("E1", sent=sent, faults=count("E1-power"), lost=lost, duplicated=duplicated)
    assert (lost, duplicated) == (0, 0)
