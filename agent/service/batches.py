"""What workers hand over: batches of rows and flow events in shared tables, and the one order in which they are taken.

A worker fills a batch and hands it over; it is the judge's until `done` gives it back. Every batch has its stretch of
tables that are there from the start, so a place in them says all; nothing is copied. Rows and events carry a number
by which they are ordered: the time of a live frame, the place of a frame in a file.
"""

from typing import NamedTuple

import numpy as np

from agent.flows.cache import Told
from agent.flows.kernels import EVENTS_PER_PACKET
from agent.flows.records import BIFLOW
from agent.flows.records import Rows as Table
from agent.jit import Words, aligned_rows
from agent.packets import kernels_order
from agent.packets.news import Heard
from agent.packets.records import PACKET
from agent.tap.records import BURST_FRAMES_MAX, BURSTS_AHEAD, FRAME, Octets

EVENTS_MAX = BURST_FRAMES_MAX * EVENTS_PER_PACKET
PLACES_MAX = 4 * BURST_FRAMES_MAX  # taken at once
ROWS, AT_ONCE, AT_END = 0, 1, 2  # what has spans: rows; events of flows that ended in a burst; all other events
KINDS = 3
NO_OCTETS: Octets = np.zeros(1, np.uint8)


class Batch:
    """One burst of one worker: views of its stretch of the tables, and how much of it is filled."""

    def __init__(self, batches: "Batches", number: int, worker: int) -> None:
        self.number, self.worker = number, worker
        self._first, self._first_event = number * BURST_FRAMES_MAX, number * EVENTS_MAX
        rows = slice(self._first, self._first + BURST_FRAMES_MAX)
        events = slice(self._first_event, self._first_event + EVENTS_MAX)
        self.frames, self.rows, self.order = batches.frames[rows], batches.rows[rows], batches.order[rows]
        self.events, self._event_order = batches.events[events], batches.event_order[events]
        self.octets, self.count, self.hints = NO_OCTETS, 0, 0
        self._told = Told(0, 0, np.zeros(0, np.uint32))

    def fill(self, octets: Octets, count: int, told: Told | None = None) -> None:
        """All rows are made, and the events they caused; each event stands where the row behind it stands."""
        self.octets, self.count = octets, count
        self._told = told or Told(0, 0, self._told.causes[:0])
        self._event_order[: self._told.events] = self.order.take(self._told.causes)

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Its rows, events that left at once, events told at the end: from where to where in the tables."""
        first, at_once, events = self._first_event, self._told.at_once, self._told.events
        return (
            (self._first, self._first + self.count),
            (first, first + at_once),
            (first + at_once, first + events),
        )


class Taken(NamedTuple):
    """What comes next, by place, in order."""

    rows: Words
    ended: Words  # events of flows that ended within a burst
    events: Words


class Batches:
    """The tables of all workers' batches."""

    def __init__(self, workers: int, each: int = BURSTS_AHEAD) -> None:
        count = workers * each
        self.frames = np.zeros(count * BURST_FRAMES_MAX, FRAME)
        self.rows: Table = aligned_rows(count * BURST_FRAMES_MAX, PACKET)
        self.order = np.zeros(count * BURST_FRAMES_MAX, np.int64)
        self.events: Table = aligned_rows(count * EVENTS_MAX, BIFLOW)
        self.event_order = np.zeros(count * EVENTS_MAX, np.int64)
        for table in (self.frames, self.rows, self.order):
            table.fill(0)  # memory from the start, not in the middle of a burst; of the events few are ever used
        self._all = [Batch(self, number, number // each) for number in range(count)]
        self._spans = np.zeros((KINDS, count, 2), np.int64)
        self._places = np.zeros((KINDS, PLACES_MAX), np.int64)
        self._here: list[Batch] = []
        self.octets = NO_OCTETS

    def of(self, worker: int) -> list[Batch]:
        """The batches that a worker may fill."""
        return [batch for batch in self._all if batch.worker == worker]

    def add(self, batch: Batch) -> None:
        """A worker has filled it. All batches that are here point into the same octets."""
        self.octets = batch.octets
        self._spans[:, batch.number] = batch.spans()
        self._here.append(batch)

    def take(self, until: int) -> Taken | None:
        """The next rows up to an order, and the events up to the last of them; None when there is nothing."""
        rows = self._next(ROWS, until)
        if len(rows) == PLACES_MAX:
            until = int(self.order[rows[-1]])
        taken = Taken(rows, self._next(AT_ONCE, until), self._next(AT_END, until))
        return taken if any(map(len, taken)) else None

    def _next(self, kind: int, until: int) -> Words:
        orders = self.order if kind == ROWS else self.event_order
        places: Words = self._places[kind]
        count = kernels_order.merge_orders(orders, self._spans[kind], until, places)
        return places[:count]

    @property
    def hints(self) -> bool:
        """Whether any row that is here may be worth a reader's time."""
        return any(batch.hints for batch in self._here)

    def heard(self) -> Heard:
        """The rows, for whoever reads payloads."""
        return Heard(self.frames, self.rows, self.octets)

    def done(self) -> list[Batch]:
        """Batches of which nothing is left."""
        left: list[bool] = np.any(self._spans[:, :, 0] < self._spans[:, :, 1], axis=0).tolist()
        over = [batch for batch in self._here if not left[batch.number]]
        self._here = [batch for batch in self._here if left[batch.number]]
        return over

    def load(self) -> None:
        """Bring the kernels that only several workers need into memory."""
        batch = self._all[0]
        kernels_order.order_frames(batch.frames, 0, 0, batch.order)
        self.take(0)
