"""Odd contacts: what makes a silence that follows worse, and how long it counts."""

from agent.devices.records import EdgeGate, Scope
from agent.findings.contacts import ODD_MAX, ODD_NS, OddContacts
from agent.findings.records import Rows
from tests.findings.bench import IN, Bench


def observed(bench: Bench, odd: OddContacts, *edges: Rows) -> dict[int, int]:
    """What is remembered after a turn with these edges."""
    return dict(odd.observe(bench.case(*edges)))


def test_a_stranger_and_an_answer_outside_the_contract_are_odd(bench: Bench) -> None:
    monitor, pump, stranger = bench.add("patient-monitor"), bench.add("infusion-pump"), bench.add("unknown")
    tried = bench.edge(stranger, monitor, 80, gates=int(EdgeGate.REFUSED))
    answered = bench.edge(pump, "10.1.1.1", 23, direction=IN)
    assert set(observed(bench, OddContacts(), tried, answered)) == {bench.mac(monitor), bench.mac(pump)}


def test_ordinary_work_is_not(bench: Bench) -> None:
    pump, server = bench.add("infusion-pump"), bench.add("pump-gateway")
    out = bench.edge(pump, server, 3613)
    back = bench.edge(server, pump, 3613, direction=IN)
    group = bench.edge(pump, "224.0.0.251", 5353, direction=IN, protocol=17, scope=Scope.MULTICAST)
    assert not observed(bench, OddContacts(), out, back, group)


def test_it_counts_for_a_quarter_of_an_hour(bench: Bench) -> None:
    odd, pump = OddContacts(), bench.add("infusion-pump")
    assert observed(bench, odd, bench.edge(pump, "10.1.1.1", 23, direction=IN))
    bench.now_ns += ODD_NS
    assert observed(bench, odd)
    bench.now_ns += 1
    assert not observed(bench, odd)


def test_it_is_bounded(bench: Bench) -> None:
    odd = OddContacts()
    for _ in range(6):
        slots = [bench.add("infusion-pump") for _ in range(250)]
        observed(bench, odd, *(bench.edge(s, "10.1.1.1", 23, direction=IN) for s in slots))
    assert len(observed(bench, odd)) == ODD_MAX
