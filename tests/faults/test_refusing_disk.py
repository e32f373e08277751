"""Rows A4, A5, A6 on a listening sensor whose disk takes nothing: it says so, hears on and loses nothing.

The state lies on a small tmpfs that is filled, has no name left for a file, or whose folder goes; the status lies
elsewhere, as on an appliance. In full a disk stays full for ten minutes.
"""

import os
import pwd
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from agent.clock import NS_PER_S, SystemClock
from agent.errors import StateError
from agent.service.condition import OVER_S
from agent.service.status import FILE, Status, parse
from agent.spool.reader import SpoolReader
from agent.spool.writer import SpoolWriter
from agent.wire import body
from agent.wire.types import MessageType
from tests.faults.conftest import QUICK, eventually, finding
from tests.faults.matrix import FULL, count, tally
from tests.faults.scripts import identity
from tests.faults.sensing import Sensor, frames, sensing, stopped
from tests.faults.site import FORKS
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.disk import small_disk
from tests.simulators.namespace import Namespace, cable

AT_ONCE = 50  # frames, before, in and after the fault
GROWTH_BYTES = 64 << 20  # of a sensor whose disk takes nothing: 4 MiB wait, the rest is the allocator's
WAITS = "the spool takes nothing ({}): records wait in memory"
AGAIN = "the spool takes records again"


class Tap(NamedTuple):
    """A sensor on a cable whose state lies on `disk`."""

    namespace: Namespace
    sensor: Sensor
    disk: Path
    runtime: Path

    def status(self) -> Status:
        """What it said last of itself."""
        return parse((self.runtime / FILE).read_bytes())

    def hears(self, total: int) -> None:
        """Put frames on the wire and wait until it has looked at all of them."""
        self.namespace.put(frames(AT_ONCE))
        assert eventually(lambda: self.status().legs[0].frames == total), self.status()

    def waits(self) -> bool:
        """Whether its disk refuses and records wait."""
        spool = self.status().spool
        return spool.write_errors > 0 and spool.pending_bytes > 0

    def is_calm(self) -> None:
        """In full, until it may say that the trouble is over."""
        until_ns = self.status().mono_ns + int((OVER_S + 3) * NS_PER_S)
        assert not FULL or eventually(lambda: self.status().mono_ns > until_ns)

    def rss_bytes(self) -> int:
        """Its memory."""
        pages = Path(f"/proc/{self.sensor.child.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def tap(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tap]:
    """Listening, its first frames heard and durable; `request.param` is a command above it."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    under = ("env", f"RUNTIME_DIRECTORY={runtime}", *getattr(request, "param", ()))
    with (
        cable() as namespace,
        small_disk(tmp_path / "disk", "4m", inodes=200) as disk,
        sensing(namespace, disk, under=under) as sensor,
    ):
        made = Tap(namespace, sensor, disk, runtime)
        assert eventually((runtime / FILE).exists)
        yield made


@contextmanager
def full(tap: Tap) -> Iterator[str]:
    """No octet more."""
    filler = tap.disk / "filler"
    with filler.open("wb", 0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    yield "ENOSPC: No space left on device"
    filler.unlink()


@contextmanager
def nameless(tap: Tap) -> Iterator[str]:
    """The folder goes, and no file more can be made: what the sensor has open it may write, and nobody can read."""
    held = tap.disk / "held"
    held.mkdir()
    with stopped(tap.sensor):
        shutil.rmtree(tap.disk / "state" / "sensor" / "spool")
        use_up(held)
    yield "ENOSPC: No space left on device"
    shutil.rmtree(held)


def use_up(folder: Path) -> int:
    """Files until there can be no more; how many."""
    for number in range(1000):
        try:
            (folder / f"{number}").touch()
        except OSError:
            return number
    pytest.fail("this disk counts no files")


def declared(state: Path) -> list[tuple[int, int, str]]:
    """What its gap records name."""
    records = SpoolReader(state / "sensor" / "spool").records()
    contents = [body.decode(one.type, one.body)[1] for one in records if one.type == MessageType.GAP]
    return [(first, last, label) for content in contents for first, last, label, _ in content["ranges"]]


@pytest.mark.root
@HASHES
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_a_sensor_whose_disk_is_full_hears_on_and_tells_all_of_it(tap: Tap) -> None:
    """A5: nothing that it heard is missing afterwards, no summary and no finding; in full ten minutes of it."""
    tap.hears(AT_ONCE)
    before_bytes, until_s = tap.rss_bytes(), time.monotonic() + count("A5")
    with full(tap) as why:
        assert eventually(tap.waits)
        tap.hears(2 * AT_ONCE)
        while time.monotonic() < until_s:
            time.sleep(1)
        grown_bytes = tap.rss_bytes() - before_bytes
    freed_s = time.monotonic()
    assert eventually(lambda: not tap.status().spool.pending_bytes)
    took_s = time.monotonic() - freed_s
    tap.hears(3 * AT_ONCE)
    tap.is_calm()
    said = tap.sensor.end()
    assert WAITS.format(why) in said, said
    assert AGAIN in said or not FULL, said
    assert (tap.sensor.heard(), tap.sensor.dropped()) == (3 * AT_ONCE, 0)
    assert {label for _, _, label in declared(tap.disk / "state")} <= {"summary"}
    assert grown_bytes < GROWTH_BYTES
    note = f"took records again {took_s:.1f} s after there was room (bar 10 s); {grown_bytes >> 10} KiB more memory"
    tally("A5", sent=len(tap.sensor.summaries()), faults=1, lost=0, duplicated=0, note=note)


EIO = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=40+")


@pytest.mark.root
@HASHES
@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
@pytest.mark.parametrize("tap", [EIO], indirect=True)
def test_a_sensor_whose_fsyncs_fail_for_ever_hears_on(tap: Tap) -> None:
    """A4: it neither ends nor fills the disk with files that it gave up, and says in a line what is wrong."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt-get install strace")
    assert eventually(tap.waits)
    before_bytes, spool = tap.rss_bytes(), tap.disk / "state" / "sensor" / "spool"
    for number in range(1, 6):
        tap.hears(number * AT_ONCE)
    assert tap.sensor.child.poll() is None
    assert tap.rss_bytes() - before_bytes < GROWTH_BYTES
    assert len(list(spool.iterdir())) < 20
    assert tap.status().legs[0].dropped == 0
    said = tap.sensor.end()
    assert WAITS.format("EIO: Input/output error") in said, said
    assert "NOT ALL DURABLE" in said
    tally("A4", sent=len(tap.sensor.summaries()), faults=1, lost=0, duplicated=0)


