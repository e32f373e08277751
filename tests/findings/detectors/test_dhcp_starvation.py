"""dhcp-starvation: cards that ask and are never heard again; whoever goes on is no part of it."""

import pytest

from agent.devices.records import Grant, Sighting
from agent.findings.detectors.dhcp_starvation import ASKING_MAX, CARDS_MIN, KIND
from agent.findings.records import Finding, Severity
from tests.findings.bench import Bench, S, ids

FAKE = 0x02DEAD000000


def asks(bench: Bench, source: int, cards: int, first: int = 0, word: str = "discover") -> list[Sighting]:
    """Messages of so many cards, all sent by one."""
    return [bench.sighting(KIND, word, source, subject=FAKE + first + n) for n in range(cards)]


@pytest.mark.parametrize(("role", "severity"), [("infusion-pump", Severity.PAGE), ("printer", Severity.REVIEW)])
def test_cards_that_are_never_heard_again(bench: Bench, role: str, severity: Severity) -> None:
    bench.add(role)
    thief = bench.add("unknown")
    assert not bench.judge(sightings=asks(bench, thief, CARDS_MIN // 2))
    assert not bench.judge(sightings=asks(bench, thief, CARDS_MIN // 2, CARDS_MIN))
    (found,) = bench.judge(after_ns=10 * S)
    assert (found.id, found.severity, found.mac) == ("dhcp-starvation", severity, bench.mac(thief))
    assert found.sentence == (
        "Device 00:d0:75:18:00:01 (Maker) asked for addresses by DHCP in the name of 32 different cards within a "
        "second, none of which was heard again: so a server runs out of addresses, and devices of the ward get none."
    )
    bench.judge(sightings=asks(bench, thief, 2 * CARDS_MIN, 1000))
    assert not bench.judge(after_ns=10 * S), "the same cause"


def test_each_card_sends_its_own(bench: Bench) -> None:
    server = bench.add("hospital-server")
    grant = Grant(bench.now_ns, bench.mac(server), 1, "offer", 0x0A141E85, 0, 0, 0)
    bench.judge(grants=(grant,))
    said = [s._replace(source=s.subject) for s in asks(bench, server, CARDS_MIN)]
    assert not bench.judge(sightings=said)
    (found,) = bench.judge(after_ns=10 * S)
    assert found.mac == bench.mac(server)
    assert "was asked for addresses by 32 different cards" in found.sentence


def test_a_ward_that_boots(bench: Bench) -> None:
    gateway = bench.add("network-gear", gateway=True)
    bench.judge(sightings=asks(bench, gateway, 200) + asks(bench, gateway, 200, word="request"))
    assert not bench.judge(after_ns=11 * S)


def test_a_server_that_is_down(bench: Bench) -> None:
    """Devices ask again and again, and are heard to; what the budget for readers leaves out does not matter."""
    cards = [bench.add("patient-monitor", mac=FAKE + n) for n in range(100)]
    bench.judge(sightings=asks(bench, cards[0], 100))
    assert not bench.judge(after_ns=11 * S)


def test_too_few_or_too_slow(bench: Bench) -> None:
    thief = bench.add("unknown")
    for turn in range(20):
        assert not bench.judge(sightings=asks(bench, thief, CARDS_MIN // 4, turn * 100), after_ns=20 * S)


def test_other_messages_and_nobody(bench: Bench) -> None:
    server = bench.add("unknown")
    bench.judge(sightings=asks(bench, server, 100, word="inform"))
    bench.judge(sightings=[bench.sighting(KIND, "discover", server)] * 100)
    assert not bench.judge(after_ns=11 * S)


def test_a_flood_is_bounded(bench: Bench) -> None:
    thief = bench.add("unknown")
    for turn in range(ASKING_MAX // 1024 + 2):
        bench.judge(sightings=asks(bench, thief, 1024, turn * 1024), after_ns=S)
    assert len(bench.engine._starvation._asking) <= ASKING_MAX
    assert ids(_until(bench, 30))[:1] in ([], ["dhcp-starvation"])


def _until(bench: Bench, seconds: int) -> list[Finding]:
    return [found for _ in range(seconds) for found in bench.judge(after_ns=S)]
