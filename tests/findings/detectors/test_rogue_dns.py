"""rogue-dns: who answered while the tap settled, and what DHCP gives, is right; a stranger on the segment is not."""

import pytest

from agent.devices.records import EdgeGate, Grant
from agent.findings.detectors.rogue_dns import A_TURN_MAX
from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import START_NS, Bench, ids

ROUTER, SERVER, ROGUE = 0x0A141E01, 0x0A141E0A, 0x0A141E42


def asks(bench: Bench, client: int, resolver: int | str, **more: object) -> list[Finding]:
    """A turn in which a device is answered."""
    said = bench.judge([bench.edge(client, resolver, 53, protocol=17)], **more)
    return [found for found in said if found.id == "rogue-dns"]


def gives(bench: Bench, server: int, *resolvers: int, router: int = ROUTER) -> list[Finding]:
    """A turn in which a DHCP server gives name servers."""
    grant = Grant(bench.now_ns, bench.mac(server), 1, "ack", 0x0A141E85, router, router, resolvers[0], resolvers)
    return bench.judge(grants=(grant,))


@pytest.fixture
def pump(bench: Bench) -> int:
    """A pump that asked the ward's server while the tap settled."""
    slot = bench.add("infusion-pump")
    assert not asks(bench, slot, "10.1.1.10", settled=False)
    return slot


def test_a_rogue_dhcp_server_that_answers_names(bench: Bench, pump: int) -> None:
    server, board = bench.add("hospital-server"), bench.add("iot-other")
    assert not gives(bench, server, SERVER)
    assert ids(gives(bench, board, ROGUE, router=ROGUE)) == ["rogue-dhcp"]
    (found,) = asks(bench, pump, board, settled=False)
    assert (found.id, found.severity, found.mac) == ("rogue-dns", Severity.PAGE, bench.mac(pump))
    assert found.sentence == (
        "Infusion pump 00:d0:75:18:00:00 (Maker) has its names answered by the consumer device 00:d0:75:18:00:02 "
        "(Maker) at 10.20.30.102, which also gives out addresses and is no server of the ward: it says where to "
        "connect."
    )
    assert not asks(bench, pump, board, settled=False), "once"


def test_a_stranger_on_the_segment(bench: Bench, pump: int) -> None:
    (found,) = asks(bench, pump, bench.add("unknown"))
    assert found.severity is Severity.PAGE
    assert "which answered nobody before and no known DHCP server gives" in found.sentence


def test_the_known_one_again_and_again(bench: Bench, pump: int) -> None:
    assert not any(asks(bench, client, "10.1.1.10") for client in (pump, bench.add("patient-monitor")))


def test_a_second_one_that_dhcp_gives(bench: Bench, pump: int) -> None:
    second = bench.add("unknown")
    assert not gives(bench, bench.add("hospital-server"), SERVER, 0x0A141E00 + 100 + second)
    assert not asks(bench, pump, second)


def test_a_second_server_is_a_review(bench: Bench, pump: int) -> None:
    assert [f.severity for f in asks(bench, pump, bench.add("hospital-server"))] == [Severity.REVIEW]


@pytest.mark.parametrize(("role", "many"), [("infusion-pump", 1), ("office-workstation", 0), ("hospital-server", 0)])
def test_a_resolver_elsewhere_matters_to_clinical_devices(bench: Bench, role: str, many: int) -> None:
    assert not asks(bench, bench.add("printer"), "10.1.1.10")
    said = asks(bench, bench.add(role), "10.9.9.9")
    assert [f.severity for f in said] == [Severity.REVIEW] * many


def test_an_attempt_is_no_answer(bench: Bench, pump: int) -> None:
    edge = bench.edge(pump, bench.add("unknown"), 53, protocol=17, gates=int(EdgeGate.REFUSED))
    assert "rogue-dns" not in ids(bench.judge([edge]))


def test_a_declared_change(bench: Bench, pump: int) -> None:
    bench.engine.declare(ChangeWindow("infusion-pump", START_NS, START_NS + 10**13))
    new = bench.add("unknown")
    assert not asks(bench, pump, new)
    assert not asks(bench, bench.add("patient-monitor"), new), "learned"


def test_a_flood_is_bounded(bench: Bench, pump: int) -> None:
    edges = [bench.edge(pump, f"10.20.{n >> 8}.{n & 255}", 53, protocol=17) for n in range(3 * A_TURN_MAX)]
    said = bench.judge(edges)
    assert len([f for f in said if f.id == "rogue-dns"]) <= 6
