"""Who the devices were is known again after a restart, from words of the packs alone."""

import json
import random
from pathlib import Path

import pytest

from agent.devices.checked_file import seal
from agent.devices.identity import Identifier
from agent.devices.memory import DEVICES_MAX, FORM, KEPT_S, Remembered, decode, encode, read
from agent.devices.packs import Packs
from agent.devices.records import EdgeDirection
from agent.devices.roles import ROLES
from agent.devices.view import Ward
from agent.durable import write_atomically
from agent.errors import StateError
from agent.packets.hints.records import KINDS, Signal
from agent.packets.records import Application
from tests.devices.bench import Bench, hello, number, small, turn
from tests.devices.phones import DRAWN_HOST, FIRST, PUMP, SERVER, joins
from tests.flows.talks import START_S
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PACKS = Packs.load()
MODULE, CAMERA = ("10.1.0.103", "00:25:ca:00:00:01"), ("10.1.0.104", "00:25:ca:00:00:02")
NAME = "QUILLFEATHER"


def fresh() -> tuple[Bench, Ward]:
    """A table and a view of it, as after a start."""
    bench = Bench(small(devices=64))
    return bench, Ward(bench.table, Identifier(PACKS))


def known() -> tuple[Bench, Ward]:
    """A pump that says so, a radio module that does a pump's work, a server, and a phone."""
    bench, ward = fresh()
    pump = [
        Signal("dhcp.vendor", "ALARIS-PCU-8015"),
        Signal("dhcp.host", f"PCU-{NAME}"),
        Signal("dhcp.client-id", "00" * 9),
    ]
    joins(bench, ward, PUMP, 1, pump)
    joins(bench, ward, MODULE, 1, [Signal("dhcp.vendor", "alaris-pcu")])
    ward._identifier.observe_edge(number(MODULE[1]), EdgeDirection.ORIGINATES, 6, 3613, Application.UNKNOWN)
    joins(bench, ward, SERVER, 2, [Signal("hl7.ack", "AA"), Signal("hl7.sender", NAME), Signal("smb.host", NAME)])
    joins(bench, ward, FIRST, 3, DRAWN_HOST)
    turn(bench, ward)
    return bench, ward


def said(ward: Ward, bench: Bench, end: tuple[str, str]) -> tuple[object, ...]:
    """What matters of a device's identity, names left out."""
    identity = ward.identity(bench.slot(end[1]))
    facts = [fact for fact in identity.evidence if fact.signal not in {"gateway", "continuity"}]
    return identity.role, identity.confidence, identity.vendor, identity.model, identity.os, facts


def test_roles_reasons_models_and_systems_come_back(tmp_path: Path) -> None:
    bench, ward = known()
    before = {end: said(ward, bench, end) for end in (PUMP, MODULE, SERVER)}
    assert before[MODULE][0] == "infusion-pump"
    write_atomically(tmp_path / "identity", encode(ward.remember(START_S + 60)))
    again_bench, again = fresh()
    assert again.recall(read(tmp_path / "identity"), START_S + 3600) == 3
    turn(again_bench.hear([hello(end, 3600) for end in (PUMP, MODULE, SERVER)]), again)
    assert {end: said(again, again_bench, end) for end in before} == before
    assert again.role(again_bench.slot(MODULE[1])) == "infusion-pump", "with its first frames, and for the judge too"
    assert again_bench.slot(MODULE[1]) in again.take_changed()
    joins(
        again_bench, again, PUMP, 3660, [Signal("dhcp.vendor", "ALARIS-PCU-8015"), Signal("dhcp.host", f"PCU-{NAME}")]
    )
    assert said(again, again_bench, PUMP) == before[PUMP], "what is heard again counts once"
    assert again.identity(again_bench.slot(PUMP[1])).names, "its name came from the wire, not from the file"


def test_no_word_of_the_file_is_from_the_wire() -> None:
    _, ward = known()
    raw = encode(ward.remember(START_S + 60))
    assert NAME.encode() not in raw
    for heard_s, role, permille, gateway, facts in json.loads(raw.partition(b"\n")[2])["devices"].values():
        assert isinstance(heard_s, int)
        assert 0 <= permille <= 1000
        assert gateway is False
        assert role in ROLES
        assert all((kind in KINDS or kind in {"offers", "uses"}) and token in PACKS for kind, token in facts)


