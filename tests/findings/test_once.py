"""Inventory facts: once for each device and value, a bounded number at a time, and nobody starves."""

import numpy as np

from agent.findings.once import KEPT_MAX, SAID_MAX, Once
from agent.findings.records import Rows
from tests.findings.bench import Bench


def said(bench: Bench, once: Once, *edges: Rows) -> list[int]:
    """Slots of the devices that are said."""
    rows = np.concatenate(edges)
    return [int(row["device"]) for row in once.rows(bench.case(), rows, np.ones(rows.size, np.bool_), "port")]


def test_once_for_each_device_and_value(bench: Bench) -> None:
    once, a, b = Once(), bench.add("pacs"), bench.add("pacs")
    edges = [bench.edge(a, "10.1.1.1", 104), bench.edge(a, "10.1.1.2", 104), bench.edge(b, "10.1.1.1", 104)]
    assert said(bench, once, *edges) == [a, b]
    assert not said(bench, once, *edges)
    assert said(bench, once, bench.edge(a, "10.1.1.1", 105)) == [a]


def test_the_others_come_next_time(bench: Bench) -> None:
    once, slots = Once(), [bench.add("pacs") for _ in range(2 * SAID_MAX)]
    edges = [bench.edge(slot, "10.1.1.1", 104) for slot in slots]
    first, second = said(bench, once, *edges), said(bench, once, *edges)
    assert (len(first), len(second)) == (SAID_MAX, SAID_MAX)
    assert set(first) | set(second) == set(slots)


def test_the_memory_is_bounded(bench: Bench) -> None:
    once, slot = Once(), bench.add("pacs")
    for block in range(KEPT_MAX // SAID_MAX + 3):
        said(bench, once, *(bench.edge(slot, "10.1.1.1", block * SAID_MAX + n) for n in range(SAID_MAX)))
    assert len(once._said) <= KEPT_MAX
