"""`wardtap sensor`: listens on the legs (or plays a capture), judges, and writes the spool. Has no key and no network.

Clock-driven: a silent leg still ticks, intervals close, absences are noticed. SIGTERM drains: the open interval is
closed and everything is durable before the program ends.
"""

import contextlib
import dataclasses
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from agent.clock import NS_PER_S, CaptureClock, Clock, SystemClock, boot_id
from agent.commands.desired import effective
from agent.config import Config
from agent.durable import write_atomically
from agent.errors import LinkError, PermissionNeeded, StateError
from agent.findings.catalogue import OF_THE_TAP
from agent.findings.records import Finding
from agent.flows.records import Rows
from agent.paragraphs import counted
from agent.service import lifesign, pause
from agent.service.clock_watch import ClockWatch
from agent.service.condition import Lasting
from agent.service.errands import Errands
from agent.service.feed import decoded_bursts
from agent.service.memory import Memory
from agent.service.overload import OverloadLadder
from agent.service.parts import judgement, unread_links
from agent.service.pipeline import Pipeline
from agent.service.startup import ready
from agent.service.status import ENDED, LISTENING, status_file
from agent.service.status_book import StatusBook
from agent.service.status_writer import StatusWriter
from agent.service.timekeeping import FILE_NAME, KeptTime
from agent.service.together import SharedLegs, listen_together
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from agent.summaries.privacy import KEY_MIN_BYTES
from agent.tap.live import open_legs, open_shared
from agent.tap.records import Fault, LegCounts
from agent.tap.replay import ReplaySource
from agent.tap.source import Legs, Source
from agent.update.place import release_name
from agent.wire.finding import finding_content
from agent.wire.parts import split
from agent.wire.summary import Summary
from agent.wire.types import MessageType

PSEUDONYM_KEY_BYTES = 32
SAY_EVERY_FRAMES = 5_000
REPLAY_BACKLOG_BYTES = 1 << 20
LAST_BURSTS_MAX = 256  # four full rings of 32 MiB, of the smallest frames
Say = Callable[[str], None]


def _say(text: str) -> None:
    print(f"wardtap sensor: {text}", file=sys.stderr, flush=True)


def pseudonym_key(path: Path) -> bytes:
    """The site's pseudonym key; drawn once, 0600. The same name must give the same pseudonym after a restart."""
    try:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_bytes(PSEUDONYM_KEY_BYTES))
                out.flush()
                os.fsync(out.fileno())
        if path.stat().st_mode & 0o077:
            raise PermissionNeeded("others may read this key", where=str(path), todo="chmod 600, or remove it")
        key = path.read_bytes()
    except OSError as error:
        raise StateError(f"cannot be used: {error.strerror}", where=str(path)) from error
    if len(key) < KEY_MIN_BYTES:
        raise StateError("this key is too short", where=str(path), todo="remove it; a new one makes new pseudonyms")
    return key


class SpoolOutlet:
    """What the pipeline gives out goes into the spool. On live legs nothing here waits for the disk; a replay may."""

    def __init__(self, writer: SpoolWriter, agent: str, *, may_wait: bool = False) -> None:
        self._writer, self._agent, self._may_wait = writer, agent, may_wait
        self.records = 0
        self.learning: Callable[[], dict[str, int | str]] = dict  # what summaries tell of it
        self.suppressions: Callable[[], dict[str, int]] = dict
        self.told: Callable[[Summary], Summary] = lambda summary: summary  # what people said of devices comes on top

    wants_flows = False  # they stay in the sensor: summaries tell of devices and edges

    def flows(self, records: Rows) -> None:
        """None are asked for."""

    def finding(self, finding: Finding) -> None:
        """Durable within 50 ms. The collector folds a cause over all taps, but not what one says about itself."""
        if finding.id in OF_THE_TAP:
            finding = dataclasses.replace(finding, cause=f"{finding.cause}|{self._agent}")
        self._append(MessageType.FINDING, finding_content(finding))

    def summary(self, summary: Summary) -> None:
        """Durable within 1 s; split where it would not fit one message."""
        counts = self._writer.counts
        health = summary.health | {
            "spool_bytes": self._writer.bytes_used,
            "spool_not_sent": counts.dropped + counts.given_up,
            "spool_write_errors": counts.write_errors,
            **self.learning(),
            **self.suppressions(),
        }
        for part in split(self.told(dataclasses.replace(summary, health=health))):
            self._append(MessageType.SUMMARY, part.to_content())

    def _append(self, kind: MessageType, content: dict[str, object]) -> None:
        self._writer.append(kind, content)
        self.records += 1
        if self._may_wait and self._writer.backlog_bytes > REPLAY_BACKLOG_BYTES:
            self._writer.flush()  # a file is read faster than a card writes, and nothing is lost by reading it later


