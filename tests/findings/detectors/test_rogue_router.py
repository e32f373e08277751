"""rogue-router: who was there first is the ward's; a new one, or one under another's address, is not."""

import pytest

from agent.findings.detectors.rogue_router import A_TURN_MAX, KIND, ROUTERS_MAX
from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import START_NS, Bench, ids


def advertises(bench: Bench, slot: int, address: str = "fe80::1", word: str = "default", **more: bool) -> list[Finding]:
    """A turn in which it does."""
    return bench.judge(sightings=[bench.sighting(KIND, word, slot, sender=address)], **more)


@pytest.fixture
def router(bench: Bench) -> int:
    """The ward's router, heard."""
    slot = bench.add("network-gear", gateway=True)
    assert not advertises(bench, slot)
    return slot


def test_a_new_router_pages_once(bench: Bench, router: int) -> None:
    board = bench.add("iot-other")
    (found,) = advertises(bench, board, "fe80::2")
    assert (found.id, found.severity, found.mac) == ("rogue-router", Severity.PAGE, bench.mac(board))
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:01 (Maker) advertises itself as an IPv6 router while others did before: who "
        "believes it sends everything through it."
    )
    assert not advertises(bench, board, "fe80::2")
    assert not advertises(bench, router)


def test_the_known_router_again_and_again(bench: Bench, router: int) -> None:
    assert not any(advertises(bench, router, f"fe80::{n:x}") for n in range(1, 50))


def test_one_that_kills_the_router_in_its_name(bench: Bench, router: int) -> None:
    (found,) = advertises(bench, bench.add("unknown"), "fe80::1", "no-default", settled=False)
    assert found.severity is Severity.PAGE
    assert "the address of the router network device 00:d0:75:18:00:00" in found.sentence
    assert "who believes it is cut off" in found.sentence
    assert not advertises(bench, router)


def test_an_impostor_who_was_heard_first(bench: Bench) -> None:
    board, router = bench.add("iot-other"), bench.add("unknown", mac=0x64006A5B8EB3)
    assert not advertises(bench, board, "fe80::6600:6aff:fe5b:8eb3", "no-default")
    (found,) = advertises(bench, router, "fe80::6600:6aff:fe5b:8eb3")
    assert (found.mac, found.severity) == (bench.mac(board), Severity.PAGE)
    assert not advertises(bench, router, "fe80::6600:6aff:fe5b:8eb3")
    assert not advertises(bench, board, "fe80::6600:6aff:fe5b:8eb3", "no-default"), "said"


def test_a_hub_without_a_way_out_is_a_review(bench: Bench, router: int) -> None:
    (found,) = advertises(bench, bench.add("media-player"), "fe80::2", "no-default")
    assert found.severity is Severity.REVIEW
    assert router == 0


def test_a_second_router_of_the_ward_while_the_tap_settles(bench: Bench, router: int) -> None:
    second = bench.add("unknown")
    assert not advertises(bench, second, "fe80::2", settled=False)
    assert not advertises(bench, second, "fe80::2")
    assert ids(advertises(bench, bench.add("office-workstation"), "fe80::3", settled=False)) == ["rogue-router"]
    assert router == 0


def test_shared_cards_and_declared_changes(bench: Bench, router: int) -> None:
    assert not advertises(bench, bench.add("unknown", mac=0x00005E000201), "fe80::2")
    bench.engine.declare(ChangeWindow("network-gear", START_NS, START_NS + 10**13))
    new = bench.add("unknown")
    assert not advertises(bench, new, "fe80::3")
    assert router == 0


def test_a_flood_of_invented_routers_is_bounded(bench: Bench, router: int) -> None:
    cards = [bench.add("unknown") for _ in range(3 * ROUTERS_MAX)]
    sightings = [bench.sighting(KIND, "default", card, sender=f"fe80::{card:x}") for card in cards]
    assert len(bench.judge(sightings=sightings)) <= A_TURN_MAX
    assert not advertises(bench, router), "the ward's own is still known"
