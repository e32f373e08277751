"""Agent, broker and collector on one simulated clock: real spool, courier, ingest and store, and faults from a seed.

`World(seed).run()` raises AssertionError where an invariant breaks. A seed gives the same history each time.
`python -m tests.simulators.seeds 0 10000` runs many.
"""

import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from agent.clock import NS_PER_S, CaptureClock
from agent.collector.acks import Outgoing, Voice
from agent.collector.ingest import Ingest, TrustFile
from agent.collector.records import Batch
from agent.collector.store.database import FILE_NAME
from agent.collector.store.writer import Store
from agent.errors import StateError
from agent.service import uplink as program
from agent.service.uplink import Uplink
from agent.spool.records import Identity, SpoolLimits
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import finding
from tests.simulators.disk import BROKEN, NO_SPACE
from tests.simulators.kit import AGENT, SITE, Kit
from tests.simulators.ledger import Ledger
from tests.simulators.post import Box, Line, Post, Weather
from tests.simulators.power import Died, PowerDisk, power_disk
from tests.simulators.spool import HandWriter

BOOT, BROKER = bytes(range(16)), "mqtt://127.0.0.1"
TICKS, HEAL_TICKS_MAX, QUIET_TICKS = 45, 400, 6
LIMITS = SpoolLimits(segment_bytes=2048, pending_bytes=8192)
SCRATCH = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


class FaultyStore(Store):
    """The real one; told so, it dies before, in or after its transaction, or SQLite refuses."""

    fault, dying = "", False

    def commit(self, batch: Batch) -> Any:
        """As the real one."""
        fault, self.fault = self.fault, ""
        if fault == "refuses":
            raise StateError("database is locked")
        if fault == "dies-before":
            raise Died
        self.dying = fault == "dies-in"
        committed = super().commit(batch)
        if fault == "dies-after":
            raise Died
        return committed

    def _record(self, record: Any) -> Any:
        outcome = super()._record(record)
        if self.dying:
            raise Died
        return outcome