@contextlib.contextmanager
def _stop_on_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_faults(legs: list[LegCounts], told: dict[str, Fault], say: Say) -> None:
    """A line for each change, for whoever stands beside the tap; the finding comes when it lasts."""
    for leg in legs:
        if leg.fault is not told.get(leg.name, Fault.NONE):
            told[leg.name] = leg.fault
            say(f"{leg.name}: {leg.fault.value or 'hears again'}")


class _EachSecond:
    """What a listening sensor does once a second beside its work: look at its legs, take requests, tell how it is."""

    def __init__(
        self, config: Config, state: Path, writer: SpoolWriter, clock: Clock, say: Say,
        memory: Memory | None = None,
    ) -> None:  # fmt: skip
        self._spool, self._say, self._clock = writer, say, clock
        self._memory = memory or Memory(state, say)
        self.errands = Errands(state, writer, clock, self._memory.learning, say)
        self._faults: dict[str, Fault] = {}
        self._trouble = Lasting(clock)
        self._book, self._file = StatusBook(config, clock), StatusWriter(status_file(state), clock)
        self._refused = False
        self._ladder = OverloadLadder()
        self._watch = ClockWatch(clock)

    def look(self, source: Legs, pipeline: Pipeline, state: str = LISTENING) -> None:
        """Between two bursts; nothing here waits."""
        legs = source.legs()
        _tell_faults(legs, self._faults, self._say)
        self._tell_trouble()
        pipeline.note_legs(legs)
        noted = self._watch.look()
        pipeline.engine.clock = noted._replace(stepped_ns=noted.stepped_ns + pipeline.engine.clock.stepped_ns)
        _climb(self._ladder, legs, pipeline, self._say)
        self.errands.look(pipeline, legs)
        now_s = self._clock.wall_ns() // NS_PER_S
        self._memory.look(pipeline, now_s)
        self.errands.suppressions.look(pipeline.engine, now_s)
        self._file.offer(self._book.take(pipeline, legs, self._spool, state))
        lifesign.give(lifesign.SENSOR_S)
        if self._file.failed and not self._refused:
            self._refused = True
            self._say(
                f"{self._file.path}: cannot be written ({self._file.last_error}); `wardtap top` shows nothing new"
            )

    def _tell_trouble(self) -> None:
        """A line when the disk begins to take nothing, and when it takes records again."""
        if self._trouble.look(self._spool.trouble):
            waiting = f"the spool takes nothing ({self._trouble.why}): records wait in memory"
            self._say(waiting if self._trouble.why else "the spool takes records again")

    def close(self) -> None:
        """The file stays and says that the sensor has ended."""
        self.errands.close()
        self._file.close()


def _listen(
    source: Source | SharedLegs, pipeline: Pipeline, clock: Clock, stop: threading.Event, each_second: _EachSecond
) -> None:
    """Live legs: the wall clock drives; an empty burst is a tick."""
    if isinstance(source, SharedLegs):
        look = partial(each_second.look, source, pipeline)
        listen_together(source, pipeline, clock, stop, look, each_second.errands.hear)
        return
    rows = pipeline.buffer()
    second = 0
    while not stop.is_set():
        burst = source.next_burst()
        if burst is None:
            raise LinkError(str(source.faults[-1]) if source.faults else "the legs ended")
        now_s = clock.wall_ns() // NS_PER_S
        if now_s != second:
            second = now_s
            each_second.look(source, pipeline)
        pipeline.advance(now_s)
        if burst.count:
            pipeline.take_live(burst, rows)
            each_second.errands.hear(rows, burst.count)
    source.deafen()
    _empty(source, pipeline)


def _climb(ladder: OverloadLadder, legs: list[LegCounts], pipeline: Pipeline, say: Say) -> None:
    """Look more or less closely, as the load asks; a line for each change."""
    before = ladder.detail
    detail = ladder.look(legs)
    if detail is not before:
        pipeline.look_as(detail)
        why = "keeps up again" if detail < before else "more comes than this tap can look at"
        say(f"detail: {detail.word} ({why})")


def _empty(source: Source, pipeline: Pipeline) -> None:
    """What the legs held when we were told to end is metered too; bounded, because a busy leg never falls silent."""
    rows = pipeline.buffer()
    for _ in range(LAST_BURSTS_MAX):
        burst = source.next_burst()
        if burst is None or not burst.count:
            return
        pipeline.take_live(burst, rows)


