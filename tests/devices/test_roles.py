"""Roles and tiers."""

from agent.devices.roles import ROLE_INDEX, ROLES, TIERS, UNKNOWN


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