def test_what_was_saved_is_what_is_saved_again_while_nobody_came_back() -> None:
    """Two restarts in a row forget nobody; after a month in which it was not heard a device is forgotten."""
    _, ward = known()
    kept = ward.remember(START_S + 60)
    _, again = fresh()
    again.recall(kept, START_S + 60)
    assert sorted(again.remember(START_S + 60)) == sorted(kept)
    assert not again.remember(START_S + KEPT_S + 3600)
    _, late = fresh()
    assert late.recall(kept, START_S + KEPT_S + 3600) == 0


def test_a_later_word_against_it_is_a_contradiction() -> None:
    """A box with a pump's card, plugged in while the sensor was off, does not become another thing in silence."""
    _, ward = known()
    bench, again = fresh()
    again.recall(ward.remember(START_S + 60), START_S + 60)
    turn(bench.hear([hello(MODULE, 120)]), again)
    for word in ("Google Home Mini", "Chromecast"):
        again.hear(number(MODULE[1]), 0, [Signal("mdns.model", word)], 120)
    identity = again.identity(bench.slot(MODULE[1]))
    assert identity.role == "infusion-pump"
    assert identity.contradictions


def test_of_a_role_that_the_packs_no_longer_hear_nothing_is_kept() -> None:
    _, ward = fresh()
    gone = Remembered(number(MODULE[1]), START_S, "infusion-pump", 0.9, False, (("dhcp.vendor", "no-such-token"),))
    odd = Remembered(
        number(CAMERA[1]), START_S, "infusion-pump", 1.0, False, (("offers", "tcp/3613"), ("x", "alaris-pcu"))
    )
    assert ward.recall([gone, odd, gone], START_S) == 2
    assert ward._identifier.assess(gone.mac).role == "unknown"
    assert ward._identifier.assess(odd.mac).confidence < 1.0


@pytest.mark.parametrize("mac", [0xDAA119000001, 0x01005E000001, 1 << 47 | 1 << 41])
def test_drawn_and_group_addresses_are_not_taken(mac: int) -> None:
    _, ward = fresh()
    assert ward.recall([Remembered(mac, START_S, "phone", 0.5, False, ())], START_S) == 0


def row(**other: object) -> bytes:
    """A file of one device, with something else in it."""
    held = {
        "mac": "00d07518429b",
        "heard_s": 5,
        "role": "phone",
        "permille": 500,
        "gateway": False,
        "facts": [["oui", "x"]],
    }
    held |= other
    mac = held.pop("mac")
    return seal(FORM, {"devices": {mac: list(held.values())}})


@pytest.mark.parametrize(
    "other",
    [
        {"mac": "zz"}, {"mac": "0"}, {"mac": "1" + "0" * 12}, {"heard_s": "soon"}, {"heard_s": None},
        {"permille": 1001}, {"permille": -1}, {"facts": [["oui"]]}, {"facts": [["oui", ""]]}, {"facts": 7},
        {"facts": [["oui", 7]]}, {"facts": [["oui", "x" * 97]]}, {"more": 1},
    ],
)  # fmt: skip
def test_a_file_that_says_what_no_sensor_writes_is_refused(other: dict[str, object]) -> None:
    with pytest.raises(StateError, match="damaged"):
        decode(row(**other))
    assert decode(row())[0].facts == (("oui", "x"),)


@pytest.mark.parametrize("content", [{}, {"devices": []}, {"devices": {"00d07518429b": 1}}, [], 7, None])
def test_other_content_is_refused(content: object) -> None:
    with pytest.raises(StateError):
        decode(seal(FORM, content))  # type: ignore[arg-type]


def test_a_role_of_another_release_is_unknown_and_a_crowd_is_cut() -> None:
    assert decode(row(role="lift"))[0].role == "unknown"
    rng = random.Random(2)
    many = [Remembered(rng.randrange(1, 1 << 48), 5, "phone", 0.5, False, ()) for _ in range(DEVICES_MAX + 100)]
    assert len(decode(encode(many))) == DEVICES_MAX


def test_a_damaged_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    assert read(path) == []
    path.write_bytes(row()[:-1])
    with pytest.raises(StateError, match="checksum") as refused:
        read(path)
    assert str(path) in str(refused.value)
