"""contract-breach: a never without a gate; anything else outside only when it happened, and only for clinical roles."""

import pytest

from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from agent.findings.settings import ChangeWindow, JudgeSettings
from tests.findings.bench import DATAGRAMS, IN, OUT, SESSION, START_NS, TALK, Bench, S, ids

REFUSED = int(EdgeGate.REFUSED | EdgeGate.INITIATOR_KNOWN)


def test_telnet_to_a_pump(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    (found,) = bench.judge([bench.edge(pump, desk, 23, direction=IN)])
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) answered the office workstation 00:d0:75:18:00:01 (Maker) on "
        "TCP port 23 (Telnet), which an infusion pump must never do."
    )
    assert dict(found.evidence)["source"].startswith("FDA")  # type: ignore[union-attr]
    assert found.cause == "contract-breach|00:d0:75:18:00:00|10.20.30.101|in|tcp|23"


@pytest.mark.parametrize("gates", [0, REFUSED, int(EdgeGate.REFUSED), int(EdgeGate.ANSWERED), SESSION, TALK])
def test_a_never_has_no_gate(bench: Bench, gates: int) -> None:
    monitor = bench.add("patient-monitor")
    assert ids(bench.judge([bench.edge(monitor, "203.0.113.9", 515, gates=gates)])) == ["contract-breach"]


def test_a_never_holds_in_a_change_window() -> None:
    bench = Bench(settings=JudgeSettings(change_windows=(ChangeWindow("*", START_NS, START_NS + 60 * S),)))
    pump = bench.add("infusion-pump")
    assert ids(bench.judge([bench.edge(pump, "10.1.1.1", 23, direction=IN)])) == ["contract-breach"]
    assert not bench.judge([bench.edge(pump, "10.1.1.1", 9999)])
    assert ids(bench.judge([bench.edge(pump, "10.1.1.1", 9999)], after_ns=60 * S)) == ["contract-breach"]


@pytest.mark.parametrize("gates", [TALK, SESSION, DATAGRAMS])
def test_outside_a_clinical_contract(bench: Bench, gates: int) -> None:
    (found,) = bench.judge([bench.edge(bench.add("infusion-pump"), "10.1.1.1", 22, gates=gates)])
    assert found.severity is Severity.PAGE
    assert found.sentence.endswith("10.1.1.1 on TCP port 22 (SSH), which no infusion pump normally does.")


@pytest.mark.parametrize(
    "gates",
    [
        0,
        REFUSED,
        int(EdgeGate.ANSWERED | EdgeGate.INITIATOR_KNOWN),
        int(EdgeGate.EXCHANGED | EdgeGate.INITIATOR_KNOWN),
        int(TALK & ~EdgeGate.INITIATOR_KNOWN),
    ],
)
def test_outside_needs_its_gates(bench: Bench, gates: int) -> None:
    assert not bench.judge([bench.edge(bench.add("infusion-pump"), "10.1.1.1", 22, gates=gates)])


@pytest.mark.parametrize(
    "role", ["printer", "clinical-workstation", "building-control", "unknown", "phone", "ventilator"]
)
def test_outside_is_nothing_for_other_roles(bench: Bench, role: str) -> None:
    said = ids(bench.judge([bench.edge(bench.add(role), "10.1.1.1", 9999)]))
    assert said == (["contract-breach"] if role == "ventilator" else [])


def test_a_guessed_role_does_not_page(bench: Bench) -> None:
    pump = bench.add("infusion-pump", confidence=0.5)
    assert not bench.judge([bench.edge(pump, "10.1.1.1", 22)])
    (never,) = bench.judge([bench.edge(pump, "10.1.1.1", 23, direction=IN)])
    assert never.severity is Severity.REVIEW
    bench.devices[pump].confidence = 0.8
    later = bench.judge(interval_closed=True)
    assert sorted(ids(later)) == ["contract-breach", "contract-breach"]
    assert {f.severity for f in later} == {Severity.PAGE}


def test_a_gateway_is_never_judged(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("infusion-pump", gateway=True), "10.1.1.1", 23, direction=IN)])


def test_a_slot_that_was_given_to_another_device_is_not_blamed(bench: Bench) -> None:
    device = bench.add("unknown")
    assert not bench.judge([bench.edge(device, "10.1.1.1", 22)])
    bench.devices[device].role, bench.devices[device].first_ns = "infusion-pump", bench.now_ns + 10 * S
    assert not bench.judge(after_ns=20 * S)


def test_one_service_of_many_pumps_is_one_cause(bench: Bench) -> None:
    said = bench.judge([bench.edge(bench.add("infusion-pump"), "10.1.1.1", 9999) for _ in range(20)])
    assert len(said) == 3
    assert said[-1].cause == "contract-breach|infusion-pump|out|tcp|9999"
    assert said[-1].severity is Severity.PAGE


