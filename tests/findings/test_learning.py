"""What the baseline is taught, and what it never is."""

import pytest

from agent.devices.baseline import Phase
from agent.devices.records import EdgeGate
from agent.findings.learning import SUSPECT_NS
from tests.findings.bench import IN, TALK, Bench, S

HOUR = 3600 * S


def learned(bench: Bench, role: str) -> int:
    """Sightings that a role's pool took in."""
    return bench.baseline.learned(role).observations


def test_ordinary_contacts_are_learned(bench: Bench) -> None:
    printer, pump = bench.add("printer"), bench.add("infusion-pump")
    bench.interval([bench.edge(printer, "10.1.1.1", 7777), bench.edge(pump, "10.20.30.13", 3613)])
    assert learned(bench, "printer") == 1
    assert learned(bench, "infusion-pump") == 1
    assert bench.baseline.learned("printer").heard_ns == 60 * S


@pytest.mark.parametrize("port", [23, 9999])
def test_what_a_clinical_contract_forbids_or_does_not_name_is_not(bench: Bench, port: int) -> None:
    pump = bench.add("infusion-pump")
    bench.interval([bench.edge(pump, "10.1.1.1", port, direction=IN)])
    assert not learned(bench, "infusion-pump")


def test_public_peers_outside_a_contract_are_not(bench: Bench) -> None:
    printer, phone = bench.add("printer"), bench.add("phone")
    bench.interval([bench.edge(printer, "203.0.113.1", 443), bench.edge(phone, "203.0.113.1", 443)])
    assert not learned(bench, "printer")
    assert learned(bench, "phone") == 1, "a role without a contract has no word on it"


@pytest.mark.parametrize("gates", [0, int(EdgeGate.ANSWERED), int(TALK & ~EdgeGate.INITIATOR_KNOWN)])
def test_attempts_are_not(bench: Bench, gates: int) -> None:
    bench.interval([bench.edge(bench.add("printer"), "10.1.1.1", 7777, gates=gates)])
    assert not learned(bench, "printer")


def test_a_gateway_teaches_nothing(bench: Bench) -> None:
    bench.interval([bench.edge(bench.add("printer", gateway=True), "10.1.1.1", 7777)])
    assert not learned(bench, "printer")


def test_a_guessed_role_teaches_nobody_elses_pool(bench: Bench) -> None:
    bench.interval([bench.edge(bench.add("printer", confidence=0.3), "10.1.1.1", 7777)])
    assert not learned(bench, "printer")
    assert learned(bench, "unknown") == 1


def test_learning_freezes_while_the_capture_is_lossy(bench: Bench) -> None:
    bench.interval([bench.edge(bench.add("printer"), "10.1.1.1", 7777)], lossy=True)
    assert not learned(bench, "printer")
    assert bench.engine.frozen_intervals == 1


def test_a_device_with_a_finding_teaches_nothing_for_a_day(bench: Bench) -> None:
    desk = bench.add("office-workstation")
    bench.judge(fans=[bench.sweep(desk, port=8080)])
    bench.interval([bench.edge(desk, "10.1.1.1", 8080)])
    assert not learned(bench, "office-workstation")
    bench.interval([bench.edge(desk, "10.1.1.1", 8080)], after_ns=SUSPECT_NS)
    assert learned(bench, "office-workstation") == 1


def test_a_ward_settles_by_itself(bench: Bench) -> None:
    printers = [bench.add("printer") for _ in range(4)]
    for _ in range(73):
        bench.interval([bench.edge(p, "10.1.1.1", 7777) for p in printers], after_ns=HOUR)
    assert bench.baseline.learned("printer").phase is Phase.SETTLED
