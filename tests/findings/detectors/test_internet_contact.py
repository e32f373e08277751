"""internet-contact: data both ways with a public address, a sure role, and nothing else."""

import pytest

from agent.devices.records import EdgeGate, Scope
from agent.findings.records import Severity
from tests.findings.bench import DATAGRAMS, HOUR, IN, SESSION, TALK, Bench, S, ids


def test_pump_and_public_address(bench: Bench) -> None:
    pump = bench.add("infusion-pump", 0x00D07518429B, label="infusion pump 00:d0:75:18:42:9b (Alaris Medical)")
    (found,) = bench.judge([bench.edge(pump, "203.0.113.9", 4444)])
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:42:9b (Alaris Medical) exchanged data with the public address 203.0.113.9 on "
        "TCP port 4444, which no infusion pump does."
    )
    assert (found.id, found.severity, found.tier) == ("internet-contact", Severity.PAGE, "vital")
    assert found.cause == "internet-contact|00:d0:75:18:42:9b|203.0.113.9|tcp|4444"
    assert found.attack == ("T1071", "T1041")
    assert "TCP 3613" in found.expected
    assert dict(found.evidence)["octets-out"] == 900
    assert dict(found.evidence)["first"] == "2026-11-02T08:00:00Z"
    assert found.first_ns <= found.last_ns <= found.time_ns


@pytest.mark.parametrize("gates", [TALK, SESSION | EdgeGate.EXCHANGED, DATAGRAMS, int(EdgeGate.EXCHANGED)])
def test_exchanged_data_raises(bench: Bench, gates: int) -> None:
    assert ids(bench.judge([bench.edge(bench.add("patient-monitor"), "198.51.100.7", 8080, gates=gates)]))


@pytest.mark.parametrize(
    "gates", [0, int(EdgeGate.REFUSED), int(EdgeGate.INITIATOR_KNOWN), int(SESSION), int(EdgeGate.ANSWERED)]
)
def test_without_data_both_ways_it_is_silent(bench: Bench, gates: int) -> None:
    assert not bench.judge([bench.edge(bench.add("infusion-pump"), "203.0.113.9", 4444, gates=gates)])


def test_inbound_from_the_internet_counts_too(bench: Bench) -> None:
    assert ids(bench.judge([bench.edge(bench.add("pacs"), "203.0.113.9", 104, direction=IN)])) == ["internet-contact"]


@pytest.mark.parametrize(
    "role", ["printer", "clinical-workstation", "ip-camera", "voip-phone", "building-control", "nurse-call"]
)
def test_other_roles_are_reviewed(bench: Bench, role: str) -> None:
    (found,) = bench.judge([bench.edge(bench.add(role), "203.0.113.9", 443)])
    assert found.severity is Severity.REVIEW
    assert "the contract of" in found.sentence


@pytest.mark.parametrize("role", ["unknown", "phone", "office-workstation", "iot-other", "hospital-server"])
def test_a_role_without_a_contract_is_not_judged(bench: Bench, role: str) -> None:
    assert not bench.judge([bench.edge(bench.add(role), "203.0.113.9", 443)])


@pytest.mark.parametrize("scope", [Scope.SEGMENT, Scope.SITE, Scope.MULTICAST, Scope.BROADCAST])
def test_only_public_addresses(bench: Bench, scope: Scope) -> None:
    edge = bench.edge(bench.add("infusion-pump"), "203.0.113.9", 3613, scope=scope)
    assert "internet-contact" not in ids(bench.judge([edge]))


def test_a_gateway_is_never_judged(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("infusion-pump", gateway=True), "203.0.113.9", 4444)])


def test_a_guessed_role_waits_until_it_is_sure(bench: Bench) -> None:
    pump = bench.add("infusion-pump", confidence=0.4)
    assert not bench.judge([bench.edge(pump, "203.0.113.9", 4444)])
    bench.devices[pump].confidence = 0.9
    assert not bench.judge()
    assert ids(bench.judge(interval_closed=True)) == ["internet-contact"]
    assert not bench.judge(interval_closed=True)


def test_a_device_that_gets_its_role_later_is_judged_then(bench: Bench) -> None:
    device = bench.add("unknown")
    assert not bench.judge([bench.edge(device, "203.0.113.9", 4444)])
    bench.devices[device].role = "infusion-pump"
    assert ids(bench.judge()) == ["internet-contact"]


def test_repeats_fold_and_are_said_again_after_an_hour_with_their_count(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert len(bench.judge([bench.edge(pump, "203.0.113.9", 4444)])) == 1
    for _ in range(5):
        assert not bench.judge([bench.edge(pump, "203.0.113.9", 4444)], after_ns=60 * S, interval_closed=True)
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True)
    assert again.count == 6


def test_many_destinations_of_one_device_are_one_cause(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    said = bench.judge([bench.edge(pump, f"203.0.113.{n}", 4444) for n in range(1, 41)])
    assert len(said) == 6
    assert "(one of 6 public destinations within the hour)" in said[-1].sentence
    assert {f.severity for f in said} == {Severity.PAGE}


def test_the_same_destination_of_many_devices_is_one_cause(bench: Bench) -> None:
    said = bench.judge([bench.edge(bench.add("infusion-pump"), "203.0.113.9", 443) for _ in range(30)])
    assert len(said) == 3
    assert "one of 3 infusion pumps" in said[-1].sentence
    assert said[-1].cause == "internet-contact|infusion-pump|203.0.113.9|tcp|443"
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True)
    assert again.count == 28


def test_workstations_that_browse_are_one_cause(bench: Bench) -> None:
    carts = [bench.add("clinical-workstation") for _ in range(5)]
    said = bench.judge([bench.edge(cart, f"203.0.113.{n}", 443) for cart in carts for n in range(1, 11)])
    assert len(said) == 4


def test_a_crowded_turn_is_bounded_and_counted(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    said = bench.judge([bench.edge(pump, f"203.0.{n // 250}.{n % 250 + 1}", 4444) for n in range(500)])
    counted = [f for f in said if f.mac == 0]
    assert [f.count for f in counted] == [436]
    assert len(said) == 7


def test_order_of_edges_does_not_change_the_output() -> None:
    def run(backwards: bool) -> list[str]:
        bench = Bench()
        pumps = [bench.add("infusion-pump") for _ in range(4)]
        edges = [bench.edge(p, f"203.0.113.{n}", 4000 + n) for p in pumps for n in range(1, 4)]
        return [f.sentence for f in bench.judge(edges[::-1] if backwards else edges)]

    assert run(False) == run(True)
