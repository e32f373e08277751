"""cleartext-clinical: patient data crosses the network in clear, by DICOM, HL7 and their kin."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.once import Once
from agent.findings.records import Severity
from agent.packets.records import Application

NAMES: Final = {
    int(Application.DICOM): "DICOM images and their patients' names",
    int(Application.HL7): "HL7 messages",
    int(Application.POCT1A): "point-of-care results (POCT1-A)",
}
EXPECTED: Final = "DICOM and HL7 are mostly spoken in clear inside hospitals; both can run under TLS."


class CleartextClinical:
    """Remembers which devices were said, and with what."""

    def __init__(self) -> None:
        self._once = Once()

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device that begins it and protocol; known by content, no port."""
        rows = case.turn.counted
        fits = np.isin(rows["application"], list(NAMES)) & (rows["direction"] == EdgeDirection.ORIGINATES)
        fits &= ((rows["gates"] & np.uint8(EdgeGate.EXCHANGED)) != 0) & (rows["device"] < case.roles.shape[0])
        fits &= rows["scope"] <= Scope.INTERNET
        for edge in self._once.rows(case, rows, fits, "application"):
            what = NAMES[int(edge["application"])]
            text = (
                f"exchanges {what} in clear with {case.peer_text(edge)} on {service_of(edge)}: who hears the network "
                "reads them"
            )
            once = f"app-{int(edge['application'])}"
            yield edge_draft(
                case, edge, Said("cleartext-clinical", Severity.POSTURE, text, expected=EXPECTED, once=once)
            )
