"""cleartext-web: a device serves web pages in clear."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate
from agent.findings.case import Case
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.once import Once
from agent.findings.records import Severity
from agent.packets.records import Application

EXPECTED: Final = "Web pages of a device are served under TLS, or only to whoever looks after it."
_SESSION: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.EXCHANGED)


class CleartextWeb:
    """Remembers which devices were said."""

    def __init__(self) -> None:
        self._once = Once()

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval, once for each device and port; what a gateway forwards is not its own."""
        rows = case.turn.counted
        fits = (rows["application"] == Application.HTTP) & (rows["direction"] == EdgeDirection.RESPONDS)
        fits &= ((rows["gates"] & _SESSION) == _SESSION) & (rows["device"] < case.roles.shape[0])
        owners = np.minimum(rows["device"], max(case.roles.shape[0] - 1, 0))
        fits &= ~case.turn.devices.gateways()[owners] if case.roles.shape[0] else False
        for edge in self._once.rows(case, rows, fits, "port"):
            text = f"serves web pages in clear on {service_of(edge)}, for one to {case.peer_text(edge)}"
            once = f"web-{int(edge['port'])}"
            yield edge_draft(case, edge, Said("cleartext-web", Severity.POSTURE, text, expected=EXPECTED, once=once))
