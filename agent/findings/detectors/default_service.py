"""default-service: a pump, a monitor or a modality answers on Telnet or FTP: a service that its maker left open."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft
from agent.findings.once import Once
from agent.findings.records import Severity
from agent.findings.words import article, one

SERVICES: Final = {21: "FTP", 23: "Telnet"}
ROLES: Final = frozenset({"infusion-pump", "patient-monitor", "imaging-modality"})
_TCP: Final = 6


class DefaultServices:
    """Remembers which services of which devices were said."""

    def __init__(self) -> None:
        self._once = Once()

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval: that it is offered is an inventory fact, beside who used it."""
        rows, count = case.turn.counted, case.roles.shape[0]
        fits = (rows["direction"] == EdgeDirection.RESPONDS) & (rows["protocol"] == _TCP) & (rows["device"] < count)
        fits &= np.isin(rows["port"], list(SERVICES)) & ((rows["gates"] & np.uint8(EdgeGate.ANSWERED)) != 0)
        fits &= rows["scope"] <= Scope.INTERNET
        wanted = [slot for slot in set(rows["device"][fits].tolist()) if case.role(slot) in ROLES]
        fits &= np.isin(rows["device"], wanted)
        for edge in self._once.rows(case, rows, fits, "port"):
            role = case.role(int(edge["device"]))
            name = SERVICES[int(edge["port"])]
            text = (
                f"offers {name} on TCP port {int(edge['port'])}, which it answered to {case.peer_text(edge)}; "
                f"{article(one(role))} needs no such service, and passwords cross the network in clear"
            )
            yield edge_draft(case, edge, Said("default-service", Severity.REVIEW, text, once=name.lower()))
