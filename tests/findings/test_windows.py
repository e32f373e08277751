"""Counts of edges over the last minutes: in a fixed order, forgotten, bounded."""

import numpy as np

from agent.findings.records import Rows
from agent.findings.windows import EDGES_MAX, ROWS_MAX, EdgeWindows
from tests.findings.bench import Bench, S


def rows_of(bench: Bench, count: int) -> Rows:
    """Edges of one device to many peers."""
    return np.concatenate([bench.edge(0, f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", 80) for n in range(count)])


def test_the_newest_counts_in_the_window(bench: Bench) -> None:
    bench.add("printer")
    windows = EdgeWindows(150 * S, intervals_max=3)
    sizes = []
    for _ in range(5):
        bench.now_ns += 60 * S
        (found,) = windows.take(bench.case(), bench.edge(0, "10.1.1.1", 80), np.ones(1, np.bool_))
        sizes.append(len(found[2]))
    assert sizes == [1, 2, 3, 3, 3]
    bench.now_ns += 151 * S
    (found,) = windows.take(bench.case(), bench.edge(0, "10.1.1.1", 80), np.ones(1, np.bool_))
    assert len(found[2]) == 1


def test_the_order_does_not_depend_on_the_rows(bench: Bench) -> None:
    bench.add("printer")
    rows = rows_of(bench, 20)
    first = [key for _, key, _ in EdgeWindows(S).take(bench.case(), rows, np.ones(20, np.bool_))]
    again = [key for _, key, _ in EdgeWindows(S).take(bench.case(), rows[::-1].copy(), np.ones(20, np.bool_))]
    assert first == again


def test_only_what_fits_and_no_more_than_there_is_room_for(bench: Bench) -> None:
    bench.add("printer")
    windows, rows = EdgeWindows(3600 * S), rows_of(bench, ROWS_MAX + 100)
    assert not windows.take(bench.case(), rows, np.zeros(rows.size, np.bool_))
    assert len(windows.take(bench.case(), rows, np.ones(rows.size, np.bool_))) == ROWS_MAX
    windows.take(bench.case(), rows[::-1].copy(), np.ones(rows.size, np.bool_))
    assert len(windows._held) <= EDGES_MAX
