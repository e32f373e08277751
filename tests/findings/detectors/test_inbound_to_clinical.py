"""inbound-to-clinical: a session accepted from a peer whose kind the contract lets answer nothing."""

from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import IN, TALK, Bench, S, ids


def test_a_pump_that_accepts_a_session(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    (found,) = bench.judge([bench.edge(pump, desk, 8080, direction=IN)])
    assert found.id == "inbound-to-clinical"
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) accepted a session from the office workstation "
        "00:d0:75:18:00:01 (Maker) "
        "on TCP port 8080, and an infusion pump only begins sessions to such peers, it accepts none."
    )


def test_a_never_is_a_breach(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    assert ids(bench.judge([bench.edge(pump, desk, 23, direction=IN)])) == ["contract-breach"]


def test_where_the_contract_answers_such_peers_it_is_a_breach(bench: Bench) -> None:
    pump, modality, desk = bench.add("infusion-pump"), bench.add("imaging-modality"), bench.add("office-workstation")
    site = bench.edge(pump, "10.1.1.1", 9999, direction=IN)
    assert ids(bench.judge([site, bench.edge(modality, desk, 9999, direction=IN)])) == ["contract-breach"] * 2


def test_its_own_server_may(bench: Bench) -> None:
    pump, server = bench.add("infusion-pump"), bench.add("pump-gateway")
    assert not bench.judge([bench.edge(pump, server, 443, direction=IN)])


def test_its_gates(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    for gates in (0, int(EdgeGate.ANSWERED), int(TALK & ~EdgeGate.INITIATOR_KNOWN)):
        assert not bench.judge([bench.edge(pump, desk, 8080, direction=IN, gates=gates)])
    bench.engine.declare(ChangeWindow("*", bench.now_ns, bench.now_ns + 60 * S))
    assert not bench.judge([bench.edge(pump, desk, 8080, direction=IN)])


def test_ftp_data_belongs_to_its_session(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    edges = [bench.edge(pump, desk, 21, direction=IN), bench.edge(pump, desk, 47947, direction=IN)]
    assert ids(bench.judge(edges)) == ["contract-breach"]
    assert not bench.judge([bench.edge(pump, desk, 50001, direction=IN)])


def test_a_guessed_role_waits(bench: Bench) -> None:
    pump, desk = bench.add("infusion-pump", confidence=0.4), bench.add("office-workstation")
    assert not bench.judge([bench.edge(pump, desk, 8080, direction=IN)])
    bench.devices[pump].confidence = 0.9
    assert ids(bench.judge(interval_closed=True)) == ["inbound-to-clinical"]
