"""credential-guessing: one device opens many short sessions to a service that asks for a password."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import NO_SLOT, EdgeDirection, EdgeGate, Scope
from agent.findings.case import Case, severity_of
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import Severity
from agent.findings.windows import EdgeWindows
from agent.findings.words import NS_PER_S

WINDOW_NS: Final = 300 * NS_PER_S
# Sessions in five minutes. A monitoring system asks once a minute; a file transfer may come every ten seconds.
SESSIONS_MIN: Final = {22: 10, 23: 10, 3389: 10, 5900: 10, 21: 60}
PACKETS_MAX: Final = 100  # of a session, both ways: a login that fails is over after some forty
OCTETS_MAX: Final = 30_000
EXPECTED: Final = "A person or a program logs in once and works in that session."
_TCP: Final = 6


class CredentialGuessing:
    """Remembers the sessions of the last five minutes."""

    def __init__(self) -> None:
        self._windows = EdgeWindows(WINDOW_NS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; from the guesser's side, or from the other where the guesser is no device here."""
        rows = case.turn.counted
        fits = (rows["protocol"] == _TCP) & np.isin(rows["port"], list(SESSIONS_MIN)) & (rows["flows"] > 0)
        fits &= ((rows["gates"] & np.uint8(EdgeGate.EXCHANGED)) != 0) & (rows["scope"] <= Scope.INTERNET)
        fits &= (rows["direction"] == EdgeDirection.ORIGINATES) | (rows["peer_device"] == NO_SLOT)
        fits &= rows["device"] < case.roles.shape[0]
        for edge, key, counts in self._windows.take(case, rows, fits):
            sessions = sum(c.flows for c in counts)
            packets = sum(c.packets_out + c.packets_in for c in counts)
            octets = sum(c.octets_out + c.octets_in for c in counts)
            if sessions < SESSIONS_MIN[key.port] or packets > PACKETS_MAX * sessions or octets > OCTETS_MAX * sessions:
                continue
            if not case.turn.devices.is_gateway(int(edge["device"])):
                yield _draft(case, edge, sessions, packets)


def _draft(case: Case, edge: np.void, sessions: int, packets: int) -> Draft:
    guesses = edge["direction"] == EdgeDirection.ORIGINATES
    peer = int(edge["peer_device"])
    target = peer if guesses else int(edge["device"])
    severity = severity_of(case.role(target)) if target < case.roles.shape[0] else Severity.REVIEW
    deed = "opened" if guesses else "accepted"
    way = "to" if guesses else "from"
    text = (
        f"{deed} {sessions} short sessions {way} {case.peer_text(edge)} on {service_of(edge)} within five minutes, "
        f"{packets // sessions} packets each on average, as happens when passwords are tried"
    )
    evidence = (("sessions", sessions), ("packets-a-session", packets // sessions))
    return edge_draft(case, edge, Said("credential-guessing", severity, text, evidence, EXPECTED))