def _play(source: ReplaySource, pipeline: Pipeline, clock: CaptureClock, stop: threading.Event, say: Say) -> None:
    """A capture at file time, as fast as it goes."""
    told = 0
    for decoded in decoded_bursts(source, pipeline.decode):
        pipeline.note_legs(source.legs())
        for done in pipeline.take_steps(decoded):
            clock.advance(pipeline.now_ns)
            if pipeline.frames.frames - told >= SAY_EVERY_FRAMES:
                told = pipeline.frames.frames
                say(f"{told} frames, {done} s of capture, {pipeline.devices} devices, {pipeline.findings} findings")
            if stop.is_set():
                return
    pipeline.settle()


def run(
    config: Config, state: Path, replay: list[Path] | None = None, *, clock: Clock | None = None,
    stop: threading.Event | None = None, say: Say = _say,
) -> int:  # fmt: skip
    """Run until SIGTERM, or to the end of the captures. 0 after draining; 2 when a capture was damaged."""
    ended = stop or threading.Event()
    paused = None if replay else pause.wait(state, boot_id(), clock or SystemClock(), ended)
    if not replay:
        config, unfit = effective(config, state)
        if unfit:
            say(f"the desired configuration is not used: {unfit}")
    source = _source(config, replay)
    its_clock: Clock = CaptureClock() if replay else clock or SystemClock()
    identity = Identity(config.site.agent, config.site.site, "sensor", boot_id())
    limits = SpoolLimits(config.spool.limit_bytes, config.spool.segment_bytes)
    key = pseudonym_key(state / "sensor" / "pseudonym.key")
    kept = its_clock if replay or clock else KeptTime(state / "uplink" / FILE_NAME)  # of the records, not of frames
    writer = SpoolWriter.open(state / "sensor" / "spool", identity, kept, limits)
    if paused:
        writer.append(MessageType.RECEIPT, paused.to_content())
        if writer.flush():
            pause.end(state)
    outlet = SpoolOutlet(writer, config.site.agent, may_wait=bool(replay))
    memory = None if replay else Memory(state, say)  # a replay begins with nothing learned and nobody known
    parts = judgement(config, key, state, memory.learning.baseline if memory else None)
    for fault in parts.refused:
        say(f"a pack of the site is left out: {fault}")
    pipeline = Pipeline(config, parts, outlet, workers=len(source.readers) if isinstance(source, SharedLegs) else 1)
    if memory:
        outlet.learning = memory.begin(pipeline, its_clock.wall_ns() // NS_PER_S)
    pipeline.load()
    if not replay:
        pipeline.load_live()
    ready()
    _introduce(state / "sensor" / "run.json", writer.run, parts.contracts.version)
    try:
        with _stop_on_signals(ended):
            say(_hears(config, replay))
            if isinstance(its_clock, CaptureClock) and isinstance(source, ReplaySource):
                _play(source, pipeline, its_clock, ended, say)
            else:
                with closing(_EachSecond(config, state, writer, its_clock, say, memory)) as each_second:
                    errands, outlet.told = each_second.errands, each_second.errands.told
                    outlet.suppressions = errands.suppressions.health
                    errands.stop = ended
                    _listen(source, pipeline, its_clock, ended, each_second)
                    each_second.look(source, pipeline, ENDED)
        pipeline.note_legs(source.legs())
    finally:
        pipeline.drain()
        if memory:
            memory.close(pipeline, its_clock.wall_ns() // NS_PER_S)
        durable = writer.close()
        source.close()
    heard = {"frame": pipeline.frames.frames, "device": pipeline.devices, "finding": pipeline.findings}
    told = ", ".join(counted(number, noun) for noun, number in (*heard.items(), ("record", outlet.records)))
    say(f"drained: {told} spooled{'' if durable else ', NOT ALL DURABLE'}")
    faults = [*source.faults, *(unread_links(source) if isinstance(source, ReplaySource) else [])]
    for fault in faults:
        say(str(fault))
    return 2 if faults else 0


def _hears(config: Config, replay: list[Path] | None) -> str:
    return f"playing {counted(len(replay), 'capture')}" if replay else f"listening on {', '.join(config.tap.legs)}"


def _introduce(path: Path, run_id: bytes, contracts: str) -> None:
    """What the uplink's birth message says of the sensor; a hint, so a disk that refuses it stops nothing."""
    with contextlib.suppress(OSError):
        held = {"run": run_id.hex(), "contracts": contracts, "release": release_name()}
        write_atomically(path, json.dumps(held).encode())


def _source(config: Config, replay: list[Path] | None) -> Source | SharedLegs:
    if replay:
        return ReplaySource(replay)
    return open_shared(config.tap) if config.tap.workers > 1 else open_legs(config.tap)
