"""crash-after-contact: a clinical device that was always heard was contacted oddly, and is silent since.

Fragile monitors restart at one malformed packet (CISA ICSMA-19-022-01) or shut their port under load
(ICSMA-19-113-01): the contact and the silence together are worth a person, either alone may be nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, mac_text, time_text

STEADY_MIN: Final = 5  # intervals in a row in which the device was heard before
AFTER_NS: Final = 60 * NS_PER_S  # from the contact to its last frame: later it fell silent for another reason
SILENT_NS: Final = 120 * NS_PER_S
# Silences that were over again, as many as are left when half of them are forgotten in half a day: an archive is heard
# when somebody wants an image, five minutes running too, and is as silent after an odd contact as before.
PAUSES_MIN: Final = 3
FORGOTTEN_NS: Final = 12 * 3600 * NS_PER_S
DEVICES_MAX: Final = 64  # of one interval


class CrashAfterContact:
    """Remembers for how many intervals each device was heard, and how often it paused."""

    def __init__(self) -> None:
        self._steady = np.zeros(0, np.int64)
        self._silent_ns = np.zeros(0, np.int64)
        self._pauses = np.zeros(0, np.float64)
        self._macs = np.zeros(0, np.uint64)

    def judge(self, case: Case, odd: Mapping[int, int]) -> Iterator[Draft]:
        """At the end of an interval in which the link was alive."""
        if not case.alive:
            return
        lasts = case.turn.devices.lasts_ns()
        heard = lasts >= case.turn.now_ns - case.turn.span_ns
        steady = self._count(case.turn.devices.macs(), heard, case.turn.span_ns)
        silent = (self._silent_ns >= SILENT_NS) & (steady >= STEADY_MIN) & (self._pauses < PAUSES_MIN)
        for slot in np.flatnonzero(silent).tolist()[:DEVICES_MAX]:
            mac = case.turn.devices.mac(slot)
            contact_ns, last_ns = odd.get(mac, 0), int(lasts[slot])
            if contact_ns and last_ns <= contact_ns + AFTER_NS and case.contracts.clinical[case.roles[slot]]:
                self._steady[slot] = 0  # said once
                yield _draft(case, slot, contact_ns, last_ns)

    def _count(self, macs: npt.NDArray[np.uint64], heard: npt.NDArray[np.bool_], span_ns: int) -> npt.NDArray[np.int64]:
        """Intervals in a row before the present silence, for each slot."""
        if macs.shape[0] != self._macs.shape[0]:
            grown = macs.shape[0] - self._macs.shape[0]
            assert grown > 0, "a table never shrinks"
            self._steady, self._silent_ns, self._pauses, self._macs = (
                np.append(held, np.zeros(grown, held.dtype))
                for held in (self._steady, self._silent_ns, self._pauses, self._macs)
            )
        same = macs == self._macs
        over = heard & (self._silent_ns >= SILENT_NS)
        self._pauses = np.where(same, self._pauses * 0.5 ** (span_ns / FORGOTTEN_NS) + over, 0.0)
        self._steady = np.where(same, self._steady, 0)
        self._steady = np.where(heard, np.where(self._silent_ns > 0, 1, self._steady + 1), self._steady)
        self._silent_ns = np.where(heard | ~same, 0, self._silent_ns + span_ns)
        self._macs = macs.copy()
        return self._steady


def _draft(case: Case, slot: int, contact_ns: int, last_ns: int) -> Draft:
    mac, seconds = case.turn.devices.mac(slot), (case.turn.now_ns - last_ns) // NS_PER_S
    told = Told(
        text=f"{case.label(slot)} was contacted in an unusual way at {time_text(contact_ns)} and has been silent for "
        f"{seconds} seconds since, while the network is alive; before, it was heard all the time",
        evidence=(
            ("contact", time_text(contact_ns)),
            ("last", time_text(last_ns)),
            ("silent-s", seconds),
        ),
        cause=f"crash-after-contact|{mac_text(mac)}",
        first_ns=min(contact_ns, last_ns),
        last_ns=case.turn.now_ns,
    )
    finding = case.finding("crash-after-contact", Severity.PAGE, slot, told)
    return Draft(finding, Subject(mac))
