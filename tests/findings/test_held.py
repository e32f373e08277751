"""Edges wait for a role, in bounded memory."""

import numpy as np

from agent.devices.records import EDGE, EdgeGate
from agent.devices.roles import ROLES
from agent.findings.contract_table import Rows
from agent.findings.held import HELD_MAX, HeldEdges
from tests.findings.bench import Bench

UNKNOWN, PUMP = ROLES.index("unknown"), ROLES.index("infusion-pump")


def rows(bench: Bench, count: int, gates: int = EdgeGate.EXCHANGED) -> tuple[Rows, np.ndarray]:
    edges = np.repeat(bench.edge(0, "203.0.113.9", 4444, gates=gates), count)
    edges["port"] = np.arange(count) % 60_000 + 1
    return edges, np.ones(count, dtype=np.bool_)


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


def test_no_devices_at_all(bench: Bench) -> None:
    held = HeldEdges()
    bench.add("unknown")
    held.hold(*rows(bench, 3))
    bench.devices.clear()
    assert not held.release(bench, bench.roles(), everything=False).size
    assert not held.release(bench, bench.roles(), everything=True).size
