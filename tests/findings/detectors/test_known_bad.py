"""known-bad-destination: any sign of a listed address, worded as the list words it."""

from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from tests.findings.bench import IN, Bench, ids


def test_a_contec_monitor_that_calls_home(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    (found,) = bench.judge([bench.edge(monitor, "202.114.4.119", 2049, gates=int(EdgeGate.REFUSED))])
    assert found.id == "known-bad-destination"
    assert found.severity is Severity.PAGE
    assert "no proof that this device is compromised" in found.sentence
    assert ("list", "202.114.4.0/24") in found.evidence


def test_it_is_one_cause_whatever_it_tries(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    edges = [bench.edge(monitor, f"202.114.4.{n}", port) for n in (119, 120) for port in (515, 2049, 80)]
    assert ids(bench.judge(edges)) == ["known-bad-destination"]


def test_a_device_of_any_role_and_either_direction(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert ids(bench.judge([bench.edge(guest, "202.114.4.119", 80, direction=IN)])) == ["known-bad-destination"]


def test_neighbours_of_the_list_are_ordinary(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert not bench.judge([bench.edge(guest, "202.114.5.119", 80), bench.edge(guest, "202.114.3.255", 80)])


def test_what_a_gateway_carries_is_not_its_own(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("network-gear", gateway=True), "202.114.4.119", 80)])
