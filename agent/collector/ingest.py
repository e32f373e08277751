"""The collector's loop: take what came, judge it, store it for good, then acknowledge it - in that order, always.

When the store cannot take a batch, nothing is acknowledged and the same batch is offered again; what does not fit the
queue meanwhile is dropped here and comes again from the spools. So a full disk costs time, never a record.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from agent.clock import NS_PER_S, Clock
from agent.collector.acks import EPOCH_EVERY_S, Outgoing, Voice
from agent.collector.gate import Gate
from agent.collector.intake import judge
from agent.collector.records import Arrival, Batch, Outcome, Presence, Record, Refusal
from agent.collector.store.writer import Store
from agent.errors import Refused, StateError, WardtapError
from agent.signing.files import read_regular
from agent.signing.roster import Trust
from agent.signing.trust import BROKER_OCTETS_MAX, load_root, open_trust
from agent.wire import topics
from agent.wire.types import RULES, MessageType

BATCH_MAX = 256  # records per commit: one fsync for all of them (measured: 50 a commit give 35,000 rows/s)
WAIT_S = 0.2
RETRY_FIRST_S, RETRY_MAX_S = 0.2, 5.0
TRUST_LOOK_S = 5.0  # revocation takes effect within one interval


class Pipe(Protocol):
    """What the loop needs of the broker."""

    @property
    def connected(self) -> bool:
        """Whether there is somebody to talk to."""

    @property
    def counts(self) -> Counter[str]:
        """What never reached the loop."""

    def take(self, most: int, wait_s: float) -> list[Arrival]:
        """What came."""

    def publish(self, outgoing: Sequence[Outgoing]) -> int:
        """What goes out."""


OnStored = Callable[[Sequence[Record], Sequence[Outcome]], None]


def _nobody_asks(_records: Sequence[Record], _outcomes: Sequence[Outcome]) -> None:
    """Nothing is written down."""


class TrustFile:
    """The trust table as it lies on the disk, read again when the file changes; a bad new one changes nothing."""

    def __init__(self, path: Path, root: Path, clock: Clock) -> None:
        self._path, self._root, self._clock = path, root, clock
        self._mark = self._stamp()
        self.sealed = b""
        self.table = self._load(0)
        self.error = ""

    def refresh(self) -> bool:
        """Whether a new table is in use now."""
        mark = self._stamp()
        if mark == self._mark:
            return False
        self._mark = mark
        try:
            self.table = self._load(self.table.version)
        except WardtapError as error:
            self.error = str(error)
            return False
        self.error = ""
        return True

    def _load(self, version_min: int) -> Trust:
        """As `signing.trust.load_trust`; the file's octets are kept for the taps."""
        pinned = load_root(self._root)
        sealed = read_regular(self._path, RULES[MessageType.TRUST].sealed_bytes_max)[0]
        try:
            table = open_trust(sealed, pinned, now_ns=self._clock.wall_ns(), version_min=version_min)
        except Refused as error:
            error.where = error.where or str(self._path)
            raise
        self.sealed = sealed
        return table

    def _stamp(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_size, status.st_ino)


class Ingest:
    """From arrivals to acknowledgements."""

    def __init__(
        self, pipe: Pipe, store: Store, voice: Voice, trust: TrustFile, clock: Clock, gate: Gate | None = None
    ) -> None:
        self._gate = gate or Gate(clock)
        self._pipe, self._store, self._voice, self._trust, self._clock = pipe, store, voice, trust, clock
        self._counted: Counter[str] = Counter()
        self._next_epoch_ns = self._next_trust_ns = 0
        self._handed_on = (b"", 0)  # the trust table that the broker has for the taps, and before how many losses of it
        self._taps: set[tuple[str, str]] = set()  # of every table of this run: a tap that was revoked is told too
        self.on_stored: OnStored = _nobody_asks  # of a commit, before it is acknowledged
        self.trouble = ""  # why the store does not take anything just now

    def run(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        """Until `stop`; troubles are said once each, in one line."""
        pause_s, said = RETRY_FIRST_S, ""
        batch = Batch()
        while not stop.is_set():
            if not batch:
                batch = self.collect(WAIT_S)
            try:
                self.settle(batch)
                batch = Batch()
                self.tick()
            except StateError as error:
                self.trouble = str(error)
                if self.trouble != said:
                    said = self.trouble
                    say(said)
                stop.wait(pause_s)
                pause_s = min(RETRY_MAX_S, pause_s * 2)
                continue
            if said:
                say("the store takes records again")
            pause_s, said, self.trouble = RETRY_FIRST_S, "", ""
        if batch:
            self._last_try(batch, say)

    def collect(self, wait_s: float) -> Batch:
        """What came, judged."""
        batch = Batch()
        table = self._trust.table
        for arrival in self._pipe.take(BATCH_MAX, wait_s):
            if not self._gate.admits(arrival.topic):
                batch.counts["not-verified-flood"] += 1  # queued before its source had used up its tokens
                continue
            match judge(arrival, table):
                case Record() as record:
                    batch.records.append(record)
                case Presence() as presence:
                    batch.presences.append(presence)
                case Refusal() as refusal:
                    batch.refusals.append(refusal)
                    self._gate.refused(arrival.topic)
        fresh = Counter(self._pipe.counts) - self._counted
        self._counted += fresh
        batch.counts += fresh
        return batch

    def settle(self, batch: Batch) -> int:
        """Commit, then acknowledge; how many acknowledgements went out. StateError: nothing stored, nothing said."""
        if not batch:
            return 0
        committed = self._store.commit(batch)
        self.on_stored(batch.records, committed.outcomes)
        return self._pipe.publish(self._voice.acknowledge(committed.positions))

    def tick(self) -> None:
        """What is due by the clock: the bell, and a look at the trust table's file."""
        now_ns = self._clock.mono_ns()
        if now_ns >= self._next_trust_ns:
            self._next_trust_ns = now_ns + round(TRUST_LOOK_S * NS_PER_S)
            self._trust.refresh()
            self._hand_on()
        if now_ns >= self._next_epoch_ns and self._pipe.connected:
            self._next_epoch_ns = now_ns + round(EPOCH_EVERY_S * NS_PER_S)
            self._ring()

    def _hand_on(self) -> None:
        """The trust table to every tap, kept by the broker: after each change, and after each loss of the link."""
        sealed, now = self._trust.sealed, (self._trust.sealed, self._pipe.counts["broker-disconnects"])
        if not self._pipe.connected or now == self._handed_on or len(sealed) > BROKER_OCTETS_MAX:
            return
        self._taps |= {(entry.site, entry.name) for entry in self._trust.table.agents()}
        tables = [Outgoing(topics.down(*tap, "trust"), sealed, retain=True) for tap in sorted(self._taps)]
        if self._pipe.publish(tables) == len(tables):
            self._handed_on = now

    def _ring(self) -> None:
        wall_ns = self._clock.wall_ns()
        sites = sorted({entry.site for entry in self._trust.table.agents()})
        bells = self._voice.ring(sites, wall_ns)
        self._store.add_epoch(wall_ns, self._voice.epoch)
        self._pipe.publish(bells)

    def _last_try(self, batch: Batch, say: Callable[[str], None]) -> None:
        try:
            self.settle(batch)
        except StateError as error:
            say(f"{error}; not stored and not acknowledged: the taps will send it again")
