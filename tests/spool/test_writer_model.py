"""The spool against a model of the file system: whatever happens in whatever order, nothing is lost in silence.

The machine appends, flushes, reads, acknowledges, fails, fills, damages, kills and cuts the power, and in the end
compares the folder with what the writer said. `WARDTAP_SLOW=1` runs twenty times as many histories.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from agent.clock import CaptureClock
from agent.spool import store
from agent.spool.account import Account
from agent.spool.coverage import Coverage, progress_bytes, read_progress
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity, SpoolLimits, SpoolRecord
from agent.spool.segment import GRAVE_BYTES, Frame, Kind, frames, list_segments, parse_name
from agent.spool.store import SegmentFile
from agent.wire import body
from agent.wire.command import Receipt
from agent.wire.presence import UplinkReport
from agent.wire.types import MessageType
from tests.simulators.disk import BROKEN, NO_SPACE
from tests.simulators.power import Died, power_disk
from tests.simulators.spool import HandWriter, Key

IDENTITY = Identity("tap-1", "ward", "uplink", bytes(16))
LIMITS = SpoolLimits(limit_bytes=12 * 1024, segment_bytes=1536, pending_bytes=6 * 1024)
HISTORIES = 60 * (20 if os.environ.get("WARDTAP_SLOW") else 1)
GONE_ON_PURPOSE = {"full", "disk-full", "memory"}


class SpoolMachine(RuleBasedStateMachine):
    """`died` is set between the end of one process and the start of the next."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.root = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.folder, self.progress = self.root / "spool", self.root / "progress.json"
        self.disk = self.stack.enter_context(power_disk(self.root))
        self.chance, self.clock = Random(0), CaptureClock(1)
        self.written: dict[Key, Any] = {}
        self.promised: set[Key] = set()
        self.damaged: set[Key] = set()
        self.untold: set[Key] = set()  # declared lost in a record that was damaged itself
        self.acknowledged: dict[bytes, Coverage] = {}
        self.handed: dict[Key, SpoolRecord] = {}
        self.told: dict[Key, set[str]] = {}
        self.given_up: set[Key] = set()  # on purpose, though the process may have ended before it could say so
        self.links: dict[bytes, tuple[bytes, int]] = {}
        self.writer: HandWriter | None = None

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.chance = self.disk.chance = Random(seed)
        self.start()

    def start(self) -> None:
        """A new process, and what it must find."""
        self.writer = HandWriter(self.folder, IDENTITY, self.clock, LIMITS, self.progress)
        self.writer._disk._pace = self.clock  # type: ignore[assignment]
        self.written |= self.writer.written
        found = self.writer._disk.found
        self.links[self.writer.run] = (found.run, found.last_seq)
        self.reader = SpoolReader(self.folder, "uplink")

    def end(self, writer: HandWriter) -> None:
        self.disk.die_in, self.disk.fail, self.disk.fail_at = -1, {}, {}
        self.written |= writer.written
        self.promised |= writer.promised
        self.given_up |= writer.buried
        for record in writer.written.values():
            if record.kind == MessageType.GAP:
                self.given_up |= {key for key, reason in _declared(record.body) if reason in GONE_ON_PURPOSE}
        writer.drop()

    def live(self) -> HandWriter:
        assert self.writer is not None
        return self.writer

    @rule(count=st.integers(1, 6), size=st.sampled_from((0, 300, 900)))
    def append_summaries(self, count: int, size: int) -> None:
        for number in range(count):
            noise = {self.chance.randbytes(20).hex()[:39]: 1 for _ in range(size // 20)}
            self.live().append(MessageType.UPLINK, UplinkReport(waiting=number, counts=noise).to_content())

    @rule(count=st.integers(1, 4), size=st.sampled_from((0, 300)))
    def append_findings(self, count: int, size: int) -> None:
        for _ in range(count):
            result = {"noise": self.chance.randbytes(size)}
            self.live().append(MessageType.RECEIPT, Receipt(bytes(16), "status", "done", "", result).to_content())

    @rule()
    def flush(self) -> None:
        self.clock.sleep(11)
        self.live().flush()

    @rule(most=st.integers(1, 20))
    def read(self, most: int) -> None:
        self.take(self.reader.poll(most))

    def take(self, records: list[SpoolRecord]) -> None:
        """What the uplink gets is what was written, byte for byte, and says what it says."""
        for record in records:
            key = (record.run, record.seq)
            known = self.written.get(key) or self.live().written[key]
            assert (record.type, record.body, record.lane) == (known.kind, known.body, known.lane)
            self.handed[key] = record
            if record.type == MessageType.GAP:
                for lost, reason in _declared(record.body):
                    self.told.setdefault(lost, set()).add(reason)

    @rule(part=st.floats(0, 1))
    def acknowledge(self, part: float) -> None:
        """The collector has some of what was handed out, and of what a gap declared."""
        for run, seq in sorted(self.handed.keys() | self.told.keys()):
            if self.chance.random() < part:
                self.acknowledged.setdefault(run, Coverage(most=1 << 16)).add(seq, seq)
        self.progress.write_bytes(progress_bytes({"uplink": self.acknowledged}))

    @rule(content=st.sampled_from((b"", b"{", b'{"version":1,"streams":{}}', b'{"version":1,"streams":{"uplink":[]}}')))
    def progress_file_is_lost(self, content: bytes) -> None:
        self.progress.write_bytes(content)

    @rule(call=st.sampled_from(("write", "fsync", "open")), after=st.integers(1, 6), partial=st.sampled_from((0, 30)))
    def a_call_fails(self, call: str, after: int, partial: int) -> None:
        self.disk.fail_at[call] = {self.disk.calls.get(call, 0) + after: BROKEN}
        self.disk.partial_bytes = partial

    @rule(full=st.booleans())
    def disk_full(self, full: bool) -> None:
        self.disk.fail = {"write": NO_SPACE} if full else {}

    @rule(steps=st.integers(1, 12), power=st.booleans())
    def dies_while_it_works(self, steps: int, power: bool) -> None:
        writer = self.live()
        self.disk.die_in = steps
        with suppress(Died):
            writer.flush()
        self.end(writer)
        if power:
            self.disk.cut(self.chance)
        self.start()

    @rule()
    def restart(self) -> None:
        writer = self.live()
        writer.close()
        self.end(writer)
        self.start()

    @precondition(lambda self: self.writer is not None)
    @rule(where=st.floats(0, 1), how=st.sampled_from(("flip", "zero", "cut", "delete", "double")))
    def octets_are_damaged(self, where: float, how: str) -> None:
        """Of a segment that is closed: of the run before this one, or older."""
        segments = [one for one in list_segments(self.folder)[0] if one.run != self.live().run]
        if not segments:
            return
        path = segments[int(where * (len(segments) - 1))].path
        before = _intact(path)
        content = bytearray(path.read_bytes())
        at = self.chance.randrange(len(content) or 1)
        if how == "flip" and content:
            content[at] ^= 1 << self.chance.randrange(8)
        elif how == "zero":
            content[at : at + 200] = bytes(len(content[at : at + 200]))
        elif how == "cut":
            del content[at:]
        elif how == "double":
            content += content[at:]
        path.write_bytes(content)
        after = _intact(path)
        if how == "delete":
            Path(path).unlink()
            after = set()
        self.damaged |= before - after
        for key in before - after:
            self._declaration_is_damaged(key)
        if not before:
            self._grave_is_damaged(path, gone=how == "delete" or len(content) != GRAVE_BYTES)

    def _declaration_is_damaged(self, key: Key) -> None:
        """What a gap record said goes with it; the collector still misses it, by the next run's `before`."""
        record = self.written.get(key)
        if record is not None and record.kind == MessageType.GAP:
            self.untold |= {lost for lost, _ in _declared(record.body)}

    def _grave_is_damaged(self, path: Path, *, gone: bool) -> None:
        """The one mark of what was given up on a full disk: its numbers but the one that the file's name still says."""
        segment = parse_name(path)
        assert segment is not None
        first = (segment.run, segment.first_seq)
        self.damaged |= {key for key in self.given_up | self.live().buried if key[0] == segment.run and key > first}
        if gone:
            self.damaged.add(first)

    @invariant()
    def a_bounded_amount(self) -> None:
        """Memory by its limit; the disk by its own and what one batch can add before room is made."""
        if self.writer is not None:
            assert self.writer.backlog_bytes <= LIMITS.pending_bytes + 2048
            assert self.writer.bytes_used <= LIMITS.limit_bytes + 4 * LIMITS.segment_bytes + LIMITS.pending_bytes

    def teardown(self) -> None:
        try:
            if self.writer is not None:
                self.settle()
        finally:
            self.stack.close()
            shutil.rmtree(self.root)

    def settle(self) -> None:
        """A healthy disk and two quiet starts; then every number of every run must be accounted for."""
        for _ in range(2):
            writer = self.live()
            self.clock.sleep(11)
            self.disk.fail, self.disk.fail_at = {}, {}
            writer.append(MessageType.UPLINK, UplinkReport(waiting=1).to_content())
            assert writer.close()
            self.end(writer)
            self.start()
        last = self.live()
        self.take(list(SpoolReader(self.folder, "uplink").records()))
        last.drop()
        here = {key for path in self.folder.glob("*.seg") for key in _intact(path)}
        self.check_promises(here, last)
        self.check_accounts(here, last)

    def check_promises(self, here: set[Key], last: HandWriter) -> None:
        """What was called durable or was handed out is there, but for damage and for what was said to go."""
        kept = {key for key in self.promised | self.handed.keys() if key[0] != last.run}
        excused = (
            self.damaged
            | self.untold
            | {(run, seq) for run, held in self.acknowledged.items() for seq in _numbers(held)}
        )
        for key in kept - here - excused:
            assert self.told.get(key), f"{key} was durable and is gone"
            assert key in self.given_up, f"{key} was durable, undamaged, not given up, and is gone"
        for key, reasons in self.told.items():
            if key in self.promised and not reasons & GONE_ON_PURPOSE:
                assert key in excused | self.given_up, f"{key} was durable, undamaged, and is declared {reasons}"

    def check_accounts(self, here: set[Key], last: HandWriter) -> None:
        """Every number up to where the successor says that the run ended: here, at the collector, or declared."""
        runs = {key[0] for key in here}
        read = read_progress(self.progress).get("uplink", {})
        wrote = {run: link for run, link in self.links.items() if run in runs | {key[0] for key in self.promised}}
        for before_run, before_seq in wrote.values():
            if before_run not in runs:
                continue
            for seq in range(1, before_seq + 1):
                key = (before_run, seq)
                known = self.acknowledged.get(before_run, Coverage())
                settled = (
                    key in here
                    or seq in known
                    or key in self.told.keys() | self.untold
                    or seq in read.get(before_run, Coverage())
                )
                assert settled, f"{key} of {before_seq} vanished without a word"
        for run, seq in self.handed:
            ends = [end for before, end in wrote.values() if before == run]
            assert not ends or seq <= ends[0] or (run, seq) in self.damaged, "it went on after `before`"


def _intact(path: Path) -> set[Key]:
    found = [item for item in frames(path.read_bytes()) if isinstance(item, Frame)]
    return {(item.run, item.seq) for item in found if item.kind is Kind.RECORD}


def _declared(octets: bytes) -> list[tuple[Key, str]]:
    """What a gap record says is lost, and why."""
    _, content = body.decode(MessageType.GAP, octets)
    run = content["run"]
    return [((run, seq), why) for first, last, _, why in content["ranges"] for seq in range(first, last + 1)]


def _numbers(held: Coverage) -> list[int]:
    return [seq for first, last in held.ranges() for seq in range(first, last + 1)]


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=QUIET,
    report_multiple_bugs=False,
)


def _no_fsync(file: SegmentFile) -> None:
    """A spool that calls durable what is only written."""


def _try_again(file: SegmentFile) -> None:
    """A spool that believes the second fsync."""
    try:
        store.os.fsync(file._descriptor)
    except OSError:
        store.os.fsync(file._descriptor)


def _silent(_books: Account, *_: object, **__: object) -> list[object]:
    """A start that does not count what is missing."""
    return []


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [(SegmentFile, "sync", _no_fsync), (SegmentFile, "sync", _try_again), (Account, "lost", _silent)],
)
def test_the_machine_finds_a_planted_fault(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, fault: Callable[..., object]
) -> None:
    monkeypatch.setattr(owner, name, fault)
    plain = settings(
        max_examples=4000, stateful_step_count=30, deadline=None, phases=[Phase.generate], database=None,
        suppress_health_check=QUIET, derandomize=True, report_multiple_bugs=False,
    )  # fmt: skip
    with pytest.raises(AssertionError):
        run_state_machine_as_test(SpoolMachine, settings=plain)
