"""Edges wait for a role, in bounded memory."""

from collections import deque
from random import Random

import numpy as np

from agent.devices.records import EDGE, EdgeGate
from agent.devices.roles import ROLES
from agent.findings.held import HELD_MAX, HeldEdges
from agent.findings.records import Rows
from tests.findings.bench import Bench, S

UNKNOWN, PUMP = ROLES.index("unknown"), ROLES.index("infusion-pump")


def rows(bench: Bench, count: int, gates: int = EdgeGate.EXCHANGED) -> tuple[Rows, np.ndarray]:
    edges = np.repeat(bench.edge(0, "203.0.113.9", 4444, gates=gates), count)
    edges["port"] = np.arange(count) % 60_000 + 1
    return edges, np.arange(count)


def test_released_once_when_the_role_changes(bench: Bench) -> None:
    bench.add("unknown")
    held = HeldEdges()
    assert not held.release(bench, bench.roles(), everything=False).size
    held.hold(*rows(bench, 5))
    assert not held.release(bench, bench.roles(), everything=False).size
    bench.devices[0].role = "infusion-pump"
    assert held.release(bench, bench.roles(), everything=False)["port"].tolist() == [1, 2, 3, 4, 5]
    assert not held.release(bench, bench.roles(), everything=True).size


def test_edges_in_which_nothing_happened_are_not_kept(bench: Bench) -> None:
    bench.add("unknown")
    held = HeldEdges()
    held.hold(*rows(bench, 5, gates=EdgeGate.REFUSED))
    assert not held.release(bench, bench.roles(), everything=True).size


def test_the_oldest_are_overwritten(bench: Bench) -> None:
    bench.add("unknown")
    held = HeldEdges()
    for _ in range(3):
        held.hold(*rows(bench, HELD_MAX - 100))
    held.hold(*rows(bench, 3 * HELD_MAX))
    assert held.release(bench, bench.roles(), everything=True).size == HELD_MAX
    assert held._rows.dtype == EDGE


def test_the_ring_is_a_queue(bench: Bench) -> None:
    """A slow twin keeps a list: what waits, in which order it comes out, whatever was overwritten."""
    random = Random(20_261_102)
    for _ in range(6):
        bench.add("unknown")
    held, queue, count = HeldEdges(), deque[tuple[int, int]](maxlen=HELD_MAX), 0
    held.release(bench, bench.roles(), everything=True)
    for _ in range(60):
        edges, waiting = rows(bench, random.choice([0, 1, 40, 3000]))
        edges["device"] = [random.randrange(6) for _ in range(edges.size)]
        edges["flows"] = range(count, count + edges.size)
        waiting = waiting[[random.random() < 0.8 for _ in range(edges.size)]]
        held.hold(edges, waiting)
        queue.extend(zip(edges["device"][waiting].tolist(), edges["flows"][waiting].tolist(), strict=True))
        count += edges.size
        everything, changed = random.random() < 0.1, random.choice([None, *range(6)])
        if changed is not None:
            bench.devices[changed].role = "pacs" if bench.devices[changed].role == "unknown" else "unknown"
        freed = {(d, n) for d, n in queue if everything or d == changed}
        found = held.release(bench, bench.roles(), everything=everything)
        assert set(zip(found["device"].tolist(), found["flows"].tolist(), strict=True)) == freed - {(-1, -1)}
        queue = deque(((-1, -1) if item in freed else item for item in queue), maxlen=HELD_MAX)


def test_an_edge_from_before_its_device_is_dropped(bench: Bench) -> None:
    bench.add("unknown")
    held = HeldEdges()
    held.hold(*rows(bench, 3))
    bench.devices[0].first_ns = bench.now_ns + 10 * S
    assert not held.release(bench, bench.roles(), everything=True).size


def test_no_devices_at_all(bench: Bench) -> None:
    held = HeldEdges()
    bench.add("unknown")
    held.hold(*rows(bench, 3))
    bench.devices.clear()
    assert not held.release(bench, bench.roles(), everything=False).size
    assert not held.release(bench, bench.roles(), everything=True).size
