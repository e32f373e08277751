"""inbound-to-clinical: a clinical device whose contract only begins sessions towards such peers has accepted one."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case, more_in_turn
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import EdgeMark, Severity
from agent.findings.words import article, mac_text, one

EDGES_MAX: Final = 64  # judged one by one in a turn; the rest is counted
FTP_PORT: Final = 21
DYNAMIC_PORT_MIN: Final = 1024
_TCP: Final = 6


def inbound_sessions(case: Case) -> Iterator[Draft]:
    """A completed handshake from a peer whose kind the contract lets answer nothing at all; not in a change window."""
    edges = case.edges
    first, late = case.in_order(case.left(EdgeMark.ACCEPTED), EDGES_MAX)
    approved = case.approved(first)
    for index in first:
        slot, edge = int(edges["device"][index]), edges[index]
        role = case.turn.devices.role(slot)
        if case.role(slot) != role or index in approved or case.peer_is_new(index):
            continue  # contract-breach holds what waits for a role
        if _is_ftp_data(case, edge):
            continue  # contract-breach folds it into the session it belongs to
        if case.turn.devices.is_gateway(slot) or case.settings.in_change_window(role, case.turn.now_ns):
            continue
        case.taken[index] = True
        text = (
            f"accepted a session from {case.peer_text(edge)} on {service_of(edge)}, and {article(one(role))} only "
            "begins sessions to such peers, it accepts none"
        )
        draft = edge_draft(case, edge, Said("inbound-to-clinical", Severity.PAGE, text))
        ftp = f"{mac_text(case.turn.devices.mac(slot))}|{draft.subject.peer}"
        yield draft._replace(part_of=tuple(f"contract-breach|{ftp}|{way}|tcp|21" for way in ("in", "out")))
    if late:
        yield more_in_turn(case, "inbound-to-clinical", len(late))


def _is_ftp_data(case: Case, edge: np.void) -> bool:
    """A dynamic port between the ends of an FTP session of this turn (RFC 959)."""
    if edge["port"] < DYNAMIC_PORT_MIN:
        return False
    control = case.edges[case.edges_of(int(edge["device"]))]
    same = (control["peer_hi"] == edge["peer_hi"]) & (control["peer_lo"] == edge["peer_lo"])
    return bool(np.any(same & (control["protocol"] == _TCP) & (control["port"] == FTP_PORT)))
