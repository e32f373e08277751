"""Edges -> the verdict of their contract on each, and which detectors have to look at it. One pass over the rows.

Most edges of a turn are nobody's business. A detector that asks for its mark looks at those it is about and at no
other, and when there are none it costs nothing.
"""

import numpy as np
import numpy.typing as npt

from agent.devices.records import NO_SLOT, EdgeDirection, EdgeGate, Scope
from agent.findings.records import EdgeMark, Roles, Rows, Rules
from agent.jit import Hashes, Slots, Words, bit_length, brief, leaf
from agent.packets.records import Application

NONE = -1
Truths = npt.NDArray[np.bool_]
NO_CONTRACT, NOT_NAMED = -32768, 0  # contract_table.py: NO_CONTRACT, OUTSIDE
SCOPES, MARKS = len(Scope), len(EdgeMark)
OUT, IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)
S_INTERNET = int(Scope.INTERNET)
G_ANSWERED, G_KNOWN, G_EXCHANGED = int(EdgeGate.ANSWERED), int(EdgeGate.INITIATOR_KNOWN), int(EdgeGate.EXCHANGED)
G_HANDSHAKE, G_TWO_WAY = int(EdgeGate.HANDSHAKE), int(EdgeGate.TWO_WAY_DATA)
G_HAPPENED, G_DATA, G_SESSION = G_HANDSHAKE | G_TWO_WAY, G_EXCHANGED | G_TWO_WAY, G_HANDSHAKE | G_KNOWN
G_WORTH, G_SPOKEN = G_HAPPENED | G_EXCHANGED, G_ANSWERED | G_EXCHANGED
TCP, UDP, DNS_PORT = 6, 17, 53
A_STRATUM, A_HL7 = int(Application.STRATUM), int(Application.HL7)
ASKED, NAMED, MINES = 1 << EdgeMark.ASKED, 1 << EdgeMark.NAMED, 1 << EdgeMark.MINES
LISTED, STEERED, PUBLIC = 1 << EdgeMark.LISTED, 1 << EdgeMark.STEERED, 1 << EdgeMark.PUBLIC
ACCEPTED, NEVER, OUTSIDE = 1 << EdgeMark.ACCEPTED, 1 << EdgeMark.NEVER, 1 << EdgeMark.OUTSIDE
NEWS, HL7, WAITS = 1 << EdgeMark.NEWS, 1 << EdgeMark.HL7, 1 << EdgeMark.WAITS
ODD_ANSWER, ODD_TRY = 1 << EdgeMark.ODD_ANSWER, 1 << EdgeMark.ODD_TRY


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
def _of_itself(edge: np.void, gates: int, unicast: bool) -> int:
    """Marks of what a device began and was answered, by what is spoken, whatever contracts say."""
    marks = MINES if gates & G_ANSWERED and edge["application"] == A_STRATUM else 0
    if not unicast:
        return marks
    if gates & G_ANSWERED and edge["port"] == DNS_PORT and (edge["protocol"] == UDP or edge["protocol"] == TCP):
        marks |= NAMED
    if gates & G_EXCHANGED and edge["application"] == A_HL7:
        marks |= HL7
    return marks


@leaf
def _to_a_clinical_device(edge: np.void, gates: int, clinical: bool, unknown: bool) -> int:
    """Of a device that is clinical itself, or whose role is not known."""
    marks = ODD_TRY if unknown else 0
    if not clinical and edge["direction"] == OUT and gates & G_ANSWERED:
        marks |= ASKED
    return marks


@leaf
def _of_a_contract(edge: np.void, code: int, gates: int, scope: int, clinical: bool, answers: bool) -> int:
    """Marks of an edge whose device has a contract that does not allow it."""
    inward = edge["direction"] == IN
    marks = ODD_ANSWER if clinical and inward and scope <= S_INTERNET else 0
    if code < NOT_NAMED:
        return marks | NEVER
    if scope == S_INTERNET:
        return marks | (PUBLIC if gates & G_DATA else 0)
    if clinical and gates & G_HAPPENED and gates & G_KNOWN:
        marks |= OUTSIDE
    if clinical and inward and gates & G_SESSION == G_SESSION and scope < S_INTERNET and not answers:
        marks |= ACCEPTED if edge["protocol"] == TCP else 0
    return marks


@leaf
def _of_news(edge: np.void, code: int, gates: int, scope: int, tool_ports: Truths, tool_speech: Truths) -> int:
    """Marks of an edge in which something happened that no contract names."""
    marks = NEWS if gates & G_KNOWN and scope <= S_INTERNET else 0
    if code == NOT_NAMED or scope == S_INTERNET:
        tool = edge["protocol"] == TCP and tool_ports[edge["port"]]
        marks |= STEERED if tool or tool_speech[edge["application"]] else 0
    return marks


@brief
def judge_edges(edges: Rows, roles: Roles, rules: Rules, codes: Roles, places: Slots, counts: Words) -> None:
    """A code for each edge, and for each mark `places` of those that have it, as many as `counts` says.

    `roles` are those of devices and peers by slot; an edge of a slot that is not there has no contract and no mark.
    """
    row_of_role, is_clinical, protocols, ports, cells, answers, tool_ports, tool_speech, listed, nobody = rules
    known = len(row_of_role)
    for i in range(len(edges)):
        edge = edges[i]
        codes[i] = NO_CONTRACT
        role, peer = _role_of(edge["device"], roles, known), NONE
        if role < 0:
            continue
        if edge["peer_device"] != NO_SLOT:
            peer = _role_of(edge["peer_device"], roles, known)
        gates, scope, contract = int(edge["gates"]), int(edge["scope"]), int(row_of_role[role])
        code, answering, clinical, found = NO_CONTRACT, False, is_clinical[role], 0
        if contract >= 0:
            whom = SCOPES + peer if peer >= 0 and peer != nobody else min(scope, SCOPES - 1)
            protocol, port = int(protocols[edge["protocol"]]), int(ports[edge["port"]])
            code = int(cells[contract, min(int(edge["direction"]), 1), protocol, whom, port])
            codes[i] = code
            answering = bool(answers[contract, protocol, whom])
            if code <= NOT_NAMED:
                found |= _of_a_contract(edge, code, gates, scope, clinical, answering)
        elif gates & G_WORTH:
            found |= WAITS
        if gates & G_HAPPENED and (code == NOT_NAMED or code == NO_CONTRACT):
            found |= _of_news(edge, code, gates, scope, tool_ports, tool_speech)
        if peer >= 0 and is_clinical[peer] and edge["direction"] != IN:
            found |= _to_a_clinical_device(edge, gates, clinical, role == nobody)
        if edge["direction"] == OUT and gates & G_SPOKEN:
            found |= _of_itself(edge, gates, scope <= S_INTERNET)
        if scope <= S_INTERNET and _is_listed(edge, listed):
            found |= LISTED
        while found:
            mark = bit_length(np.uint64(found)) - 1
            places[mark, counts[mark]] = i
            counts[mark] += 1
            found ^= 1 << mark
