"""flood: a device throws datagrams at another that answers none, or begins session after session and completes none."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.case import Case, severity_of
from agent.findings.contract_table import OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import NO_CONTRACT, Severity
from agent.findings.words import NS_PER_S

EDGES_MAX: Final = 32  # of an interval
DATAGRAMS_A_SECOND: Final = 500  # without an answer; a video stream of 4 Mbit/s has as many, but its contract names it
HALF_OPEN_A_SECOND: Final = 5  # sessions to one port that are never completed; a person's client tries once a second
ANSWERED_SHARE: Final = 100  # datagrams for one answer
EXPECTED: Final = "Devices of a ward are sent what they answer or have asked for."
_TCP: Final = 6
_DATAGRAMS: Final = (1, 17, 58)


def floods(case: Case) -> Iterator[Draft]:
    """At the end of an interval, from the sender's side. Fans of many hosts or ports are scans, not floods."""
    rows, span_s = case.turn.counted, case.turn.span_ns / NS_PER_S
    if not rows.shape[0] or span_s <= 0:
        return
    unicast = (rows["direction"] == EdgeDirection.ORIGINATES) & (rows["scope"] <= Scope.INTERNET)
    unicast &= rows["device"] < case.roles.shape[0]
    codes = case.counted_codes()
    storm = np.isin(rows["protocol"], _DATAGRAMS) & (rows["packets_out"] >= DATAGRAMS_A_SECOND * span_s)
    storm &= rows["packets_out"] >= ANSWERED_SHARE * rows["packets_in"].astype(np.int64)
    storm &= (codes == OUTSIDE) | (codes == NO_CONTRACT)
    half_open = (rows["protocol"] == _TCP) & (rows["flows"] >= HALF_OPEN_A_SECOND * span_s)
    half_open &= (rows["gates"] & np.uint8(EdgeGate.HANDSHAKE)) == 0
    for edge in case.oldest(rows, unicast & (storm | half_open), EDGES_MAX):
        if not case.turn.devices.is_gateway(int(edge["device"])):
            yield _draft(case, edge, span_s)


def _draft(case: Case, edge: np.void, span_s: float) -> Draft:
    peer = int(edge["peer_device"])
    severity = severity_of(case.role(peer)) if peer < case.roles.shape[0] else Severity.REVIEW
    if edge["protocol"] == _TCP:
        what = f"began {int(edge['flows'])} sessions and completed none"
    else:
        what = f"sent {int(edge['packets_out'])} datagrams and got {int(edge['packets_in'])} back"
    text = f"{what}, within {span_s:.0f} seconds, with {case.peer_text(edge)} on {service_of(edge)}: that is a flood"
    return edge_draft(case, edge, Said("flood", severity, text, expected=EXPECTED))
