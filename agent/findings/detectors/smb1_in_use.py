"""smb1-in-use: two devices share files by SMB1, which has been out of use since 2014 and is what worms spread by."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft
from agent.findings.once import Once
from agent.findings.records import Severity
from agent.packets.records import Application

EXPECTED: Final = "File sharing on a ward uses SMB 2 or 3."
_SESSION: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.EXCHANGED)


class Smb1InUse:
    """Remembers which servers were said."""

    def __init__(self) -> None:
        self._once = Once()

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each server that answered so.

        A client that can do more begins with an SMB1 message all the same, and its flow is known by that.
        """
        rows, devices = case.turn.counted, case.turn.devices
        fits = (rows["application"] == Application.SMB1) & (rows["direction"] == EdgeDirection.RESPONDS)
        fits &= ((rows["gates"] & _SESSION) == _SESSION) & (rows["device"] < case.roles.shape[0])
        speakers = [slot for slot in set(rows["device"][fits].tolist()) if devices.speaks_smb1(slot)]
        fits &= np.isin(rows["device"], speakers)
        for edge in self._once.rows(case, rows, fits, "application"):
            text = (
                f"shares files by SMB1 with {case.peer_text(edge)}: a dialect without protection, by which WannaCry "
                "and its kin spread"
            )
            yield edge_draft(case, edge, Said("smb1-in-use", Severity.POSTURE, text, expected=EXPECTED, once="smb1"))
