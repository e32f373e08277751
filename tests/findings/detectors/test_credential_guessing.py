"""credential-guessing: many short sessions; monitoring, long sessions and file transfers are none."""

import pytest

from agent.devices.records import NO_SLOT
from agent.findings.records import Finding, Severity
from tests.findings.bench import IN, Bench, ids


def tries(bench: Bench, device: int, peer: str | int, count: int, port: int = 22, **fields: int) -> list[Finding]:
    """A minute with so many sessions of forty packets."""
    given = {"flows": count, "packets_out": 22 * count, "packets_in": 18 * count}
    given |= {"octets_out": 2000 * count, "octets_in": 2500 * count}
    return bench.interval([bench.edge(device, peer, port, **given | fields)])


def test_a_guesser(bench: Bench) -> None:
    guest, server = bench.add("unknown"), bench.add("hospital-server")
    assert not tries(bench, guest, server, 6)
    (found,) = tries(bench, guest, server, 6)
    assert (found.id, found.severity) == ("credential-guessing", Severity.REVIEW)
    assert "opened 12 short sessions to the hospital server" in found.sentence
    assert found.mac == bench.mac(guest)


def test_a_clinical_target_pages(bench: Bench) -> None:
    guest, pump = bench.add("unknown"), bench.add("infusion-pump")
    assert tries(bench, guest, pump, 20)[0].severity is Severity.PAGE


def test_from_outside_the_target_is_named(bench: Bench) -> None:
    pacs = bench.add("pacs")
    (found,) = tries(bench, pacs, "10.9.9.9", 20, direction=IN, peer_device=NO_SLOT)
    assert (found.id, found.severity, found.mac) == ("credential-guessing", Severity.PAGE, bench.mac(pacs))


@pytest.mark.parametrize(
    "fields",
    [
        {"count": 1},  # a monitoring system
        {"count": 12, "packets_in": 100_000},  # work is done in them
        {"count": 12, "octets_in": 9_000_000},
        {"count": 11, "port": 21},  # an analyser that delivers every five seconds
        {"count": 500, "port": 443},
        {"count": 500, "port": 445},
        {"count": 12, "gates": 0},
    ],
)
def test_ordinary_sessions_are_silent(bench: Bench, fields: dict[str, int]) -> None:
    guest, server = bench.add("unknown"), bench.add("hospital-server")
    count = fields.pop("count")
    assert not [f for _ in range(30) for f in tries(bench, guest, server, count, **fields)]


def test_one_guesser_on_many_targets_is_one_cause(bench: Bench) -> None:
    guest, servers = bench.add("unknown"), [bench.add("hospital-server") for _ in range(9)]
    given = {"flows": 20, "packets_out": 400, "packets_in": 400, "octets_out": 9000, "octets_in": 9000}
    assert len(bench.interval([bench.edge(guest, s, 22, **given) for s in servers])) == 4


def test_a_gateway_carries_other_peoples_sessions(bench: Bench) -> None:
    assert not ids(tries(bench, bench.add("network-gear", gateway=True), "10.1.1.1", 50))
