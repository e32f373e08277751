"""flood: datagrams that nobody answers, sessions that nobody completes."""

import pytest

from agent.devices.records import EdgeGate, Scope
from agent.findings.records import Finding, Rows, Severity
from tests.findings.bench import TALK, Bench, ids

HALF = int(EdgeGate.ANSWERED | EdgeGate.INITIATOR_KNOWN)


def storm(bench: Bench, device: int, peer: str | int, packets: int = 40_000, **fields: int) -> Rows:
    """A minute of datagrams without an answer."""
    port = fields.pop("port", 9999)
    return bench.edge(device, peer, port, **{"protocol": 17, "packets_out": packets, "packets_in": 0} | fields)


def half_open(bench: Bench, device: int, peer: str | int, flows: int = 400, **fields: int) -> Rows:
    """A minute of sessions that are not completed."""
    return bench.edge(device, peer, 80, **{"flows": flows, "gates": HALF} | fields)


def one(bench: Bench, row: Rows) -> Finding:
    """The one finding of an interval."""
    (found,) = bench.interval([row])
    return found


def test_datagrams_at_a_monitor(bench: Bench) -> None:
    guest, monitor = bench.add("unknown"), bench.add("patient-monitor")
    found = one(bench, storm(bench, guest, monitor))
    assert (found.id, found.severity) == ("flood", Severity.PAGE)
    assert "sent 40000 datagrams and got 0 back, within 60 seconds, with the patient monitor" in found.sentence


def test_half_open_sessions_at_a_server(bench: Bench) -> None:
    guest, server = bench.add("unknown"), bench.add("hospital-server")
    found = one(bench, half_open(bench, guest, server))
    assert found.severity is Severity.REVIEW
    assert "began 400 sessions and completed none" in found.sentence


@pytest.mark.parametrize(
    "fields",
    [
        {"packets": 20_000},
        {"packets_in": 1000},
        {"scope": int(Scope.MULTICAST)},
        {"protocol": 132},
    ],
)
def test_ordinary_streams_are_silent(bench: Bench, fields: dict[str, int]) -> None:
    assert not bench.interval([storm(bench, bench.add("unknown"), "10.1.1.1", **fields)])


def test_sessions_that_are_completed_or_few(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert not bench.interval([half_open(bench, guest, "10.1.1.1", gates=TALK)])
    assert not bench.interval([half_open(bench, guest, "10.1.1.1", 60)])


def test_what_a_contract_names_is_no_flood(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    assert not bench.interval([storm(bench, monitor, "10.20.30.11", port=24105)])


def test_one_flooder_is_one_cause(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert len(bench.interval([storm(bench, guest, f"10.1.1.{n}") for n in range(30)])) == 4
    assert not ids(bench.interval([storm(bench, bench.add("network-gear", gateway=True), "10.1.1.1")]))
