"""A whole site whose programs can be killed a thousand times: sensor, broker, uplink and collector, each a process.

Programs are forked from a server that has imported them already (multiprocessing's forkserver): a start costs 20 ms, so
that a kill hits work and not imports. What the sensor called durable stands in a ledger that it writes after `flush`;
what arrived stands in the collector's database. The two are all that is compared.
"""

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.clock import NS_PER_S, SystemClock, boot_id
from agent.collector.config import CollectorConfig
from agent.collector.service import serve
from agent.collector.store.database import FILE_NAME
from agent.collector.subscriber import BrokerSettings
from agent.service.uplink import run
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from agent.wire import topics
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import QUICK, finding
from tests.simulators.broker import Mosquitto
from tests.simulators.kit import AGENT, SITE, Kit

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.site"])
SIGHTINGS = """SELECT count(*) FROM sightings JOIN records USING (agent, run, stream, seq)
    WHERE records.type='wardtap/finding.v1'"""  # what the collector itself finds, such as a gap, is another type's
SUMMARIES_A_FLUSH = 4  # and one finding
DELIVERED_S = 180.0  # in which at least one more has to arrive: resends wait, the machine is loaded


def sense(state: Path, ledger: Path, pause_s: float) -> None:
    """A sensor's spool: writes records, and into the ledger what is durable, until it is killed."""
    identity = Identity(AGENT, SITE, "sensor", boot_id())
    writer = SpoolWriter.open(state / "sensor" / "spool", identity, SystemClock(), QUICK)
    descriptor = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    number = 0
    while True:
        for number in range(number, number + SUMMARIES_A_FLUSH):  # noqa: B020 - goes on where it was
            writer.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())
        number += 1
        last = writer.append(MessageType.FINDING, finding(number))
        if writer.flush():
            os.write(descriptor, f"{writer.run.hex()} {last} {time.time_ns()}\n".encode())
        time.sleep(pause_s)


def send(state: Path, broker: str) -> None:
    """`wardtap uplink`."""
    _words_to(state / "uplink.log")
    raise SystemExit(run(Kit(state).config(resend_after_s=1), state, broker))


def collect(state: Path, kit_state: Path, broker: str, client_id: str, topic_filter: str) -> None:
    """`wardtap-collector run`, without its page."""
    _words_to(state.with_suffix(".log"))
    own = kit_state / "uplink"
    settings = BrokerSettings(broker, (topic_filter,), client_id)
    key = kit_state.parent / "collector.key"
    config = CollectorConfig(state, settings, own / "trust.bin", own / "trust-root.json", key, listen="")
    serve(config, SystemClock(), threading.Event(), print)


def _words_to(log: Path) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


class Program:
    """One of them: started, killed as by kill -9, started again."""

    def __init__(self, work: Callable[..., None], *words: Any) -> None:
        self._work, self._words = work, words
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is None:
            self._process = FORKS.Process(target=self._work, args=self._words, daemon=True)
            self._process.start()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            assert self._process.exitcode is None, f"{self._work.__name__} ended by itself: {self._process.exitcode}"
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        assert self._process.pid
        return self._process.pid


class Forgetful:
    """The broker as a program that loses its state with each kill, or keeps it."""

    def __init__(self, broker: Mosquitto, *, forget: bool) -> None:
        self._broker, self._forget = broker, forget

    def start(self) -> None:
        """Start it."""
        self._broker.start()

    def kill(self) -> None:
        """kill -9; with `forget` its database goes too."""
        self._broker.kill(forget=self._forget)


class Tally(NamedTuple):
    """What the ledger promised and what the database has of it."""

    sent: int
    lost: int
    duplicated: int


