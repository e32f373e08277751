"""Rows A3, A7, A9, A10 of the fault matrix: death at every call, damage of every kind, 72 hours away, a lost hint."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.collector.records import StreamKey
from agent.collector.store.covered import cover, position
from agent.collector.store.migrations import RECORDS
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity, SpoolLimits
from agent.spool.segment import list_segments
from agent.uplink.courier import Courier
from agent.uplink.progress import Progress
from agent.uplink.sealer import Sealer
from agent.wire import body
from agent.wire.delivery import Ack
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import finding
from tests.faults.matrix import tally
from tests.simulators.kit import AGENT, SITE, Kit
from tests.simulators.power import Died, PowerDisk, power_disk
from tests.simulators.spool import HandWriter, Key

IDENTITY = Identity(AGENT, SITE, "sensor", bytes(16))
SMALL = SpoolLimits(limit_bytes=10 * 1024, segment_bytes=1536)
LARGE = SpoolLimits()
SLOW = bool(os.environ.get("WARDTAP_SLOW"))
OUTAGE_MINUTES, FINDING_MINUTES = 72 * 60, 10


def append(writer: HandWriter, number: int) -> int:
    if number % 3 == 0:
        return writer.append(MessageType.FINDING, finding(number))
    return writer.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())


def start(folder: Path, limits: SpoolLimits = SMALL, clock: CaptureClock | None = None) -> HandWriter:
    return HandWriter.open(folder, IDENTITY, clock or CaptureClock(1), limits, folder.parent / "progress.json")


def script(writer: HandWriter) -> None:
    """Some two hundred calls: batches, full segments, room made."""
    for number in range(24):
        append(writer, number)
        if number % 2:
            writer.turn()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[PowerDisk]:
    with power_disk(tmp_path) as made:
        yield made


def declared(folder: Path) -> set[Key]:
    found: set[Key] = set()
    for record in SpoolReader(folder).records():
        if record.type == MessageType.GAP:
            _, content = body.decode(record.type, record.body)
            found |= {(content["run"], seq) for first, last, *_ in content["ranges"] for seq in range(first, last + 1)}
    return found


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power-cut"])
def test_a3_death_at_every_call(tmp_path: Path, disk: PowerDisk, power: bool) -> None:
    """For every N: it starts again, what was promised is there or was given up, and nothing is missing in silence."""
    steps, promised = 1, 0
    while True:
        folder = tmp_path / f"spool-{steps}"
        disk.parts = (f"/spool-{steps}/",)
        writer = start(folder)
        disk.die_in = steps
        with suppress(Died):
            script(writer)
        done = disk.die_in > 0
        disk.die_in = -1
        writer.drop()
        if power:
            disk.cut(Random(steps))
        after = start(folder)
        append(after, 1)
        assert after.flush(60)
        held = {(record.run, record.seq): record.body for record in SpoolReader(folder).records()}
        told = declared(folder)
        assert writer.promised <= held.keys() | told
        last = after._disk.found.last_seq
        if after._disk.found.run == writer.run:
            assert {(writer.run, seq) for seq in range(1, last + 1)} <= held.keys() | told
        for key, octets in held.items():
            assert octets == (writer.written | after.written)[key].body
        after.drop()
        promised += len(writer.promised)
        if done:
            break
        steps += 1
    tally("A3", sent=promised, faults=steps, lost=0, duplicated=0)
    assert steps > 60


def spool(folder: Path, count: int = 12) -> HandWriter:
    """One run in several segments, everything durable."""
    writer = start(folder, SpoolLimits(segment_bytes=1536))
    for number in range(count):
        append(writer, number)
    assert writer.close()
    return writer


def check(folder: Path, writer: HandWriter, damaged: set[Key]) -> None:
    """It starts; all but the damaged comes out whole; exactly the damaged is declared."""
    after = start(folder, LARGE)
    append(after, 1)
    assert after.flush(60)
    after.drop()
    held = {(record.run, record.seq) for record in SpoolReader(folder).records() if record.run == writer.run}
    told = {key for key in declared(folder) if key[0] == writer.run}
    assert held | damaged >= writer.promised
    assert told == {key for key in writer.promised - held if key[1] <= after._disk.found.last_seq}


@pytest.mark.parametrize("seed", range(300 if SLOW else 60))
def test_a7_bits_lengths_and_files(tmp_path: Path, seed: int) -> None:
    """A flip, a cut, a zeroed tail, a swap, a copy, a missing file, a length of 2^32 - 1, and strangers in between."""
    folder, chance = tmp_path / "spool", Random(seed)
    writer = spool(folder)
    paths = [segment.path for segment in list_segments(folder)[0]]
    whole = {(record.run, record.seq) for record in SpoolReader(folder).records()}
    path, other = chance.sample(paths, 2)
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content))
    match seed % 7:
        case 0:
            content[at] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
        case 1:
            path.write_bytes(content[:at])
        case 2:
            path.write_bytes(content[:at] + bytes(len(content) - at))
        case 3:
            swapped = other.read_bytes()
            other.write_bytes(content)
            path.write_bytes(swapped)
        case 4:
            (folder / path.name.replace("-000-", "-001-")).write_bytes(content)
        case 5:
            path.unlink()
        case _:
            content[8:12] = b"\xff" * 4
            path.write_bytes(content)
    (folder / "00000009-f-00000000000000000001-000-00.seg").symlink_to("/dev/zero")
    os.mkfifo(folder / f"00000009-s-00000000000000000001-000-{'0' * 32}.seg")
    (folder / f"00000009-s-00000000000000000002-000-{'0' * 32}.seg").mkdir()
    left = {(record.run, record.seq) for record in SpoolReader(folder).records()}
    check(folder, writer, whole - left)
    tally("A7", sent=len(left), faults=1, lost=0, duplicated=0)  # of the intact ones


@pytest.mark.skipif(not SLOW, reason="the full form asks for WARDTAP_SLOW=1")
def test_a7_every_octet_every_length_and_a_thousand_bits(tmp_path: Path) -> None:
    """Of one segment a bit of each octet flipped and each shorter length, and a thousand bits anywhere."""
    writer, chance, slowest_s = spool(tmp_path / "whole" / "spool"), Random(7), 0.0
    names = [segment.path.name for segment in list_segments(tmp_path / "whole" / "spool")[0]]
    sizes = {name: (tmp_path / "whole" / "spool" / name).stat().st_size for name in names}
    one, size = names[1], sizes[names[1]]
    damages = [(one, at, 1 << at % 8) for at in range(size)] + [(one, at, 0) for at in range(size)]
    for _ in range(1000):
        name = chance.choice(names)
        damages.append((name, chance.randrange(sizes[name]), 1 << chance.randrange(8)))
    intact = 0
    for number, (name, at, bit) in enumerate(damages):
        folder = tmp_path / f"{number}" / "spool"
        shutil.copytree(tmp_path / "whole" / "spool", folder)
        content = bytearray((folder / name).read_bytes())
        content[at] ^= bit
        (folder / name).write_bytes(content if bit else content[:at])
        left = {(record.run, record.seq) for record in SpoolReader(folder).records()}
        began_s = time.monotonic()
        check(folder, writer, writer.promised - left)
        slowest_s, intact = max(slowest_s, time.monotonic() - began_s), intact + len(left)
        shutil.rmtree(folder.parent)
    note = f"slowest start {slowest_s:.1f} s (bar 2 s)"
    tally("A7", sent=intact, faults=len(damages), lost=0, duplicated=0, note=note)


class Desk:
    """A courier in simulated time, and the collector's books of what arrived, from which it acknowledges."""

    def __init__(self, kit: Kit, clock: CaptureClock, folder: Path) -> None:
        self.kit, self.clock, self.folder = kit, clock, folder
        self.stored: dict[Key, int] = {}
        self.books = sqlite3.connect(":memory:")  # what the real collector keeps to acknowledge
        for statement in RECORDS:
            self.books.execute(statement)
        self.again()

    def again(self) -> None:
        self.progress = Progress(self.folder.parent / "progress.json")
        sealer = Sealer(AGENT, SITE, [self.kit.agent])
        self.courier = Courier({"sensor": self.folder}, sealer, self.progress, self.clock, window=20, resend_after_s=30)

    def second(self) -> None:
        """A tenth of a second, ten times: send, store, acknowledge."""
        for _ in range(10):
            self.clock.sleep(0.1)
            arrived: dict[bytes, list[int]] = {}
            for out in self.courier.due(20):
                key = (out.key.run, out.key.seq)
                self.stored[key] = self.stored.get(key, 0) + 1
                arrived.setdefault(out.key.run, []).append(out.key.seq)
            for run, seqs in arrived.items():
                key = StreamKey(SITE, AGENT, run, "sensor")
                for seq in seqs:
                    cover(self.books, key, seq, seq)
                told = position(self.books, key, seqs)
                self.courier.acknowledged(Ack(AGENT, SITE, run, "sensor", told.upto, told.ranges, b""))


