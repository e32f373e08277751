"""Spans that are in order each become one order: against sorting, in pieces, with ties, over full tables."""

from random import Random

import numpy as np
import pytest

from agent.packets import kernels_order
from agent.packets.kernels_order import LAST, merge_orders, order_frames
from agent.tap.records import FRAME


def spans_of(parts: list[list[int]], gap: int = 3) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Parts in one table, with places between them that belong to nobody."""
    table: list[int] = []
    spans = []
    for part in parts:
        spans.append((len(table), len(table) + len(part)))
        table += [*part, *[-5] * gap]
    return np.array(table, np.int64), np.array(spans, np.int64).reshape(-1, 2)


@pytest.mark.parametrize("seed", range(20))
def test_the_lowest_comes_first_and_equal_ones_as_their_spans_stand(seed: int) -> None:
    rng = Random(seed)
    parts = [sorted(rng.choices(range(30), k=rng.randrange(12))) for _ in range(rng.randrange(1, 6))]
    orders, spans = spans_of(parts)
    wanted = sorted(
        (value, start + i) for (start, _), part in zip(spans, parts, strict=True) for i, value in enumerate(part)
    )
    places, found = np.zeros(7, np.int64), list[int]()
    for until in (rng.randrange(30), int(LAST)):
        while n := merge_orders(orders, spans, until, places):
            found += places[:n].tolist()
        assert found == [place for value, place in wanted if value <= until]
    assert (spans[:, kernels_order.AT] == spans[:, kernels_order.STOP]).all()


def test_nothing_to_take() -> None:
    orders, spans = spans_of([[], [9]])
    places = np.zeros(4, np.int64)
    assert merge_orders(orders, spans, 8, places) == 0
    assert merge_orders(orders, spans[:0], int(LAST), places) == 0
    assert merge_orders(orders, spans, int(LAST), places[:0]) == 0
    assert merge_orders(orders, spans, int(LAST), places) == 1


def test_frames_are_ordered_by_time_and_never_before_what_came_first() -> None:
    frames, orders = np.zeros(5, FRAME), np.zeros(5, np.int64)
    frames["time_ns"] = 5, 9, 7, 9, 12
    assert order_frames(frames, 5, 6, orders) == 12
    assert orders.tolist() == [6, 9, 9, 9, 12]
    assert order_frames(frames, 0, 40, orders) == 40
