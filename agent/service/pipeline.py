"""One turn of the sensor: take a burst, decode, meter, attribute, and when time passes expire, judge, build, hand on.

Time is a clock's, never a packet's: `advance` is called with the wall clock on live legs and with the file's time in a
replay. Seconds in which nothing happens cost nothing: the clock steps from one deadline to the next, and empty
intervals close at once.
"""

import secrets
from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from typing import Protocol

from agent.config import Config
from agent.devices.identity import Identifier
from agent.devices.table import PLACES, DeviceTable
from agent.devices.view import Ward
from agent.findings.engine import Engine
from agent.findings.records import Finding, Pressure, Turn
from agent.flows.cache import UNANSWERED_TIMEOUT_S
from agent.flows.caches import FlowCaches
from agent.flows.records import FlowEvent, Rows
from agent.jit import Words
from agent.packets.counts import FrameCounts
from agent.packets.decoder import Decoded, Decoder
from agent.packets.hints import READERS
from agent.packets.news import Heard, Hint, News
from agent.service.batches import Batches
from agent.service.intervals import Counted, IntervalBook
from agent.service.limits import device_limits, flow_limits, judge_settings
from agent.service.overload import Detail
from agent.service.parts import Judgement
from agent.service.steps import seconds_of
from agent.service.worker import Worker, no_servers
from agent.summaries.builder import Contents, SummaryBuilder
from agent.tap.records import Burst, LegCounts
from agent.wire.summary import Summary

NS_PER_S = 1_000_000_000
LOOKS_EVERY_MAX_S = 5  # on live legs time passes second by second; a longer step is a program that stood still
SILENCE_NEWS_NS = 60 * NS_PER_S  # less than this is nothing to judge
COUNTED_MAX = 8192  # edges of an interval that the judge is given (0.8 MB), four times a busy ward; a flood's come last


class Outlet(Protocol):
    """Where what the sensor finds goes: the spool, or a person's screen."""

    @property
    def wants_flows(self) -> bool:
        """Whether flow records are wanted at all."""

    def flows(self, records: Rows) -> None:
        """Flow records that ended."""

    def finding(self, finding: Finding) -> None:
        """A finding, at once."""

    def summary(self, summary: Summary) -> None:
        """An interval that closed."""


def _secret() -> tuple[int, int]:
    return secrets.randbits(64), secrets.randbits(64)


def _needs_a_word(leg: LegCounts) -> bool:
    """Whether a leg is judged although no frame came: it may be why none comes."""
    return bool(leg.fault or leg.tx_packets)