class Site:
    """Everything of one test."""

    def __init__(self, folder: Path, *, broker: str = "", pause_s: float = 0.05, autosave: bool = True) -> None:
        self.state, self.ledger, self.collected = folder / "state", folder / "ledger", folder / "collector"
        self.kit = Kit(self.state).lay()
        self.kit.collector.save(folder / "collector.key")
        self.broker = Mosquitto(folder / "broker", broker, autosave=autosave).start()
        self.sensor = Program(sense, self.state, self.ledger, pause_s)
        self.uplink = Program(send, self.state, self.broker.url)
        self.collector = self.another_collector()
        self.programs = [self.sensor, self.uplink, self.collector]
        for program in self.programs:
            program.start()

    def through(self, url: str) -> None:
        """The uplink reaches the broker by another way from now on."""
        self.uplink.kill()
        self.programs.remove(self.uplink)
        self.uplink = Program(send, self.state, url)
        self.uplink.start()
        self.programs.append(self.uplink)

    def arrives(self) -> bool:
        """Whether something that is durable now reaches the collector within the patience for last records."""
        before, deadline = sum(self.promised().values()), time.monotonic() + DELIVERED_S
        while time.monotonic() < deadline:
            found = self.tally()
            if found.sent - found.lost > before:
                return True
            self.idle()
        return False

    def said(self) -> str:
        """What the uplink said."""
        return (self.state / "uplink.log").read_text()

    def another_collector(self, name: str = "one", topic_filter: str = "") -> Program:
        """A collector on the same database folder or, by another name, on its own."""
        place = self.collected if name == "one" else self.collected.with_name(name)
        wanted = topic_filter or topics.up_filter(SITE)
        return Program(collect, place, self.state, self.broker.url, f"collector-{name}", wanted)

    def promised(self) -> dict[bytes, int]:
        """Run -> last durable number, as the sensor said it."""
        found: dict[bytes, int] = {}
        for run_id, last, _ in self.lines():
            found[run_id] = max(last, found.get(run_id, 0))
        return found

    def lines(self) -> list[tuple[bytes, int, int]]:
        """The ledger: run, last durable number (a finding's), and when that was."""
        lines = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        return [(bytes.fromhex(run_id), int(last), int(at_ns)) for run_id, last, at_ns in map(str.split, lines)]

    def waits_s(self) -> list[tuple[int, float]]:
        """When each finding of the ledger was durable, and how long it then took to the collector."""
        found = []
        with closing(sqlite3.connect(f"file:{self.collected / FILE_NAME}?mode=ro", uri=True, timeout=30)) as store:
            for run_id, seq, at_ns in self.lines():
                row = store.execute("SELECT received_ns FROM records WHERE run=? AND seq=?", (run_id, seq)).fetchone()
                if row:
                    found.append((at_ns, (row[0] - at_ns) / NS_PER_S))
        return found

    def tally(self, *databases: Path) -> Tally:
        """Compare; a record counts as there when one of the databases has it."""
        promised, lost, duplicated = self.promised(), 0, 0
        there: dict[bytes, set[int]] = {}
        for path in databases or (self.collected,):
            if not (path / FILE_NAME).exists():
                continue
            with closing(sqlite3.connect(f"file:{path / FILE_NAME}?mode=ro", uri=True, timeout=30)) as store:
                if not store.execute("PRAGMA user_version").fetchone()[0]:
                    continue  # it is just being made
                for run_id, seq in store.execute("SELECT run, seq FROM records WHERE stream='sensor'"):
                    there.setdefault(run_id, set()).add(seq)
                duplicated += twice(store)
        for run_id, last in promised.items():
            lost += len(set(range(1, last + 1)) - there.get(run_id, set()))
        return Tally(sum(promised.values()), lost, duplicated)

    def delivered(self, *databases: Path, within_s: float = DELIVERED_S) -> Tally:
        """The tally once nothing is missing, or what it is when nothing more has come for that long.

        A machine that many use may take an hour for a backlog; that is no loss while it still arrives.
        """
        found = self.tally(*databases)
        least, deadline = found.lost, time.monotonic() + within_s
        while found.lost and time.monotonic() < deadline:
            time.sleep(0.5)
            found = self.tally(*databases)
            if found.lost < least:
                least, deadline = found.lost, time.monotonic() + within_s
        return found

    def strike(self, victims: Sequence[Program | Forgetful], faults: int, longest_s: float, seed: int) -> None:
        """Kill them `faults` times in all, each after a life of up to `longest_s`."""
        chance = Random(seed)
        due = [(time.monotonic() + chance.uniform(0, longest_s), at) for at in range(len(victims))]
        for _ in range(faults):
            moment, at = min(due)
            time.sleep(max(0.0, moment - time.monotonic()))
            victims[at].kill()
            victims[at].start()
            due[at] = (time.monotonic() + chance.uniform(0, longest_s), at)

    def idle(self) -> None:
        """A moment in which the programs work."""
        time.sleep(0.05)

    def rest(self) -> None:
        """The sensor ends, everything else runs: what is durable may arrive now."""
        self.sensor.kill()
        self.programs.remove(self.sensor)

    def end(self) -> None:
        """Kill what runs."""
        for program in self.programs:
            program.kill()
        self.broker.kill()


def twice(store: sqlite3.Connection) -> int:
    """What stands in the database more than once, in any of its forms: records, what follows from them, conflicts."""

    def number(query: str) -> int:
        return int(store.execute(query).fetchone()[0] or 0)

    kinds = dict(store.execute("SELECT type, count(*) FROM records GROUP BY type").fetchall())
    return sum(
        abs(found)
        for found in (
            number("SELECT count(*) FROM envelopes") - sum(kinds.values()),
            number("SELECT sum(summaries) FROM run_totals") - kinds.get(MessageType.SUMMARY, 0),
            number("SELECT count(*) FROM intervals") - kinds.get(MessageType.SUMMARY, 0),
            number(SIGHTINGS) - kinds.get(MessageType.FINDING, 0),
            number("SELECT count(*) FROM conflicts"),
        )
    )
