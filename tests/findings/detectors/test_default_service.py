"""default-service: Telnet or FTP that answers on a pump, a monitor or a modality; once for each."""

from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from tests.findings.bench import IN, Bench, ids


def test_a_monitor_that_offers_telnet(bench: Bench) -> None:
    monitor, desk = bench.add("patient-monitor"), bench.add("office-workstation")
    (found,) = bench.interval([bench.edge(monitor, desk, 23, direction=IN)])
    assert found.id == "default-service"
    assert found.severity is Severity.REVIEW
    assert "offers Telnet on TCP port 23, which it answered to the office workstation" in found.sentence


def test_it_is_said_once_for_each_service(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    edges = [bench.edge(monitor, f"10.1.1.{n}", port, direction=IN) for n in range(9) for port in (21, 23)]
    assert ids(bench.interval(edges)) == ["default-service"] * 2
    assert not bench.interval(edges)


def test_other_roles_and_refusals_are_no_finding(bench: Bench) -> None:
    refused = bench.edge(bench.add("patient-monitor"), "10.1.1.1", 23, direction=IN, gates=int(EdgeGate.REFUSED))
    other = bench.edge(bench.add("hospital-server"), "10.1.1.1", 21, direction=IN)
    asks = bench.edge(bench.add("imaging-modality"), "10.1.1.1", 21)
    assert not bench.interval([refused, other, asks])
