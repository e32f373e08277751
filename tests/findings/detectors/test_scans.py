"""Scans: one cause, whoever sees its pieces, and a page only when it must be."""

import pytest

from agent.devices.records import EdgeGate, FanKind, Scope
from agent.findings.detectors.scans import OPEN_NS
from agent.findings.records import Severity
from agent.packets.records import Application
from tests.findings.bench import HOUR, IN, START_NS, Bench, S, ids, split

REFUSED = int(EdgeGate.REFUSED | EdgeGate.INITIATOR_KNOWN)


def test_a_pump_that_looks_for_file_sharing(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    (found,) = bench.judge(fans=[bench.sweep(pump)])
    assert (found.id, found.severity) == ("smb-spread", Severity.PAGE)
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) tried TCP port 445 (SMB) on 14 different addresses within 9 seconds; "
        "none of them answered, and no infusion pump searches like that."
    )
    assert found.cause == "smb-spread|00:d0:75:18:00:00"
    assert "T1210" in found.attack
    assert dict(found.evidence)["failed"] == 14
    assert found.first_ns == START_NS - 9 * S


@pytest.mark.parametrize(
    ("role", "severity"),
    [("infusion-pump", "page"), ("unknown", "review"), ("office-workstation", "review"), ("hospital-server", "review")],
)
def test_severity_of_a_sweep_follows_the_source(bench: Bench, role: str, severity: str) -> None:
    (found,) = bench.judge(fans=[bench.sweep(bench.add(role), port=8080)])
    assert (found.id, found.severity) == ("host-sweep", severity)


def test_a_guessed_clinical_role_does_not_page(bench: Bench) -> None:
    (found,) = bench.judge(fans=[bench.sweep(bench.add("infusion-pump", confidence=0.4), port=8080)])
    assert found.severity is Severity.REVIEW


def test_few_failures_on_445_are_a_host_sweep_unless_smb1_is_spoken(bench: Bench) -> None:
    calm, worm = bench.add("office-workstation"), bench.add("office-workstation")
    edge = bench.edge(worm, "10.1.1.1", 445, application=Application.SMB1)
    said = bench.judge([edge], [bench.sweep(calm, failed=9), bench.sweep(worm, failed=9)])
    assert sorted(ids(said)) == ["host-sweep", "smb-spread"]


@pytest.mark.parametrize("port", [23, 2323])
def test_telnet_on_many_hosts(bench: Bench, port: int) -> None:
    (found,) = bench.judge(fans=[bench.sweep(bench.add("unknown"), port=port, scope=Scope.INTERNET)])
    assert (found.id, found.severity) == ("telnet-spread", Severity.PAGE)
    assert "different public addresses" in found.sentence


def test_a_port_scan_names_its_target(bench: Bench) -> None:
    source, target = bench.add("unknown"), bench.add("pacs")
    hi, lo = split("10.20.30.101")
    edges = [bench.edge(source, target, port, gates=REFUSED) for port in range(1, 25)]
    (found,) = bench.judge(edges, [bench.fan(source, FanKind.PORTS, 24, peer_hi=hi, peer_lo=lo, failed=22, answered=2)])
    assert found.id == "port-scan"
    assert "tried 24 different ports of the PACS 00:d0:75:18:00:01 (Maker)" in found.sentence
    assert "22 of them refused or never answered" in found.sentence
    assert found.cause == "port-scan|00:d0:75:18:00:00|10.20.30.101"


def test_an_unknown_scanner_pages_once_a_clinical_device_answered(bench: Bench) -> None:
    source, pacs = bench.add("unknown"), bench.add("pacs")
    edge = bench.edge(source, pacs, 104)
    assert not bench.judge([edge])
    (found,) = bench.judge(fans=[bench.sweep(source, port=104)])
    assert found.severity is Severity.PAGE
    assert dict(found.evidence)["answered-by-clinical-devices"] == 1


