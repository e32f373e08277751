"""The catalogue: stable ids, honest severities, safe steps."""

from agent.devices.roles import ROLES
from agent.findings.catalogue import CATALOGUE, CLINICAL_ROLES, role_mask
from agent.findings.records import Severity

FIRST_IDS = {
    "contract-breach", "internet-contact", "port-scan", "host-sweep", "arp-sweep", "smb-spread", "telnet-spread",
    "new-device", "capture-loss", "table-pressure", "tap-blind", "tap-transmitted",
}  # fmt: skip


def test_ids_are_stable() -> None:
    assert set(CATALOGUE) >= FIRST_IDS
    assert CATALOGUE["capture-loss"].severity is Severity.HEALTH
    assert CATALOGUE["new-device"].severity is Severity.REVIEW
    assert (CATALOGUE["tap-blind"].severity, CATALOGUE["tap-transmitted"].severity) == (Severity.HEALTH, Severity.PAGE)


def test_texts_are_plain_sentences() -> None:
    for entry in CATALOGUE.values():
        assert entry.next_step.endswith(".")
        assert not entry.meaning.endswith(".")
        assert entry.meaning.isprintable()


def test_the_mask_follows_the_roles() -> None:
    mask = role_mask(ROLES, CLINICAL_ROLES)
    assert {role for role, wanted in zip(ROLES, mask, strict=True) if wanted} == CLINICAL_ROLES
