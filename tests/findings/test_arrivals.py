"""Who came after the tap had settled, and what devices were before they acted."""

import numpy as np

from agent.devices.baseline import Order
from agent.devices.roles import ROLES
from agent.findings.arrivals import NEW_MAX, Arrivals, has_learned
from agent.findings.case import Case
from agent.findings.peers import Peers
from tests.findings.bench import CONTRACTS, Bench, S


def case(bench: Bench, *, settled: bool = True, closed: bool = False) -> Case:
    """A turn now."""
    return bench.case(settled=settled, interval_closed=closed)


def test_new_is_who_came_after_the_tap_had_settled(bench: Bench) -> None:
    arrivals = Arrivals(Peers())
    early, late = bench.add("pacs"), bench.add("pacs")
    for slot, settled in ((early, False), (late, True)):
        look = case(bench, settled=settled)
        look.turn = look.turn._replace(new_devices=np.array([slot], np.uint32))
        arrivals.look(look)
    assert [arrivals.is_new(bench.mac(slot)) for slot in (early, late)] == [False, True]
    assert not arrivals.is_new(0)


def test_who_was_known_before_a_restart_is_not_new(bench: Bench) -> None:
    before, after, slot = Peers(), Peers(), bench.add("pacs", 0x02_00_00_00_00_07)
    before.meet([bench.mac(slot)], bench.now_ns // S)
    before.settle()
    after.resume(before.kept(), bench.now_ns // S)
    arrivals = Arrivals(after)
    look = case(bench)
    look.turn = look.turn._replace(new_devices=np.array([slot], np.uint32))
    arrivals.look(look)
    assert not arrivals.is_new(bench.mac(slot))


def test_after_a_restart_who_was_not_known_is_new_from_the_start(bench: Bench) -> None:
    before, after, slot = Peers(), Peers(), bench.add("pacs")
    for settled in (False, True):
        before.meet([7], bench.now_ns // S)
        after.resume(before.kept(), bench.now_ns // S)
        arrivals, look = Arrivals(after), case(bench, settled=False)
        look.turn = look.turn._replace(new_devices=np.array([slot], np.uint32))
        arrivals.look(look)
        assert arrivals.is_new(bench.mac(slot)) == settled, "but only when somebody was known"
        before.settle()


def test_memory_is_bounded(bench: Bench) -> None:
    arrivals, slots = Arrivals(Peers()), [bench.add("unknown") for _ in range(NEW_MAX + 10)]
    look = case(bench)
    look.turn = look.turn._replace(new_devices=np.array(slots, np.uint32))
    arrivals.look(look)
    assert [arrivals.is_new(bench.mac(slot)) for slot in (slots[0], slots[-1])] == [False, True]


def test_a_role_is_that_of_the_last_interval_when_it_was_sure(bench: Bench) -> None:
    arrivals = Arrivals(Peers())
    sure, guess = bench.add("pacs"), bench.add("ventilator", confidence=0.4)
    arrivals.close(case(bench))
    assert arrivals.role_before(case(bench), bench.mac(sure)) == "unknown", "no interval has closed"
    arrivals.close(case(bench, closed=True))
    bench.devices[sure].role = "printer"
    told = [arrivals.role_before(case(bench), bench.mac(slot)) for slot in (sure, guess)]
    assert told == ["pacs", "unknown"]


def test_before_the_first_interval_a_role_is_that_of_before_the_restart(bench: Bench) -> None:
    before, after = Peers(), Peers()
    old, new = bench.add("imaging-modality"), bench.add("imaging-modality")
    before.meet([bench.mac(old)], bench.now_ns // S)
    before.settle()
    after.resume(before.kept(), bench.now_ns // S)
    arrivals = Arrivals(after)
    told = [arrivals.role_before(case(bench), bench.mac(slot)) for slot in (old, new)]
    assert told == ["imaging-modality", "unknown"]


def test_a_pool_that_has_ended_learning(bench: Bench) -> None:
    bench.add("pacs")
    assert not has_learned(case(bench), "pacs")
    bench.baseline.order_role(Order.FREEZE, "pacs")
    assert has_learned(case(bench), "pacs")
    assert not has_learned(case(bench), "ventilator")
    assert set(CONTRACTS.roles) == set(ROLES)
