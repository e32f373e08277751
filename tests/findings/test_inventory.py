"""Facts of the inventory: once, again when they change, bounded, folded."""

from agent.devices.records import Posture
from agent.findings.inventory import KEPT_MAX, SAID_MAX, Inventory
from tests.findings.bench import START_NS, Bench, ids

XP = Posture(system="Windows XP/2003", said_by=("smb.os",), ended="2015-07-14")


def test_no_more_than_so_many_in_an_interval_and_the_rest_in_the_next() -> None:
    bench = Bench()
    for n in range(SAID_MAX + 3):
        bench.add("printer", posture=XP._replace(system=f"System {n}"))
    assert [len(bench.interval()) for _ in range(3)] == [SAID_MAX, 3, 0]


def test_devices_of_a_role_fold() -> None:
    bench = Bench()
    for _ in range(9):
        bench.add("printer", posture=XP)
    said = bench.interval()
    assert ids(said) == ["legacy-os"] * 3
    assert said[-1].sentence.endswith("(one of 3 printers within the hour).")
    assert not bench.interval()


def test_memory_is_bounded() -> None:
    inventory = Inventory("legacy-os")
    inventory._said = {(n, "x"): None for n in range(KEPT_MAX)}
    bench = Bench()
    bench.add("printer", posture=XP)
    bench.engine._postures[0]._told = inventory
    assert ids(bench.interval()) == ["legacy-os"]
    assert len(inventory._said) == KEPT_MAX
    assert (0, "x") not in inventory._said
    assert bench.now_ns > START_NS
