"""rogue-bridge: who forwards, what was brought along, and two devices behind one card."""

import pytest

from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import START_NS, Bench, ids

LINUX, WINDOWS = "64:m44:1460:7:MSTNW", "128:m44:1460:8:MNWNNS"


def says(bench: Bench, slot: int, kind: str = "stp.says", word: str = "bridge", **more: bool) -> list[Finding]:
    """A turn in which a device says it."""
    return bench.judge(sightings=[bench.sighting(kind, word, slot)], **more)


@pytest.mark.parametrize(
    ("kind", "word", "name"),
    [
        ("stp.says", "root", "spanning tree"),
        ("stp.says", "bridge", "spanning tree"),
        ("lldp.capabilities", "access-point", "LLDP"),
        ("cdp.capabilities", "switch", "CDP"),
    ],
)
def test_a_switch_that_came_with_somebody(bench: Bench, kind: str, word: str, name: str) -> None:
    slot = bench.add("unknown")
    (found,) = says(bench, slot, kind, word)
    assert (found.id, found.severity, found.mac) == ("rogue-bridge", Severity.REVIEW, bench.mac(slot))
    assert f"says by {name} that it forwards for others" in found.sentence
    assert not says(bench, slot, kind, word), "once"


def test_the_wards_switch(bench: Bench) -> None:
    switch = bench.add("network-gear")
    assert not says(bench, switch, settled=False)
    assert not says(bench, switch)


def test_a_telephone_has_a_second_port(bench: Bench) -> None:
    phone = bench.add("voip-phone")
    said = [bench.sighting("lldp.capabilities", word, phone) for word in ("bridge", "telephone")]
    assert not bench.judge(sightings=said)


@pytest.mark.parametrize(("kind", "word"), [("stp.says", "topology-change"), ("lldp.capabilities", "station")])
def test_other_words(bench: Bench, kind: str, word: str) -> None:
    assert not says(bench, bench.add("unknown"), kind, word)


def test_a_declared_change(bench: Bench) -> None:
    bench.engine.declare(ChangeWindow("network-gear", START_NS, START_NS + 10**13))
    assert not says(bench, bench.add("unknown"))


def test_a_hobby_board_once(bench: Bench) -> None:
    slot = bench.add("iot-other", hobby_board=True)
    bench.add("printer")
    (found,) = bench.interval()
    assert found.mac == bench.mac(slot)
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:00 (Maker) is a hobby board, which nobody uses for care: it can listen, bridge "
        "and reach out."
    )
    assert not bench.interval()
    assert not says(bench, slot), "said already"


def test_many_boards_are_few_findings(bench: Bench) -> None:
    for _ in range(100):
        bench.add("iot-other", hobby_board=True)
    assert len([f for _ in range(5) for f in bench.interval()]) <= 3


def stacks(bench: Bench, slot: int, *heard: tuple[str, str], kind: str = "tcp.syn") -> list[Finding]:
    """A turn with these (address, stack) of one card."""
    return bench.judge(sightings=[bench.sighting(kind, stack, slot, sender=address) for address, stack in heard])


def test_two_devices_behind_one_card(bench: Bench) -> None:
    slot = bench.add("office-workstation")
    (found,) = stacks(bench, slot, ("10.20.30.5", WINDOWS), ("10.20.30.6", LINUX))
    assert "sends for two addresses with the network programs of two systems" in found.sentence
    assert dict(found.evidence)["sign"] == "starts at 128 and 64 hops"


@pytest.mark.parametrize(
    "heard",
    [
        [("10.20.30.5", WINDOWS), ("10.20.30.5", LINUX)],  # a virtual machine that shares the address
        [("10.20.30.5", LINUX), ("10.20.30.6", "64:m20:1460:7:MSTNW")],  # two programs of one system
        [("10.20.30.5", LINUX), ("10.20.30.6", LINUX)],
        [("10.20.30.5", "x:y"), ("10.20.30.6", "z")],
        [("10.20.30.5", WINDOWS), ("2001:db8::5", "255:65535:1440:8:MNWNNS")],  # a system with both kinds of addresses
    ],
)
def test_one_device_with_two_faces(bench: Bench, heard: list[tuple[str, str]]) -> None:
    assert not stacks(bench, bench.add("office-workstation"), *heard)


def test_routers_and_shared_cards(bench: Bench) -> None:
    both = (("10.20.30.5", WINDOWS), ("10.20.30.6", LINUX))
    assert not stacks(bench, bench.add("unknown", gateway=True), *both)
    assert not stacks(bench, bench.add("network-gear"), *both)
    assert not stacks(bench, bench.add("unknown", mac=0x00005E000101), *both)
    assert ids(stacks(bench, bench.add("unknown"), *both, kind="tcp.syn-ack")) == ["rogue-bridge"]
