"""neighbour-changed: an IPv6 address moves to another card while its holder is still there."""

import pytest

from agent.findings.detectors.neighbour_changed import ROUTER, SAYS
from agent.findings.records import Finding, Severity
from tests.findings.bench import Bench, ids


def claims(bench: Bench, slot: int, address: str = "2001:db8::10", word: str = "host", **more: int) -> list[Finding]:
    """A turn in which a device claims an address."""
    return bench.judge(sightings=[bench.sighting(SAYS, word, slot, address=address, **more)])


def test_somebody_claims_the_routers_address(bench: Bench) -> None:
    router, board = bench.add("network-gear", gateway=True), bench.add("iot-other")
    assert not claims(bench, router, "fe80::1", "router")
    (found,) = claims(bench, board, "fe80::1", "router")
    assert (found.id, found.severity, found.mac) == ("neighbour-changed", Severity.PAGE, bench.mac(board))
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:01 (Maker) claims by neighbour discovery the IPv6 address fe80::1, which "
        "belongs to the router network device 00:d0:75:18:00:00 (Maker), and that one is still there."
    )
    assert not claims(bench, router, "fe80::1", "router"), "the owner claims it back"
    assert not claims(bench, board, "fe80::1", "router"), "the same quarrel"


@pytest.mark.parametrize(("role", "severity"), [("pacs", Severity.PAGE), ("printer", Severity.REVIEW)])
def test_whose_address_it_is(bench: Bench, role: str, severity: Severity) -> None:
    assert not claims(bench, bench.add(role))
    assert [f.severity for f in claims(bench, bench.add("unknown"))] == [severity]


def test_a_routers_advertisement_names_its_address(bench: Bench) -> None:
    router, board = bench.add("unknown"), bench.add("unknown")
    assert not bench.judge(sightings=[bench.sighting(ROUTER, "default", router, sender="fe80::1")])
    assert [f.severity for f in claims(bench, board, "fe80::1", "router")] == [Severity.PAGE]


def test_who_is_gone_has_given_it_away(bench: Bench) -> None:
    old = bench.add("pacs", last_ns=bench.now_ns)
    assert not claims(bench, old)
    bench.now_ns += 120 * 10**9
    assert not claims(bench, bench.add("unknown"))


def test_a_proxy_that_names_the_owners_card_claims_nothing(bench: Bench) -> None:
    owner, controller = bench.add("tablet"), bench.add("network-gear")
    assert not claims(bench, owner)
    assert not claims(bench, controller, subject=bench.mac(owner))


def test_shared_cards_move_by_design(bench: Bench) -> None:
    assert not claims(bench, bench.add("network-gear"), "fe80::1", "router")
    assert not claims(bench, bench.add("network-gear", mac=0x00005E000201), "fe80::1", "router")


def test_many_addresses_are_few_findings(bench: Bench) -> None:
    owner, board = bench.add("pacs"), bench.add("unknown")
    addresses = [f"2001:db8::{n:x}" for n in range(1, 100)]
    assert not bench.judge(sightings=[bench.sighting(SAYS, "host", owner, address=a) for a in addresses])
    said = bench.judge(sightings=[bench.sighting(SAYS, "host", board, address=a) for a in addresses])
    assert set(ids(said)) == {"neighbour-changed"}
    assert len(said) <= 3


def test_an_address_belongs_to_the_card_it_was_made_of(bench: Bench) -> None:
    board, router = bench.add("iot-other"), bench.add("network-gear", mac=0x64006A5B8EB3)
    assert not claims(bench, board, "fe80::6600:6aff:fe5b:8eb3", "router"), "first heard"
    (found,) = claims(bench, router, "fe80::6600:6aff:fe5b:8eb3", "router")
    assert found.mac == bench.mac(board)


def test_an_address_of_nobody(bench: Bench) -> None:
    assert not claims(bench, bench.add("unknown"), "::")
    assert not claims(bench, bench.add("unknown"), "::")