@pytest.mark.root
@HASHES
@pytest.mark.skipif(not FULL, reason="the full form asks for WARDTAP_SLOW=1")
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_a_sensor_whose_folder_goes_and_no_file_can_be_made(tap: Tap) -> None:
    """A6: what lay in the folder is gone and is declared; what came since is there."""
    tap.hears(AT_ONCE)
    assert eventually(lambda: tap.sensor.heard() == AT_ONCE)
    with nameless(tap) as why:
        assert eventually(tap.waits)
        tap.hears(2 * AT_ONCE)
    assert eventually(lambda: not tap.status().spool.pending_bytes)
    tap.hears(3 * AT_ONCE)
    tap.is_calm()
    said = tap.sensor.end()
    assert WAITS.format(why) in said, said
    assert AGAIN in said or not FULL, said
    assert (tap.sensor.heard(), tap.sensor.dropped()) == (2 * AT_ONCE, 0), "of the first nobody can tell any more"
    tally("A6", sent=len(tap.sensor.summaries()), faults=1, lost=0, duplicated=0)


@pytest.mark.root
def test_no_name_for_a_file_gives_nothing_up_and_loses_nothing(tmp_path: Path) -> None:
    """A6: inodes are used up. A grave keeps its name, so burying segments would give up all of them for nothing."""
    with small_disk(tmp_path / "disk", "4m", inodes=16) as disk:
        limits = replace(QUICK, segment_bytes=4096, retry_s=0.05)
        writer = SpoolWriter.open(disk / "spool", identity(), SystemClock(), limits)
        held = disk / "held"
        held.mkdir()
        writer.append(MessageType.FINDING, finding(0))
        assert writer.flush(60)
        made = use_up(held)
        while not writer.trouble:
            last = writer.append(MessageType.FINDING, finding(1))
            writer.flush(0.2)
        assert "ENOSPC" in writer.trouble
        assert writer.counts.given_up == 0
        shutil.rmtree(held)
        assert made
        assert writer.flush(60)
        assert writer.trouble == ""
        assert writer.close()
        assert {record.seq for record in SpoolReader(disk / "spool").records()} == set(range(1, last + 1))
    tally("A6", sent=last, faults=1, lost=0, duplicated=0)


def _as_somebody_else(folder: Path, told: Connection, do: Callable[[Path], Any]) -> None:
    """In a process of its own, without root's rights."""
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
    told.send(do(folder))


def _open(folder: Path) -> str:
    try:
        SpoolWriter.open(folder, identity(), SystemClock(), QUICK)
    except StateError as error:
        return str(error)
    return "opened"


def _write(folder: Path) -> tuple[bool, str]:
    writer = SpoolWriter.open(folder, identity(), SystemClock(), QUICK)
    writer.append(MessageType.FINDING, finding(1))
    done = writer.flush(1)
    return done, writer.trouble


@pytest.mark.root
@pytest.mark.parametrize(("mode", "do", "wanted"), [
    (0o700, _open, "{}: the spool folder cannot be opened: Permission denied"),
    (0o755, _write, (False, "EACCES: Permission denied")),
])  # fmt: skip
def test_a_folder_of_another_owner_is_said_in_a_line(mode: int, do: Callable[[Path], Any], wanted: Any) -> None:
    """A6: at the start where not even its lock can be taken; where it only refuses writing, records wait."""
    if os.geteuid() != 0:
        pytest.skip("giving a folder to somebody needs root")
    with TemporaryDirectory(prefix="wardtap-owner-") as place:
        Path(place).chmod(0o755)
        folder = Path(place) / "sensor" / "spool"
        folder.mkdir(parents=True)
        folder.chmod(mode)
        ours, theirs = FORKS.Pipe(duplex=False)
        child = FORKS.Process(target=_as_somebody_else, args=(folder, theirs, do))
        child.start()
        theirs.close()
        assert ours.poll(60), "it did not answer"
        assert ours.recv() == (wanted.format(folder) if isinstance(wanted, str) else wanted)
        child.join()
        assert child.exitcode == 0
