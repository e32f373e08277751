"""The power goes: what was called durable is there, and nothing was handed out that is not there any more.

An ext4 file system on a loop device is shut down without flushing its journal (EXT4_IOC_SHUTDOWN, flag 2): everything
that was not fsynced is gone, as after a power cut.
"""

import array
import fcntl
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.spool.reader import SpoolReader
from agent.spool.writer import SpoolWriter
from agent.wire import body
from tests.spool.conftest import IDENTITY, QUICK, urgent

pytestmark = pytest.mark.root
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
ROUNDS = 6
CHILD = """
import sys
from pathlib import Path
from agent.clock import SystemClock
from agent.spool.writer import SpoolWriter
from tests.spool.conftest import IDENTITY, QUICK, bulk, urgent
writer = SpoolWriter.open(Path(sys.argv[1]), IDENTITY, SystemClock(), QUICK)
while True:
    bulk(writer); last = urgent(writer)
    if writer.flush(1):
        print(last, writer.run.hex(), flush=True)
"""


class Disk:
    """An ext4 file system whose power can be cut."""

    def __init__(self, folder: Path) -> None:
        self._image, self.mount = folder / "image", folder / "mount"
        self.mount.mkdir()
        with self._image.open("wb") as file:
            file.truncate(32 << 20)
        self._run("mkfs.ext4", "-q", "-F", str(self._image))
        self.on()

    def _run(self, *words: str) -> None:
        try:
            subprocess.run(words, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no ext4 on a loop device here: {error}")

    def on(self) -> None:
        self._run("mount", "-o", "loop", str(self._image), str(self.mount))

    def cut(self) -> None:
        """Everything that was not fsynced is lost."""
        descriptor = os.open(self.mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
        os.close(descriptor)

    def off(self) -> None:
        subprocess.run(["umount", self.mount], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    made = Disk(tmp_path)
    yield made
    subprocess.run(["umount", "-l", made.mount], check=False, capture_output=True)


def held(folder: Path) -> dict[tuple[bytes, int], bytes]:
    return {(record.run, record.seq): record.body for record in SpoolReader(folder, "uplink").records()}


def test_power_cuts(disk: Disk) -> None:
    folder, chance = disk.mount / "spool", random.Random(17)
    promised: dict[bytes, int] = {}
    handed_out: dict[tuple[bytes, int], bytes] = {}
    for _ in range(ROUNDS):
        child = subprocess.Popen([sys.executable, "-c", CHILD, folder], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        until = time.monotonic() + chance.uniform(0.05, 0.5)
        while time.monotonic() < until:
            handed_out |= held(folder)
        disk.cut()
        child.kill()
        lines += child.stdout.read().splitlines()
        child.wait()
        child.stdout.close()
        for line in lines:
            seq, _, run = line.strip().partition(" ")
            if len(run) == 32:
                promised[bytes.fromhex(run)] = max(promised.get(bytes.fromhex(run), 0), int(seq))
        disk.off()
        disk.on()
    writer = SpoolWriter.open(folder, IDENTITY, SystemClock(), QUICK)
    urgent(writer)
    assert writer.flush(60)
    writer.close()
    left = held(folder)
    assert len(promised) == ROUNDS
    assert handed_out.items() <= left.items(), "the uplink was given something that the power cut took back"
    for promised_run, last in promised.items():
        assert {(promised_run, number) for number in range(1, last + 1)} <= set(left)
    ends: dict[bytes, int] = {}
    for held_run, number in left:
        ends[held_run] = max(ends.get(held_run, 0), number)
    for record in SpoolReader(folder, "uplink").records():
        header, _ = body.decode(record.type, record.body)
        assert header is not None
        assert not header.before_run or ends.get(header.before_run, 0) == header.before_seq