def test_a_later_answer_raises_a_review_to_a_page_once(bench: Bench) -> None:
    source, pump = bench.add("unknown"), bench.add("infusion-pump")
    (first,) = bench.judge(fans=[bench.sweep(source, port=80)])
    assert first.severity is Severity.REVIEW
    (worse,) = bench.judge([bench.edge(source, pump, 80)])
    assert (worse.cause, worse.severity) == (first.cause, Severity.PAGE)
    assert not bench.judge([bench.edge(source, pump, 80)])


def test_an_answer_on_another_service_does_not_count(bench: Bench) -> None:
    source, pacs = bench.add("unknown"), bench.add("pacs")
    assert not bench.judge([bench.edge(source, pacs, 104)])
    (found,) = bench.judge(fans=[bench.sweep(source, port=8080)])
    assert found.severity is Severity.REVIEW


def test_two_hundred_breaches_are_one_sweep(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    others = [bench.add("patient-monitor") for _ in range(200)]
    out = [bench.edge(pump, other, 445) for other in others]
    back = [bench.edge(other, pump, 445, direction=IN) for other in others]
    assert ids(bench.judge([*out, *back], [bench.sweep(pump)])) == ["smb-spread"]
    assert not bench.judge([*out, *back], interval_closed=True)
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True)
    assert (again.id, again.count) == ("smb-spread", 801)


def test_breaches_that_came_first_fold_into_the_sweep(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    first = bench.judge([bench.edge(pump, f"10.1.1.{n}", 445) for n in (1, 2)])
    assert ids(first) == ["contract-breach", "contract-breach"]
    (sweep,) = bench.judge(fans=[bench.sweep(pump)])
    assert dict(sweep.evidence)["earlier-findings-folded"] == 2
    assert not bench.judge([bench.edge(pump, f"10.1.1.{n}", 445) for n in (1, 2, 3)])


def test_other_services_of_the_scanner_are_still_judged(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    said = bench.judge([bench.edge(pump, "203.0.113.9", 4444)], [bench.sweep(pump)])
    assert sorted(ids(said)) == ["internet-contact", "smb-spread"]


def test_file_sharing_on_both_of_its_ports_is_one_cause(bench: Bench) -> None:
    worm = bench.add("office-workstation")
    assert ids(bench.judge(fans=[bench.sweep(worm, port=139), bench.sweep(worm, port=445)])) == ["smb-spread"]
    assert not bench.judge([bench.edge(worm, "10.1.1.9", 139), bench.edge(worm, "10.1.1.9", 445)])


def test_a_broad_scan_is_one_cause(bench: Bench) -> None:
    source = bench.add("unknown")
    said = bench.judge(fans=[bench.sweep(source, port=port) for port in range(8000, 8040)])
    assert len(said) == 4
    assert said[-1].cause == "broad-scan|00:d0:75:18:00:00"


def test_a_fan_that_grows_is_not_said_again(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert bench.judge(fans=[bench.sweep(pump, tried=14)])
    assert not bench.judge(fans=[bench.sweep(pump, tried=56)])
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True)
    assert "on 56 different addresses" in again.sentence


def test_a_gateway_is_never_a_scanner(bench: Bench) -> None:
    assert not bench.judge(fans=[bench.sweep(bench.add("unknown", gateway=True))])


def test_edges_are_judged_again_when_the_scan_is_long_over(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert bench.judge(fans=[bench.sweep(pump)])
    assert not bench.judge([bench.edge(pump, "10.1.1.9", 445)])
    assert ids(bench.judge([bench.edge(pump, "10.1.1.8", 445)], after_ns=OPEN_NS + 2 * S)) == ["contract-breach"]


def test_a_slot_of_another_device_does_not_inherit_the_scan(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert bench.judge(fans=[bench.sweep(pump)])
    bench.devices[pump].mac = 0x00D075FF0000
    assert ids(bench.judge([bench.edge(pump, "10.1.1.9", 445)])) == ["contract-breach"]


def test_fans_of_slots_that_do_not_exist_are_nothing(bench: Bench) -> None:
    bench.add("infusion-pump")
    assert not bench.judge(fans=[bench.sweep(4000), bench.fan(4000, FanKind.ARP, 500)])