class Pipeline:
    """All stages between the tap and the spool, and the clock that drives them."""

    def __init__(
        self, config: Config, judgement: Judgement, outlet: Outlet, secret: tuple[int, int] | None = None,
        workers: int = 1,
    ) -> None:  # fmt: skip
        self._config, self._outlet = config, outlet
        drawn, servers = secret or _secret(), no_servers()
        self.workers = [Worker(flow_limits(config, workers), drawn, servers) for _ in range(workers)]
        self._first = self.workers[0]  # alone, it does its work where the judge does his
        self.cache = FlowCaches([worker.cache for worker in self.workers])
        self._news = News(drawn, READERS)
        self.table = DeviceTable(device_limits(config), drawn)
        self.ward = Ward(self.table, Identifier(judgement.packs))
        self.engine = Engine(judgement.contracts, judge_settings(config), judgement.baseline, judgement.lists)
        self._gate = judgement.pseudonyms
        self.builder = SummaryBuilder(self.ward, judgement.pseudonyms, config.metering.device_slots_max)
        self._book = IntervalBook(config.summaries, judgement.contracts.version, config.sha256)
        self._now_s: int | None = None
        self._first_s = 0
        self._legs: list[LegCounts] = []
        self._detail = self._coarsest = Detail.FULL  # now, and in the open interval
        self._pressure = Pressure()  # as it was judged last
        self._live = False
        self._heard = self._looked_s = self._silent_s = 0  # frames and second of the last look, silence since
        self.findings = 0
        self.summaries = 0

    def load(self) -> None:
        """Bring every kernel into memory before the first frame: loading takes longer than many a capture."""
        decoded = self._first.decoder.load()
        self._first.frames.add(decoded.rows[:0])
        self._news.load()
        self.table.load(decoded.rows, self._first.cache.no_events())
        for records in self._first.cache.meter(decoded.rows, 0):
            self.table.relate(records)
        for leaving in (self.cache.expire(0), self.cache.update()):
            for events, places in leaving:
                self.table.relate(events, places)
        self.cache.next_deadline_s()
        self.ward.hear_edges(self.table.take_edges())
        self.engine.load(self.ward.roles())

    def load_live(self) -> None:
        """As `load`, for what only live legs come to: the overload ladder, several workers. Their silence is news."""
        self._live = True
        self._first.decoder.load_headers()
        if len(self.workers) > 1:
            batches = Batches(1, 1)
            batches.load()
            self._first.load(batches.of(0)[0])

    def decode(self, burst: Burst, rows: Rows, *, hashed: bool = False) -> Decoded:
        """What can be done to a burst before its turn, by one other thread; `hashed`: it has time for that too."""
        decoded = self._first.decoder.decode(burst, rows)
        if hashed:
            self._first.cache.hash_ahead(rows, decoded.count)
        return decoded._replace(hashed=hashed)

    @staticmethod
    def buffer() -> Rows:
        """A row buffer for one burst."""
        return Decoder.buffer()

    @property
    def frames(self) -> FrameCounts:
        """What came in, to all workers."""
        return reduce(FrameCounts.plus, (worker.frames for worker in self.workers))

    @property
    def hints_skipped(self) -> int:
        """Hints that were over the budget."""
        return self._news.skipped

    @property
    def detail(self) -> Detail:
        """How closely frames of live legs are looked at."""
        return self._detail

    @property
    def now_ns(self) -> int:
        """The present time of the pipeline; 0 before the first frame."""
        return (self._now_s or 0) * NS_PER_S

    @property
    def devices(self) -> int:
        """Devices that were seen often enough to be called so."""
        return len(self.table.occupied())

    @property
    def interval_start_s(self) -> int:
        """When the open interval began; 0 before the first frame."""
        return self._book.start_s

    def tell_all_cards(self) -> None:
        """Somebody asked: the next summary tells every card, not only the changed ones."""
        self._book.cards_asked()

    def note_legs(self, legs: list[LegCounts]) -> None:
        """The newest counts of the legs; losses are judged with the next turn."""
        self._legs = legs

    def look_as(self, detail: Detail) -> None:
        """How closely frames of live legs are looked at from here on; said in the summary of the interval."""
        self._detail, self._coarsest = detail, max(detail, self._coarsest)

    def take_live(self, burst: Burst, rows: Rows) -> None:
        """A burst of live legs, as closely as the load allows; at totals only its frames are counted, and no more."""
        if self._detail is Detail.TOTALS:
            self._first.frames.add(self._first.decoder.pass_over(burst, rows).rows[: burst.count])
            return
        if self._detail is Detail.HEADERS:
            decoded = self._first.decoder.decode_headers(burst, rows)
        else:
            decoded = self._first.decoder.decode(burst, rows)
        self._first.cache.hash(rows, decoded.count)
        self.take_slice(decoded, 0, decoded.count)

    def take_steps(self, decoded: Decoded) -> Iterator[int]:
        """Rows of one burst, in steps of a second of their own time: for files. Yields seconds since the first."""
        rows, count = decoded.rows, decoded.count
        if not count:
            return
        if not decoded.hashed:
            self._first.cache.hash(rows, count)
        steps = seconds_of(rows["time_ns"][:count])
        for (start, its_second), (stop, _) in pairwise([*steps, (count, 0)]):
            second = max(its_second, self._now_s or 0)
            self.advance(second)
            self.take_slice(decoded, start, stop)
            yield second - self._first_s

    def take_slice(self, decoded: Decoded, start: int, stop: int) -> None:
        """Meter and attribute rows[start:stop] at the present time."""
        rows = decoded.rows[start:stop]
        self._first.frames.add(rows)
        self.table.attribute(rows, stop - start)
        for records in self._first.cache.meter_hashed(rows, stop - start, every_end=self._outlet.wants_flows):
            self._relate(records)
        if decoded.hints or self._news.waits:
            heard = Heard(decoded.burst.frames[start:stop], rows, decoded.burst.octets)
            self._news.tell(heard, PLACES[: stop - start], self._now_s or 0, self._hear)

    def take_batches(self, batches: Batches, until: int) -> None:
        """Attribute what workers have metered, in the order in which it came in, up to an order."""
        while (taken := batches.take(until)) is not None:
            self.table.attribute(batches.rows, taken.rows)
            for places in (taken.ended, taken.events):
                self._relate(batches.events, places)
            if batches.hints or self._news.waits:
                self._news.tell(batches.heard(), taken.rows, self._now_s or 0, self._hear)

    def _relate(self, records: Rows, places: Words | None = None) -> None:
        self.table.relate(records, places)
        if not self._outlet.wants_flows:
            return
        told = records if places is None else records.take(places)
        ended = told[told["event"] == FlowEvent.ENDED]
        if len(ended):
            self._outlet.flows(ended)

    def _hear(self, hint: Hint) -> None:
        signals = READERS[hint.kind](hint.payload)
        self.ward.hear(hint.source, hint.destination, signals, hint.time_ns)
        self.ward.sightings.note(hint, signals)

    def advance(self, second: int) -> None:
        """Let time pass until `second` (since 1970): every deadline and interval end on the way is kept."""
        if self._now_s is None:
            self._now_s = self._first_s = second
            self._book.begin(second)
        while self._now_s < second:
            self._now_s = self._next_step(self._now_s, second)
            self._turn()

    def _next_step(self, now_s: int, second: int) -> int:
        """The next second at which something is due, `second` at the latest; passes over empty intervals."""
        if self.table.has_news():
            return now_s + 1
        deadline = self.cache.next_deadline_s()
        step = second if deadline is None else min(max(deadline, now_s + 1), second)
        if self._book.end_s < step:
            if self._book.is_active(self._counted()):
                return max(self._book.end_s, now_s + 1)
            self._book.skip_empty(step)
        return step

    def _counted(self, edges_waiting: int = 0) -> Counted:
        return Counted(
            self.frames,
            self.cache.exported,
            self.cache.evicted,
            self.findings,
            self.hints_skipped,
            edges_waiting,
            self._legs,
            Pressure(self.cache.evicted, *self.table.pressure()),
            self._coarsest.word,
            tuple(worker.frames.frames for worker in self.workers),
        )

    def _silent_ns(self) -> int:
        """How long no live leg has heard a frame, as far as somebody listened: one who stood still heard none."""
        now_s, frames = self._now_s or 0, self.frames.frames
        if frames != self._heard:
            self._silent_s = 0
        elif self._live:
            self._silent_s += min(now_s - self._looked_s, LOOKS_EVERY_MAX_S)
        self._heard, self._looked_s = frames, now_s
        return self._silent_s * NS_PER_S

    def _turn(self) -> None:
        """Once a second of capture time in which something is due."""
        now_s = self._now_s or 0
        for events, places in self.cache.expire(now_s):
            self._relate(events, places)
        self._judge(interval_closed=now_s >= self._book.end_s)
        if now_s >= self._book.end_s:
            self._close(now_s)

    def _judge(self, *, interval_closed: bool) -> None:
        if interval_closed:
            for events, places in self.cache.update():
                self._relate(events, places)
        now_s, news = self._now_s or 0, self.table.has_news()
        promoted = self.table.take_promoted()
        if len(promoted):
            self.table.disown(promoted)
            self.ward.promote(promoted)
        if interval_closed:
            self.table.confirm_gateways(self.now_ns)
        edges = self.table.take_edges()
        self.ward.hear_edges(edges)
        counted = self._counted()
        silent_ns = self._silent_ns()
        news |= counted.pressure != self._pressure or any(map(_needs_a_word, self._legs))
        news |= silent_ns >= SILENCE_NEWS_NS or bool(self.ward.sightings)
        if not self.ward.refresh() and not news and not interval_closed:
            return
        self._pressure = counted.pressure
        frames, dropped = self._book.losses(counted)
        warn, settling_s = self._config.findings.loss_warn_permille, self._config.findings.settling_s
        touched, whole = self.table.touched(COUNTED_MAX) if interval_closed else (edges[:0], True)
        turn = Turn(
            now_ns=now_s * NS_PER_S,
            devices=self.ward,
            edges=edges,
            fans=self.table.take_fans(),
            new_devices=promoted,
            interval_closed=interval_closed,
            frames=frames,
            dropped=dropped,
            lossy=(dropped * 1000 >= warn * max(frames + dropped, 1) and dropped > 0)
            or self._coarsest is Detail.TOTALS
            or any(leg.fault.blind for leg in self._legs),
            settled=now_s - self._first_s >= settling_s and 2 * self._book.heard_s >= settling_s,
            legs=self._legs,
            pressure=counted.pressure,
            detail=self._coarsest.word,
            silent_ns=silent_ns,
            counted=touched,
            whole=whole,
            grants=self.ward.take_grants(),
            sightings=self.ward.sightings.take(),
            remarks=self.ward.take_remarks(),
            span_ns=(now_s - self._book.start_s) * NS_PER_S if interval_closed else 0,
        )
        for finding in self.engine.judge(turn):
            self.findings += 1
            self._outlet.finding(self._gate.finding(finding))

    def _close(self, now_s: int) -> None:
        """Build the summary of the interval that ended, and open the next one."""
        edges, waiting = self.table.take_counts(self._config.summaries.edges_per_summary_max)
        slots = self.table.occupied()
        changed = self.ward.take_changed()
        if self._book.all_cards_due(now_s):
            changed = slots.tolist()
        counted = self._counted(waiting)
        coverage = self._book.coverage(counted)
        interval = self._book.close(now_s, counted)
        self._coarsest = self._detail
        contents = Contents(self.table.devices, slots, changed, edges)
        self._outlet.summary(self.builder.build(interval, coverage, contents))
        self.summaries += 1

    def settle(self) -> None:
        """Let silence tell what it tells: tries at the end of a file that nobody answered have failed."""
        if self._now_s is not None:
            self.advance(self._now_s + UNANSWERED_TIMEOUT_S + 1)

    def drain(self) -> None:
        """End: every open flow leaves, the open interval is judged and closed, so nothing metered is lost."""
        if self._now_s is None:
            return
        self._now_s += 1
        for events, places in self.cache.expire(self._now_s, forced=True):
            self._relate(events, places)
        self._judge(interval_closed=True)
        self._close(self._now_s)

    def conserved(self) -> bool:
        """Frames received = processed + ignored, and every processed one is in a flow's and a device's counts."""
        frames = self.frames
        return (
            sum(worker.decoder.frames for worker in self.workers) == frames.frames
            and frames.frames == frames.processed + sum(frames.ignored().values())
            and self.cache.conserved()
            and self.table.conserved()
            and self.cache.metered == frames.metered
            and self.table.attributed == frames.processed
        )
