"""voice-assistant, consumer-device: a microphone or a media player on a ward's network. Said once, by what it is."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Severity
from agent.findings.words import mac_text, many, time_text

DEVICES_MAX: Final = 32  # of an interval; more wait for the next
TOLD_MAX: Final = 1024
TOGETHER: Final = 3  # in an hour: one cause
KINDS: Final = {
    "voice-assistant": ("voice-assistant", "it has a microphone that listens where patients are spoken of"),
    "media-player": ("consumer-device", "it is a consumer's device and no thing of the ward"),
}


class ConsumerDevices:
    """Remembers which devices were said."""

    def __init__(self) -> None:
        self._told: dict[int, None] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once the role is sure."""
        if not case.turn.interval_closed:
            return
        wanted = [case.contracts.roles.index(role) for role in KINDS]
        macs = case.turn.devices.macs()
        for slot in np.flatnonzero(np.isin(case.roles, wanted)).tolist():
            mac, role = int(macs[slot]), case.role(slot)
            if role in KINDS and mac not in self._told and not case.turn.devices.is_gateway(slot):
                self._told[mac] = None
                yield _draft(case, slot, mac, role)
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]


def _draft(case: Case, slot: int, mac: int, role: str) -> Draft:
    finding_id, why = KINDS[role]
    first = case.turn.devices.first_ns(slot)
    told = Told(
        text=f"{case.label(slot)} is on the ward's network; {why}",
        evidence=(("first", time_text(first)),),
        cause=f"{finding_id}|{mac_text(mac)}",
        first_ns=first,
        last_ns=case.turn.now_ns,
        expected=f"{many(role).capitalize()} belong on a guest network, if anywhere.",
    )
    finding = case.finding(finding_id, Severity.REVIEW, slot, told)
    return Draft(finding, Subject(mac), (Group(finding_id, mac_text(mac), TOGETHER, f"{{n}} {many(role)}"),))
