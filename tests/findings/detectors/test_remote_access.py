"""remote-access-tool: by port or by content, outside the contract; without a contract only to a public peer."""

import pytest

from agent.devices.baseline import Order
from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from agent.findings.settings import ChangeWindow
from agent.packets.records import Application
from tests.findings.bench import IN, Bench, S, ids

TOOL = ["remote-access-tool"]


def test_a_modality_that_is_steered(bench: Bench) -> None:
    modality, desk = bench.add("imaging-modality"), bench.add("office-workstation")
    (found,) = bench.judge([bench.edge(modality, desk, 3389, direction=IN)])
    assert found.id == "remote-access-tool"
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Imaging modality 00:d0:75:18:00:00 (Maker) was steered from the office workstation 00:d0:75:18:00:01 "
        "(Maker) by "
        "RDP on TCP port 3389 (RDP), which an imaging modality does not normally need."
    )


@pytest.mark.parametrize(("port", "application"), [(5938, 0), (6568, 0), (5901, 0), (443, int(Application.VNC))])
def test_tools_by_port_and_by_content(bench: Bench, port: int, application: int) -> None:
    said = bench.judge([bench.edge(bench.add("phone"), "203.0.113.7", port, application=application)])
    assert ids(said) == TOOL
    assert said[0].severity is Severity.REVIEW


def test_a_public_peer_of_a_pump_is_one_cause(bench: Bench) -> None:
    assert ids(bench.judge([bench.edge(bench.add("infusion-pump"), "203.0.113.7", 5938)])) == TOOL


def test_inside_the_site_a_role_without_a_contract_may(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("office-workstation"), "10.1.1.1", 3389)])


def test_what_a_contract_names_is_no_finding(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("clinical-workstation"), "10.1.1.1", 443)])


def test_an_attempt_a_window_and_an_approval(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert not bench.judge([bench.edge(pump, "10.1.1.1", 5900, gates=int(EdgeGate.REFUSED))])
    bench.engine.declare(ChangeWindow("infusion-pump", bench.now_ns, bench.now_ns + 60 * S))
    assert not bench.judge([bench.edge(pump, "10.1.1.1", 5900)])
    assert ids(bench.judge([bench.edge(pump, "10.1.1.1", 5900)], after_ns=60 * S)) == TOOL
    bench.baseline.order_device(Order.APPROVE, bench.mac(pump), bench.now_ns)
    assert not bench.judge([bench.edge(pump, "10.1.1.2", 5900)])


def test_a_gateway_and_a_guess_are_not_judged(bench: Bench) -> None:
    gateway, guess = bench.add("phone", gateway=True), bench.add("infusion-pump", confidence=0.4)
    assert not bench.judge([bench.edge(gateway, "203.0.113.7", 5938), bench.edge(guess, "10.1.1.1", 5938)])
