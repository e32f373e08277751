"""Roles and tiers."""

import pytest

from agent.devices.identity import Identifier
from agent.devices.packs import Packs
from agent.devices.roles import ROLE_INDEX, ROLES, TIERS, UNKNOWN
from agent.packets.hints.records import Signal


def test_every_role_once_with_a_tier() -> None:
    assert len(set(ROLES)) == len(ROLES)
    assert set(TIERS) == set(ROLES)
    assert set(TIERS.values()) == {"vital", "clinical", "support", "general", "none"}


def test_unknown_is_last_and_indexes_fit() -> None:
    assert ROLES[-1] == UNKNOWN
    assert [ROLES[index] for index in ROLE_INDEX.values()] == list(ROLE_INDEX)


def test_what_a_patient_hangs_on_is_vital() -> None:
    assert {role for role, tier in TIERS.items() if tier == "vital"} == {
        "infusion-pump", "patient-monitor", "central-station", "ventilator", "anaesthesia",
    }  # fmt: skip


MODULE, DRAEGER, BECTON = 0x0025CA000001, 0x00105D700245, 0x9CC8AE000001


@pytest.mark.parametrize("mac", [MODULE, DRAEGER])
def test_an_anaesthesia_machine_is_one_by_what_its_observations_are_about(mac: int) -> None:
    """A maker of ventilators and monitors, or no maker at all: the device says what it is (IHE PCD-01)."""
    who = Identifier(Packs.load())
    who.see(mac)
    assert who.assess(mac).role != "anaesthesia"
    for signal in (Signal("hl7.message", "ORU^R01"), Signal("hl7.device", "anaesthesia")):
        who.observe(mac, signal, 0)
    assessed = who.assess(mac)
    assert (assessed.role, assessed.evidence[0].value) == ("anaesthesia", "mdc-anaesthesia")


def test_a_cabinet_by_its_name_alone_pages_nobody() -> None:
    """What a site calls its machines is light: with a maker of cabinets it is enough, and alone it is a guess."""
    who = Identifier(Packs.load())
    who.observe(MODULE, Signal("dhcp.host", "PYXIS-3W-01"), 0)
    assert who.assess(MODULE).role == "dispensing-cabinet"
    assert who.assess(MODULE).confidence < 0.6
    who.observe(BECTON, Signal("dhcp.host", "pyxis-3w-02"), 0)
    who.observe(BECTON, Signal("smb.host", "PYXIS-3W-02"), 0)
    assert who.assess(BECTON).role == "dispensing-cabinet"
    assert who.assess(BECTON).confidence > who.assess(MODULE).confidence
