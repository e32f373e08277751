"""rogue-dhcp: a second server that gives another gateway or name server."""

from agent.devices.records import Grant
from agent.findings.records import Finding, Severity
from tests.findings.bench import Bench, ids

ROUTER, SERVER, ROGUE = 0x0A290701, 0x0A29070A, 0x0A290742


def grants(bench: Bench, server: int, router: int = ROUTER, dns: int = SERVER, message: str = "offer") -> list[Finding]:
    """A turn in which a server gives an address."""
    given = Grant(bench.now_ns, bench.mac(server), 0x00D075183C04, message, 0x0A290785, router, router, dns)
    return bench.judge(grants=(given,))


def test_a_server_that_gives_itself_as_the_gateway(bench: Bench) -> None:
    server, board = bench.add("hospital-server"), bench.add("iot-other")
    assert not grants(bench, server)
    (found,) = grants(bench, board, ROGUE, ROGUE)
    assert found.id == "rogue-dhcp"
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:01 (Maker) gives out addresses by DHCP with gateway 10.41.7.66 and name server "
        "10.41.7.66, while the server that was here before gives 10.41.7.1 and 10.41.7.10: who takes its offer sends "
        "everything through it."
    )
    assert not grants(bench, board, ROGUE, ROGUE), "once"


def test_a_partner_gives_the_same(bench: Bench) -> None:
    assert not grants(bench, bench.add("hospital-server"))
    partner = bench.add("hospital-server")
    assert not grants(bench, partner)
    assert not grants(bench, partner, dns=ROGUE), "a known server may change what it gives"


def test_a_relay_is_no_server(bench: Bench) -> None:
    assert not grants(bench, bench.add("hospital-server"))
    assert not grants(bench, bench.add("network-gear", gateway=True), ROGUE, ROGUE)


def test_a_server_that_gives_nothing_to_go_by(bench: Bench) -> None:
    assert not grants(bench, bench.add("hospital-server"))
    assert not grants(bench, bench.add("unknown"), 0, 0)
    other = bench.add("unknown")
    stray = Grant(bench.now_ns, bench.mac(other), 0x00D075183C04, "ack", 0xC0A8000A, 0xC0A80001, 0, 0)
    (found,) = bench.judge(grants=(stray,))
    assert "its 192.168.0.10 is of another network, and who takes it is cut off" in found.sentence


def test_another_name_server_alone_is_enough(bench: Bench) -> None:
    assert not grants(bench, bench.add("hospital-server"))
    assert ids(grants(bench, bench.add("unknown"), dns=ROGUE)) == ["rogue-dhcp"]
