"""What the baseline is taught: an interval's edges, less all that a person would not want to be usual.

Never learned: what breaks a *never*, what a clinical role's contract does not name, public peers outside a contract,
edges of gateways, edges of a device with an open finding (it may be teaching us its attack), and anything at all while
the capture is lossy.
"""

from collections import OrderedDict
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeGate, Scope
from agent.findings.case import Case
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import OUTSIDE
from agent.findings.records import NO_CONTRACT, Finding, Rows, Severity, Usual
from agent.findings.words import NS_PER_S

SUSPECTS_MAX: Final = 1024
SUSPECT_NS: Final = 24 * 3600 * NS_PER_S  # after its last finding
HAPPENED: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.TWO_WAY_DATA)
_SUSPICIOUS: Final = frozenset({Severity.PAGE, Severity.REVIEW})
_HARMLESS: Final = frozenset({"new-device", "change-event"})  # reviews that say nothing against the device


class Teacher:
    """Chooses what is learned, and remembers whose edges are not."""

    def __init__(self, usual: Usual) -> None:
        self._usual = usual
        self._suspects: OrderedDict[int, int] = OrderedDict()  # MAC -> until when (ns)
        self.frozen_intervals = 0  # that taught nothing, because of losses

    def suspect(self, findings: list[Finding], now_ns: int) -> None:
        """Devices with a finding teach nothing for a day."""
        for finding in findings:
            if finding.mac and finding.severity in _SUSPICIOUS and finding.id not in _HARMLESS:
                self._suspects[finding.mac] = now_ns + SUSPECT_NS
                self._suspects.move_to_end(finding.mac)
        while len(self._suspects) > SUSPECTS_MAX:
            self._suspects.popitem(last=False)

    def teach(self, case: Case) -> None:
        """An interval that closed."""
        turn = case.turn
        if not turn.interval_closed or not turn.span_ns:
            return
        if turn.lossy:
            self.frozen_intervals += 1
            return
        here = turn.counted["device"] < case.roles.shape[0]
        rows, codes = turn.counted.compress(here), case.counted_codes().compress(here)
        there: Rows = rows.compress(_teachable(case, rows, codes))
        roles = self._trusted(case)
        there = there.compress(roles[there["device"]] >= 0)
        keys = self._usual.keys(there, np.where(roles >= 0, roles, case.roles).astype(np.int16))
        self._usual.observe(there["device"], keys, turn.devices.macs(), turn.now_ns)
        self._usual.hear(turn.span_ns)

    def _trusted(self, case: Case) -> npt.NDArray[np.int16]:
        """Role index by slot as pools know it (a guess is no role), -1 where nothing is learned from."""
        devices, count = case.turn.devices, case.roles.shape[0]
        sure = devices.confidences()[:count] >= case.settings.page_confidence
        roles = np.where(sure, case.roles, np.int16(case.contracts.roles.index(UNKNOWN))).astype(np.int16)
        suspects = [mac for mac, until in self._suspects.items() if case.turn.now_ns < until]
        roles[devices.gateways()[:count] | np.isin(devices.macs()[:count], np.array(suspects, np.uint64))] = -1
        return roles


def _teachable(case: Case, rows: Rows, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    gates = rows["gates"]
    fits = ((gates & HAPPENED) != 0) & ((gates & np.uint8(EdgeGate.INITIATOR_KNOWN)) != 0)
    fits &= (codes >= OUTSIDE) | (codes == NO_CONTRACT)
    clinical = case.contracts.clinical.take(case.roles.take(rows["device"]))
    there: npt.NDArray[np.bool_] = fits & ~((codes == OUTSIDE) & (clinical | (rows["scope"] == Scope.INTERNET)))
    return there
