"""Batches are taken in one order, whoever filled them, and given back when nothing of them is left."""

import numpy as np
import pytest

from agent.flows.cache import Told
from agent.packets.kernels_order import LAST
from agent.service.batches import EVENTS_MAX, NO_OCTETS, Batch, Batches
from agent.tap.records import BURST_FRAMES_MAX

END = int(LAST)


def filled(batches: Batches, batch: Batch, orders: list[int], causes: tuple[list[int], list[int]] = ([], [])) -> Batch:
    """A batch with rows at these orders and events that these rows caused: at once, and at the end."""
    batch.order[: len(orders)] = orders
    told = Told(len(causes[0]) + len(causes[1]), len(causes[0]), np.array(causes[0] + causes[1], np.uint32))
    batch.fill(NO_OCTETS, len(orders), told)
    batches.add(batch)
    return batch


def test_rows_of_two_workers_in_order() -> None:
    batches = Batches(2, 2)
    one, other = batches.of(0)[0], batches.of(1)[0]
    filled(batches, one, [10, 30, 50])
    filled(batches, other, [20, 30, 60])
    taken = batches.take(30)
    assert taken is not None
    assert batches.order[taken.rows].tolist() == [10, 20, 30, 30]
    assert taken.rows.tolist() == [0, 2 * BURST_FRAMES_MAX, 1, 2 * BURST_FRAMES_MAX + 1]
    assert batches.take(30) is None
    assert batches.done() == []
    taken = batches.take(END)
    assert taken is not None
    assert batches.order[taken.rows].tolist() == [50, 60]
    assert batches.done() == [one, other]
    assert batches.done() == []


def test_events_stand_where_the_rows_behind_them_stand() -> None:
    batches = Batches(2, 1)
    (one,), (other,) = batches.of(0), batches.of(1)
    filled(batches, one, [10, 30], ([1], [0, 1]))
    filled(batches, other, [20, 40], ([0, 1], [0]))
    taken = batches.take(30)
    assert taken is not None
    assert batches.event_order[taken.ended].tolist() == [20, 30]
    assert taken.ended.tolist() == [EVENTS_MAX, 0]
    assert taken.events.tolist() == [1, EVENTS_MAX + 2, 2]
    assert batches.done() == [one]
    taken = batches.take(END)
    assert taken is not None
    assert (len(taken.rows), len(taken.ended), len(taken.events)) == (1, 1, 0)
    assert batches.done() == [other]


def test_an_empty_batch_is_over_at_once() -> None:
    batches = Batches(1, 2)
    empty = filled(batches, batches.of(0)[1], [])
    assert batches.take(END) is None
    assert batches.done() == [empty]


def test_what_a_batch_held_before_is_gone() -> None:
    batches = Batches(1, 1)
    (batch,) = batches.of(0)
    filled(batches, batch, [1, 2, 3], ([0], [1, 2]))
    while batches.take(END):
        pass
    batches.done()
    filled(batches, batch, [7])
    taken = batches.take(END)
    assert taken is not None
    assert (len(taken.rows), len(taken.ended), len(taken.events)) == (1, 0, 0)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_as_many_rows_as_workers_can_hand_over_come_out(workers: int) -> None:
    """In pieces of what the tables behind take at once; events never before their rows."""
    batches = Batches(workers)
    total, causes = 0, list(range(0, BURST_FRAMES_MAX, 64))
    for worker in range(workers):
        for turn, batch in enumerate(batches.of(worker)):
            orders = range(turn * BURST_FRAMES_MAX, (turn + 1) * BURST_FRAMES_MAX)
            filled(batches, batch, [order * workers + worker for order in orders], ([], causes))
            total += BURST_FRAMES_MAX
    rows, events = list[int](), list[int]()
    while (taken := batches.take(END)) is not None:
        rows += batches.order[taken.rows].tolist()
        events += batches.event_order[taken.events].tolist()
        assert max(events) <= rows[-1]
    assert rows == list(range(total))
    assert events == sorted(events)
    assert len(events) == total // 64
    assert len(batches.done()) == 4 * workers


def test_loading_takes_nothing() -> None:
    batches = Batches(2, 1)
    batches.load()
    assert batches.done() == []