def test_ftp_data_is_part_of_the_ftp_session(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    first = bench.judge(
        [bench.edge(pump, "10.1.1.1", 21, direction=IN), bench.edge(pump, "10.1.1.1", 47947, direction=IN)]
    )
    assert len(first) == 1
    assert not bench.judge([bench.edge(pump, "10.1.1.1", 50000)])
    assert ids(bench.judge([bench.edge(pump, "10.1.1.2", 50000)])) == ["contract-breach"]


def test_a_peer_that_just_came_may_yet_say_what_it_is(bench: Bench) -> None:
    central, ventilator = bench.add("central-station"), bench.add("unknown")
    edge = bench.edge(central, ventilator, 41083)
    assert not bench.judge([edge], after_ns=5 * S)
    bench.devices[ventilator].role = "ventilator"
    assert not bench.judge(after_ns=60 * S, interval_closed=True)
    stranger = bench.add("unknown", first_ns=bench.now_ns)
    assert not bench.judge([bench.edge(central, stranger, 41083)], after_ns=5 * S)
    assert ids(bench.judge(after_ns=60 * S, interval_closed=True)) == ["contract-breach"]


def test_a_stranger_on_a_port_that_no_role_would_excuse_does_not_wait(bench: Bench) -> None:
    modality, stranger = bench.add("imaging-modality"), bench.add("unknown")
    assert ids(bench.judge([bench.edge(modality, stranger, 5985, direction=IN)])) == ["contract-breach"]


BENIGN = [
    ("infusion-pump", "255.255.255.255", 67, 17, OUT),
    ("infusion-pump", "10.20.30.10", 67, 17, OUT),
    ("infusion-pump", "10.20.30.10", 68, 17, IN),
    ("infusion-pump", "10.20.30.10", 53, 17, OUT),
    ("infusion-pump", "10.99.0.53", 53, 17, OUT),  # the other name server, when the first is down
    ("infusion-pump", "10.99.0.53", 53, 6, OUT),
    ("infusion-pump", "10.20.30.10", 123, 17, OUT),
    ("infusion-pump", "10.20.30.13", 3613, 6, OUT),
    ("infusion-pump", "224.0.0.251", 5353, 17, OUT),
    ("infusion-pump", "10.20.30.1", 0x0800, 1, OUT),
    ("infusion-pump", "10.5.5.5", 514, 17, OUT),
    ("patient-monitor", "10.20.30.130", 24105, 17, IN),
    ("patient-monitor", "10.20.30.255", 24005, 17, OUT),
    ("patient-monitor", "10.20.30.11", 2575, 6, OUT),
    ("patient-monitor", "10.20.30.171", 9100, 6, OUT),
    ("central-station", "10.20.30.121", 24105, 17, OUT),
    ("ventilator", "10.20.30.14", 6464, 6, IN),
    ("imaging-modality", "10.20.30.12", 104, 6, OUT),
    ("imaging-modality", "10.20.30.12", 11112, 6, IN),
    ("imaging-modality", "10.20.8.25", 445, 6, OUT),
    ("pacs", "10.20.30.151", 104, 6, IN),
    ("pacs", "10.20.30.161", 11112, 6, OUT),
    ("pacs", "10.20.30.161", 443, 6, IN),
    ("clinical-workstation", "10.20.8.20", 443, 6, OUT),
    ("clinical-workstation", "10.20.30.171", 9100, 6, OUT),
    ("printer", "10.20.30.161", 9100, 6, IN),
    ("printer", "10.20.30.161", 515, 6, IN),
]


@pytest.mark.parametrize(("role", "peer", "port", "protocol", "direction"), BENIGN)
def test_ordinary_work_is_silent(bench: Bench, role: str, peer: str, port: int, protocol: int, direction: int) -> None:
    device = bench.add(role)
    gates = TALK if protocol == 6 else DATAGRAMS
    edge = bench.edge(device, peer, port, protocol=protocol, direction=direction, gates=gates)
    assert not bench.judge([edge], interval_closed=True, frames=1000)


def test_sdc_reports_on_agreed_ports_are_silent(bench: Bench) -> None:
    ventilator, central = bench.add("ventilator"), bench.add("central-station")
    edges = [bench.edge(ventilator, central, 6464, direction=IN), bench.edge(ventilator, central, 53211)]
    edges += [bench.edge(central, ventilator, 6464), bench.edge(central, ventilator, 53211, direction=IN)]
    assert not bench.judge(edges)


def test_a_server_that_is_down_for_hours_is_silent(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    for _ in range(200):
        assert not bench.judge([bench.edge(pump, "10.20.30.13", 3613, gates=REFUSED)], after_ns=60 * S)
