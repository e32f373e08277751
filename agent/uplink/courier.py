"""Decides what to send next: findings before summaries, unacknowledged again and oldest first, within a window.

No I/O of its own beyond reading the spool: time, link and acknowledgements are told to it, so every rule can be tested
as one. A record leaves its care only when a signed acknowledgement covers it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.clock import NS_PER_S, Clock
from agent.errors import Refused
from agent.spool.coverage import Coverage
from agent.spool.reader import LaneReader, ReaderCounts, total_counts
from agent.spool.records import Lane, SpoolRecord
from agent.uplink.progress import Progress
from agent.uplink.records import FlightKey, Outgoing
from agent.uplink.sealer import Sealer
from agent.wire.delivery import Ack

RESENDS_PER_S = 50  # a collector that comes back is not buried
RESENDS_BURST = 100
HURRY_AFTER_NS = 2 * NS_PER_S  # what left this recently may still be under way
PARK_AFTER_SENDS = 4  # a record nobody acknowledges while later ones are: it must not hold the others up
PARKED_MAX = 64  # at 64 KiB each: 4 MiB
REPLAY_SPAN_MAX = 100_000  # numbers one `resend` may name


@dataclass(slots=True)
class Flight:
    """A record that was sent and is not acknowledged."""

    out: Outgoing
    lane: Lane
    first_ns: int
    last_ns: int
    sends: int = 1
    at_broker: bool = False
    parked: bool = False


@dataclass(slots=True)
class CourierCounts:
    """What was sent, and what was not and why."""

    sent: int = 0
    resent: int = 0
    acknowledged: int = 0
    not_signed: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Bucket:
    """Tokens for resends: a burst, then a steady rate."""

    tokens: float = RESENDS_BURST
    last_ns: int = 0

    def take(self, now_ns: int) -> bool:
        self.tokens = min(RESENDS_BURST, self.tokens + (now_ns - self.last_ns) / NS_PER_S * RESENDS_PER_S)
        self.last_ns = now_ns
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


NotSigned = Callable[[SpoolRecord, str], None]


def _ignore(_record: SpoolRecord, _reason: str) -> None:
    """Nobody wants to know."""


class Courier:
    """Carries the records of several spools (stream name -> folder) to the collector, whatever happens in between."""

    def __init__(
        self,
        folders: dict[str, Path],
        sealer: Sealer,
        progress: Progress,
        clock: Clock,
        *,
        window: int,
        resend_after_s: float,
    ) -> None:
        self._folders, self._sealer, self._progress, self._clock = folders, sealer, progress, clock
        self._window, self._resend_after_ns = window, int(resend_after_s * NS_PER_S)
        self._readers = {lane: [self._reader(stream, lane) for stream in folders] for lane in Lane}
        self._flights: dict[Lane, dict[FlightKey, Flight]] = {lane: {} for lane in Lane}
        self._bucket = _Bucket(last_ns=clock.mono_ns())
        self._replay: Iterator[SpoolRecord] = iter(())
        self._last_ack_ns = 0
        self.counts = CourierCounts()
        self.on_not_signed: NotSigned = _ignore

    def _reader(self, stream: str, lane: Lane) -> LaneReader:
        def covered(run: bytes, first: int, last: int) -> bool:
            return self._progress.covers(stream, run, first, last)

        return LaneReader(self._folders[stream], stream, lane, covered)

    def due(self, room: int) -> list[Outgoing]:
        """At most `room` messages to send now, most urgent first."""
        now_ns = self._clock.mono_ns()
        found: list[Outgoing] = []
        for lane in Lane:
            found.extend(self._again(lane, now_ns, room - len(found)))
            found.extend(self._new(lane, now_ns, room - len(found)))
        found.extend(self._replayed(now_ns, room - len(found)))
        return found

    def _again(self, lane: Lane, now_ns: int, room: int) -> Iterator[Outgoing]:
        for flight in self._flights[lane].values():
            if room <= 0:
                return
            if now_ns - flight.last_ns < self._resend_after_ns:
                continue
            if not self._bucket.take(now_ns):
                return
            room -= 1
            flight.last_ns, flight.at_broker = now_ns, False
            flight.sends += 1
            self._park(flight)
            self.counts.resent += 1
            yield flight.out

    def _park(self, flight: Flight) -> None:
        """Sent often, while records sent after it were acknowledged: keep trying, but outside the window."""
        if flight.sends >= PARK_AFTER_SENDS and self._last_ack_ns > flight.first_ns:
            parked = sum(each.parked for flights in self._flights.values() for each in flights.values())
            flight.parked = parked < PARKED_MAX

    def _new(self, lane: Lane, now_ns: int, room: int) -> Iterator[Outgoing]:
        flights = self._flights[lane]
        free = min(room, self._window - sum(not flight.parked for flight in flights.values()))
        for reader in self._readers[lane]:
            while free > 0 and (batch := reader.poll(free)):
                for record in batch:
                    out = self._sealed(record)
                    if out is None or out.key in flights:
                        continue
                    flights[out.key] = Flight(out, lane, now_ns, now_ns)
                    free -= 1
                    self.counts.sent += 1
                    yield out

    def _sealed(self, record: SpoolRecord) -> Outgoing | None:
        if self._progress.covers(record.stream, record.run, record.seq, record.seq):
            return None
        try:
            leaf, envelope = self._sealer.seal(record)
        except Refused as error:
            self.counts.not_signed[error.reason] = self.counts.not_signed.get(error.reason, 0) + 1
            self._progress.add(record.stream, record.run, record.seq, record.seq)
            self.on_not_signed(record, error.reason)
            return None
        self._progress.sent(record.stream, record.run, record.seq)
        return Outgoing(FlightKey(record.stream, record.run, record.seq), leaf, envelope)

    def acknowledged(self, ack: Ack) -> None:
        """An authentic acknowledgement for us. After a silence the rest goes again at once: the collector is back."""
        now_ns = self._clock.mono_ns()
        self._progress.acknowledge(ack)
        told = Coverage([(1, ack.upto), *ack.ranges])  # the progress forgets ranges that are too many; this must not
        for flights in self._flights.values():
            done = [key for key in flights if self._is_done(key, ack, told)]
            for key in done:
                del flights[key]
            self.counts.acknowledged += len(done)
        if now_ns - self._last_ack_ns > self._resend_after_ns:
            self.hurry()
        self._last_ack_ns = now_ns

    def _is_done(self, key: FlightKey, ack: Ack, told: Coverage) -> bool:
        just = (key.stream, key.run) == (ack.stream, ack.run) and key.seq in told
        return just or self._progress.covers(key.stream, key.run, key.seq, key.seq)

    def hurry(self) -> None:
        """Everything unacknowledged is due now: the collector rang a bell or spoke after a silence."""
        now_ns = self._clock.mono_ns()
        for flights in self._flights.values():
            for flight in flights.values():
                if now_ns - flight.last_ns > HURRY_AFTER_NS:
                    flight.last_ns = min(flight.last_ns, now_ns - self._resend_after_ns)

    def at_broker(self, key: FlightKey) -> None:
        """PUBACK: releases nothing; only, a broken link is no reason to send this again at once."""
        for flights in self._flights.values():
            if key in flights:
                flights[key].at_broker = True

    def link_up(self) -> None:
        """A new link: what never reached the broker is due."""
        soonest_ns = self._clock.mono_ns() - self._resend_after_ns
        for flights in self._flights.values():
            for flight in flights.values():
                if not flight.at_broker:
                    flight.last_ns = min(flight.last_ns, soonest_ns)

    def unsent(self, key: FlightKey) -> None:
        """The pipe did not take it after all: due at once."""
        for flights in self._flights.values():
            if key in flights:
                flights[key].last_ns -= self._resend_after_ns

    def send_again(self, stream: str, run: bytes, first: int, last: int) -> None:
        """Send once more what the spool still has of these, acknowledged or not (a collector lost its database)."""
        if stream not in self._folders or not 1 <= first <= last or last - first >= REPLAY_SPAN_MAX:
            raise Refused("no such records", reason="bad-arguments")
        self._replay = self._spooled(stream, run, first, last)

    def _spooled(self, stream: str, run: bytes, first: int, last: int) -> Iterator[SpoolRecord]:
        def elsewhere(held: bytes, low: int, high: int) -> bool:
            return held != run or high < first or low > last

        for lane in Lane:
            reader = LaneReader(self._folders[stream], stream, lane, elsewhere)
            while batch := reader.poll(self._window):
                yield from (record for record in batch if record.run == run and first <= record.seq <= last)

    def _replayed(self, now_ns: int, room: int) -> Iterator[Outgoing]:
        while room > 0 and self._bucket.tokens >= 1:
            record = next(self._replay, None)
            if record is None:
                return
            try:
                leaf, envelope = self._sealer.seal(record)
            except Refused:
                continue
            self._bucket.take(now_ns)
            room -= 1
            self.counts.resent += 1
            yield Outgoing(FlightKey(record.stream, record.run, record.seq), leaf, envelope)

    @property
    def waiting(self) -> int:
        """Records sent and not acknowledged."""
        return sum(map(len, self._flights.values()))

    def reader_counts(self, streams: Sequence[str] | None = None) -> ReaderCounts:
        """What reading met in the spools."""
        wanted = streams or list(self._folders)
        return total_counts([reader for lane in Lane for reader in self._readers[lane] if reader.stream in wanted])
