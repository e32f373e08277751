"""role-contradiction: what a device says of itself and what it does cannot both be true.

Only what matters on a ward: something that is no clinical device does a clinical device's work, or several makers'
DICOM programs speak behind one card. Ordinary doubts stay in the device's card.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case, Told
from agent.findings.catalogue import CLINICAL_ROLES, UNKNOWN
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import article, mac_text, one, time_text

DEVICES_MAX: Final = 16  # said in an interval
TOLD_MAX: Final = 1024
# Roles of things that people carry or plug in. Servers and workstations speak for clinical systems by design.
COSTUMES: Final = frozenset({
    "iot-other", "phone", "tablet", "media-player", "voice-assistant", "ip-camera", "printer", "voip-phone",
})  # fmt: skip
DICOM_CLIENTS: Final = frozenset({"imaging-modality"})  # one product; servers and workstations have several programs
_DOES: Final = re.compile(r"offers says ([a-z-]+), not [a-z-]+")
_DICOM: Final = re.compile(r"\d+ makers' DICOM implementations behind one address")
EXPECTED: Final = "A device is one thing: its card, its programs and its services agree."


class RoleContradictions:
    """Remembers what was said of whom."""

    def __init__(self) -> None:
        self._told: dict[tuple[int, str], None] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; the words are those of a pack, never a device's."""
        if not case.turn.interval_closed:
            return
        said = 0
        wanted = [case.contracts.roles.index(role) for role in sorted(COSTUMES | DICOM_CLIENTS)]
        for slot in np.flatnonzero(np.isin(case.roles, wanted)).tolist():
            mac, role = case.turn.devices.mac(slot), case.turn.devices.role(slot)
            conflict = next((c for c in case.turn.devices.contradictions(slot) if _matters(c, role)), "")
            if not conflict or (mac, conflict) in self._told or said >= DEVICES_MAX:
                continue
            said += 1
            self._told[mac, conflict] = None
            yield _draft(case, slot, conflict)
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]


def _matters(contradiction: str, role: str) -> bool:
    offers = _DOES.fullmatch(contradiction)
    if offers is None:
        return _DICOM.fullmatch(contradiction) is not None and role in DICOM_CLIENTS
    return role in COSTUMES and offers[1] in CLINICAL_ROLES


def _draft(case: Case, slot: int, conflict: str) -> Draft:
    mac, role = case.turn.devices.mac(slot), case.turn.devices.role(slot)
    offers = _DOES.fullmatch(conflict)
    if offers:
        named = article(one(role)) if role != UNKNOWN else "nothing that is known"
        text = f"{case.label(slot)} does the work of {article(one(offers[1]))}, although it looks like {named}"
    else:
        text = f"{case.label(slot)} speaks DICOM with the programs of several makers behind one card"
    told = Told(
        text=text,
        evidence=(("conflict", conflict), ("seen", time_text(case.turn.now_ns))),
        cause=f"role-contradiction|{mac_text(mac)}",
        first_ns=case.turn.devices.first_ns(slot),
        last_ns=case.turn.now_ns,
        expected=EXPECTED,
    )
    return Draft(case.finding("role-contradiction", Severity.REVIEW, slot, told), Subject(mac))