def test_a9_72_hours_away(tmp_path: Path) -> None:
    """A summary a minute and a finding in ten for three days; then everything, and new findings first."""
    clock, folder = CaptureClock(NS_PER_S), tmp_path / "spool"
    writer = start(folder, LARGE, clock)
    for minute in range(OUTAGE_MINUTES):
        writer.append(MessageType.SUMMARY, Summary(Interval(minute, minute + 1)).to_content())
        if minute % FINDING_MINUTES == 0:
            writer.append(MessageType.FINDING, finding(minute))
            writer.turn()
        clock.sleep(60)
    assert writer.flush(60)
    backlog = writer._chain.seq
    desk, began_ns, worst_ns = Desk(Kit(tmp_path / "kit"), clock, folder), clock.now_ns, 0
    while len(desk.stored) < writer._chain.seq:
        if len(desk.stored) % 500 < 200:
            fresh, now_ns = writer.append(MessageType.FINDING, finding(len(desk.stored))), clock.now_ns
            assert writer.flush(60)
            while (writer.run, fresh) not in desk.stored:
                desk.second()
                worst_ns = max(worst_ns, clock.now_ns - now_ns)
        desk.second()
        assert clock.now_ns - began_ns < 3600 * NS_PER_S
    writer.drop()
    desk.books.close()
    assert set(desk.stored) == {(writer.run, seq) for seq in range(1, writer._chain.seq + 1)}
    assert backlog == OUTAGE_MINUTES + OUTAGE_MINUTES // FINDING_MINUTES
    drain_s = (clock.now_ns - began_ns) / NS_PER_S
    note = f"drained in {drain_s:.0f} s, {OUTAGE_MINUTES * 60 / drain_s:.0f} times real time; "
    note += f"new findings within {worst_ns / NS_PER_S:.1f} s"
    twice = sum(times - 1 for times in desk.stored.values())
    tally("A9", sent=len(desk.stored), faults=1, lost=0, duplicated=0, note=f"{note}; {twice} sent twice")
    assert worst_ns <= 5 * NS_PER_S
    assert (clock.now_ns - began_ns) * 20 <= OUTAGE_MINUTES * 60 * NS_PER_S


@pytest.mark.parametrize("hint", ["lost", "back", "future"])
def test_a10_the_hint_is_lost_old_or_of_another_time(tmp_path: Path, hint: str) -> None:
    clock, folder = CaptureClock(NS_PER_S), tmp_path / "spool"
    writer = start(folder, LARGE, clock)
    desk = Desk(Kit(tmp_path / "kit"), clock, folder)
    for number in range(10):
        append(writer, number)
    assert writer.flush(60)
    desk.second()
    desk.progress.save()
    old = desk.progress.path.read_bytes()
    for number in range(10):
        append(writer, number)
    assert writer.flush(60)
    desk.second()
    if hint == "lost":
        desk.progress.path.unlink()
    elif hint == "back":
        desk.progress.path.write_bytes(old)
    else:
        desk.progress.add("sensor", bytes(16), 1, 1 << 40)
        desk.progress.save()
    desk.again()
    append(writer, 1)
    assert writer.flush(60)
    for _ in range(5):
        desk.second()
    writer.drop()
    desk.books.close()
    assert set(desk.stored) == {(writer.run, seq) for seq in range(1, 22)}
    tally("A10", sent=21, faults=1, lost=0, duplicated=0)
