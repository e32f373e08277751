"""Edges -> the verdict of their contract on each, and which detectors have to look at it. One pass over the rows.

Most edges of a turn are nobody's business. A detector that asks for its mark looks at those it is about and at no
other, and when there are none it costs nothing. What a mark asks for stands in tables (marks.py), so there is hardly a
branch for the processor to guess wrong.
"""

import numpy as np

from agent.devices.records import NO_SLOT, Scope
from agent.findings.records import NO_CONTRACT, EdgeMark, Marks, Roles, Rows, Rules, Verdict
from agent.jit import Hashes, Slots, Words, bit_length, brief, leaf

NONE = -1
SCOPES, MARKS = len(Scope), len(EdgeMark)
V_NONE, V_NEVER = int(Verdict.NONE), int(Verdict.NEVER)
LISTED, STEERED, SPOKEN = 1 << EdgeMark.LISTED, 1 << EdgeMark.STEERED, 1 << EdgeMark.SPOKEN
ACCEPTED = int(EdgeMark.ACCEPTED)


@leaf
def _role_of(slot: int, roles: Roles, known: int) -> int:
    """Role index of a slot's device; NONE where there is no such slot."""
    if slot >= len(roles):
        return NONE
    role = int(roles[slot])
    return role if 0 <= role < known else NONE


@leaf
def _is_listed(edge: np.void, listed: Hashes) -> bool:
    """Whether the peer's address lies in one of the networks."""
    for i in range(len(listed)):
        if edge["peer_lo"] & listed[i, 3] == listed[i, 1] and edge["peer_hi"] & listed[i, 2] == listed[i, 0]:
            return True
    return False


@leaf
def _list_marks(found: int, place: int, places: Slots, counts: Words) -> None:
    """Put an edge on the list of each of its marks."""
    while found:
        mark = bit_length(np.uint64(found)) - 1
        places[mark, counts[mark]] = place
        counts[mark] += 1
        found ^= 1 << mark


@brief
def judge_edges(
    edges: Rows, roles: Roles, rules: Rules, marks: Marks, codes: Roles, places: Slots, counts: Words
) -> None:
    """A code for each edge, and for each mark `places` of those that have it, as many as `counts` says.

    `roles` are those of devices and peers by slot; an edge of a slot that is not there has no contract and no mark.
    """
    row_of_role, protocols, ports, cells, answers, listed, nobody = rules
    by_gates, by_direction, by_verdict, by_role, by_peer, by_protocol, by_port, by_application = marks
    known = len(row_of_role)
    for i in range(len(edges)):
        edge = edges[i]
        role, peer = _role_of(edge["device"], roles, known), NONE
        codes[i] = NO_CONTRACT
        if role < 0:
            continue
        if edge["peer_device"] != NO_SLOT:
            peer = _role_of(edge["peer_device"], roles, known)
        scope, direction, contract = min(int(edge["scope"]), SCOPES - 1), int(edge["direction"]), int(row_of_role[role])
        verdict, answering = V_NONE, False
        if contract >= 0:
            whom = SCOPES + peer if peer >= 0 and peer != nobody else scope
            protocol = int(protocols[edge["protocol"]])
            code = int(cells[contract, min(direction, 1), protocol, whom, int(ports[edge["port"]])])
            codes[i], verdict = code, V_NEVER + int(code >= 0) + int(code > 0)
            answering = bool(answers[contract, protocol, whom])
        found = int(by_gates[edge["gates"]]) & int(by_direction[direction]) & int(by_verdict[verdict, scope])
        found &= int(by_role[role]) & int(by_peer[peer if peer >= 0 else known]) & int(by_protocol[edge["protocol"]])
        found &= int(by_port[edge["port"]]) & int(by_application[edge["application"]])
        found &= ~(int(answering) << ACCEPTED)
        if found & LISTED and not _is_listed(edge, listed):
            found ^= LISTED
        if found & SPOKEN:
            found = found & ~SPOKEN | STEERED
        if found:
            _list_marks(found, i, places, counts)