class World:
    """One history. `trace` is what happened, for comparing two of them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.clock = CaptureClock(1_000 * NS_PER_S)
        self.stack = ExitStack()
        self.root = Path(tempfile.mkdtemp(prefix="world-", dir=SCRATCH))
        self.stack.callback(shutil.rmtree, self.root)
        self.kit = Kit(self.root / "state").lay()
        self.disk: PowerDisk = self.stack.enter_context(power_disk(self.root / "state"))
        self.disk.chance, self.disk.parts = Random(seed), ("/spool/", "/progress.json")
        self.post = Post(self.chance, self.clock)
        self.ledger = Ledger(self.root / "collector" / FILE_NAME)
        self.trace: list[str] = []
        self.totals: dict[str, int] = {}
        self.number, self.calm = 0, False
        self.limits = self._limits()
        self.sensor: HandWriter | None = None
        self.uplink: Uplink | None = None
        self.store: FaultyStore | None = None
        self.batch = Batch()
        self.back_ns = {"sensor": 0, "uplink": 0, "collector": 0}  # when a process that ended starts again
        patch = self.stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(program, "SpoolWriter", HandWriter)
        patch.setattr(program, "Session", self._line)
        patch.setattr(program, "boot_id", lambda: BOOT)
        patch.setattr(program, "OWN_SPOOL", self.limits)
        self.config = self.kit.config(resend_after_s=2, window=6)

    def _limits(self) -> SpoolLimits:
        """Every third history has a spool that is too small."""
        small = self.chance.random() < 0.3
        return SpoolLimits(limit_bytes=8192 if small else 1 << 20, segment_bytes=2048, pending_bytes=8192)

    def _line(self, settings: Any, _clock: Any) -> Line:
        self.post.line = Line(settings, self.clock, self.post)
        return self.post.line

    def run(self) -> None:
        """Troubles, then good weather until everything is where it belongs, then the audit."""
        try:
            self.post.weather = self._weather()
            for _ in range(TICKS):
                self._trouble()
                self._tick(self.chance.choice((0.05, 0.3, 1.0, 3.0)))
            self._heal()
            self.ledger.audit()
            ends = sum(" ends at " in line for line in self.trace)
            self.totals = self.ledger.totals() | {"processes ended": ends, "troubles": len(self.trace) - ends}
        finally:
            self._end("sensor")
            self._end("uplink")
            self._end("collector")
            self.ledger.close()
            self.stack.close()

    def _weather(self) -> Weather:
        bad = self.chance.choice((0.0, 0.1, 0.4))
        return Weather(
            lose=self.chance.random() * bad,
            double=self.chance.random() * bad,
            hold=self.chance.random() * bad,
            replay=self.chance.random() * bad,
            latency_s=self.chance.choice((0.0, 0.3, 5.0)),
        )

    def _tick(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.post.move()
        self._sense()
        self._deliver()
        self._collect()

    def _sense(self) -> None:
        if self.sensor is None:
            if self.clock.now_ns < self.back_ns["sensor"]:
                return
            identity = Identity(AGENT, SITE, "sensor", BOOT)
            folder = self.root / "state" / "sensor" / "spool"
            self.sensor = HandWriter.open(folder, identity, self.clock, self.limits)
            self.sensor._disk._pace = self.clock  # type: ignore[assignment]
        try:
            for _ in range(0 if self.calm else self.chance.choice((0, 0, 1, 2))):
                self._append(self.sensor)
            if self.calm or self.chance.random() < 0.7:
                self.sensor.turn()
        except Died:
            self._end("sensor")

    def _append(self, sensor: HandWriter) -> None:
        self.number += 1
        if self.chance.random() < 0.3:
            sensor.append(MessageType.FINDING, finding(self.number))
        else:
            health = {"noise": self.chance.randbytes(30).hex()} if self.chance.random() < 0.5 else {}
            sensor.append(
                MessageType.SUMMARY, Summary(Interval(self.number, self.number + 1), health=health).to_content()
            )

    def _deliver(self) -> None:
        if self.uplink is None:
            if self.clock.now_ns < self.back_ns["uplink"]:
                return
            try:
                self.uplink = Uplink(self.config, self.root / "state", BROKER, self.clock, lambda _text: None)
            except Died:
                self._end("uplink")
                return
            self.own._disk._pace = self.clock  # type: ignore[assignment]
        try:
            self.uplink.turn(0.0)
            self.own.turn()
        except Died:
            self._end("uplink")
            return
        assert self.post.line is not None
        self.ledger.urgent_first([topic for topic, _ in self.post.line.handed])

    @property
    def own(self) -> HandWriter:
        """The uplink's spool."""
        assert self.uplink is not None
        spool = self.uplink._spool
        assert isinstance(spool, HandWriter)
        return spool

    def _collect(self) -> None:
        if self.store is None:
            if self.clock.now_ns < self.back_ns["collector"]:
                return
            self._open_collector()
        try:
            if not self.batch:
                self.batch = self.ingest.collect(0.0)
            with suppress(StateError):
                self.ingest.settle(self.batch)
                self.batch = Batch()
                self.ingest.tick()
        except Died:
            self._end("collector")

    def _open_collector(self) -> None:
        self.store = FaultyStore.open(self.root / "collector")  # type: ignore[assignment]
        assert self.store is not None
        self.box = self.post.box = Box(self.post, on_ack=self._said)
        own = self.root / "state" / "uplink"
        trust = TrustFile(own / "trust.bin", own / "trust-root.json", self.clock)
        self.ingest = Ingest(self.box, self.store, Voice(self.kit.collector), trust, self.clock)

    def _said(self, outgoing: Outgoing) -> None:
        if outgoing.topic.endswith("/ack"):
            self.ledger.acknowledged(outgoing.payload)

    def _end(self, who: str) -> None:
        """A process is gone between two of its steps; what it wrote is the ledger's to remember."""
        self.trace.append(f"{who} ends at {self.clock.now_ns}")
        self.back_ns[who] = self.clock.now_ns + int(self.chance.uniform(0, 10) * NS_PER_S)
        self.disk.die_in = -1
        if who == "sensor" and self.sensor is not None:
            self.ledger.wrote("sensor", self.sensor)
            self.sensor.drop()
            self.sensor = None
        elif who == "uplink" and self.uplink is not None:
            self.ledger.wrote("uplink", self.own)
            self.own.drop()
            if self.uplink._people is not None:
                self.uplink._people.close()
            self.uplink = self.post.line = None
        elif who == "collector" and self.store is not None:
            self.store.close()
            self.store, self.batch, self.post.box = None, Batch(), None

    def _trouble(self) -> None:
        """Now and then one of many."""
        if self.chance.random() < 0.6:
            return
        trouble = self.chance.choice(TROUBLES)
        self.trace.append(f"{trouble} at {self.clock.now_ns}, {self.disk.steps} calls")
        getattr(self, f"_{trouble}")()

    def _kill(self) -> None:
        self._end(self.chance.choice(("sensor", "uplink", "collector")))

    def _die_at_a_call(self) -> None:
        self.disk.die_in = self.chance.randint(1, 12)

    def _die_sending(self) -> None:
        if self.post.line is not None:
            self.post.line.die_in = self.chance.randint(1, 5)

    def _power_cut(self) -> None:
        self._end("sensor")
        self._end("uplink")
        self.disk.cut(self.chance)

    def _store_fails(self) -> None:
        if self.store is not None:
            self.store.fault = self.chance.choice(("refuses", "dies-before", "dies-in", "dies-after"))

    def _broker_restarts(self) -> None:
        self.post.restart(forget=self.chance.random() < 0.5)

    def _link_drops(self) -> None:
        if self.post.line is not None:
            self.post.line.broken("reset")

    def _partition(self) -> None:
        if self.post.line is not None:
            self.post.line.darken(self.chance.uniform(1, 90))

    def _disk_refuses(self) -> None:
        call = self.chance.choice(("write", "fsync", "open"))
        if self.chance.random() < 0.5:
            self.disk.fail_at[call] = {self.disk.calls.get(call, 0) + self.chance.randint(1, 5): BROKEN}
        else:
            self.disk.fail = {} if self.disk.fail else {"write": NO_SPACE}

    def _progress_lost(self) -> None:
        (self.root / "state" / "uplink" / "progress.json").write_bytes(self.chance.choice((b"", b"{", b"\xff" * 30)))

    def _heal(self) -> None:
        """All troubles end; what is durable must arrive within a bounded time."""
        self.post.weather, self.disk.fail, self.disk.fail_at, self.disk.die_in = Weather(), {}, {}, -1
        if self.post.line is not None:
            self.post.line.die_in = self.post.line.dark_until_ns = 0
        if self.store is not None:
            self.store.fault = ""
        self.calm, quiet, last_word = True, 0, False
        for _ in range(HEAL_TICKS_MAX):
            self._tick(1.0)
            if self.sensor is None or self.uplink is None or self.store is None:
                continue
            if not last_word:
                self._append(self.sensor)  # so that this run settles what the one before it left
                last_word = True
            self.sensor.flush()
            self.ledger.wrote("sensor", self.sensor)
            self.ledger.wrote("uplink", self.own)
            quiet = quiet + 1 if self.ledger.complete() else 0
            if quiet >= QUIET_TICKS:
                return
        raise AssertionError(f"not delivered after {HEAL_TICKS_MAX} s of good weather: {self.ledger.waiting()}")


TROUBLES = (
    *("kill", "die_at_a_call", "die_at_a_call", "die_sending", "power_cut", "store_fails", "store_fails"),
    *("broker_restarts", "link_drops", "partition", "disk_refuses", "progress_lost"),
)
