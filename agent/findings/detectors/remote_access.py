"""remote-access-tool: a device is steered from elsewhere by TeamViewer, AnyDesk, VNC or RDP, outside its contract."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, more_in_turn, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import NO_CONTRACT, OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.learning import HAPPENED
from agent.findings.words import article, one
from agent.packets.records import Application

EDGES_MAX: Final = 64  # judged one by one in a turn; the rest is counted
# Ports by their maker's words: TeamViewer and AnyDesk (their help pages), RDP and VNC (IANA).
TOOLS: Final = {
    5938: "TeamViewer", 6568: "AnyDesk", 7070: "AnyDesk", 3389: "RDP", **dict.fromkeys(range(5900, 5904), "VNC"),
}  # fmt: skip
BY_CONTENT: Final = {int(Application.RDP): "RDP", int(Application.VNC): "VNC"}
_PORTS: Final = np.isin(np.arange(65536), list(TOOLS))
_SPOKEN: Final = np.isin(np.arange(256), list(BY_CONTENT))
_TCP: Final = 6


def remote_access(case: Case) -> Iterator[Draft]:
    """A device with a contract that does not name it; one without a contract only when the other end is public."""
    edges, codes = case.edges, case.codes
    steered = (_PORTS[edges["port"]] & (edges["protocol"] == _TCP)) | _SPOKEN[edges["application"]]
    if not steered.any():
        return
    steered &= (edges["gates"] & HAPPENED) != 0
    steered &= (codes == OUTSIDE) | ((codes == NO_CONTRACT) & (edges["scope"] == Scope.INTERNET))
    steered &= ~case.taken & (edges["device"] < case.roles.shape[0])
    chosen, late = case.in_order(np.flatnonzero(steered), EDGES_MAX)
    for index in chosen:
        slot, edge = int(edges["device"][index]), edges[index]
        role = case.role(slot)
        if case.turn.devices.is_gateway(slot) or case.settings.in_change_window(role, case.turn.now_ns):
            continue
        if role == UNKNOWN and codes[index] == OUTSIDE:
            continue  # a guess: it waits for a sure role, as every edge outside does
        if index in case.approved([index]):
            continue
        case.taken[index] = True
        yield edge_draft(case, edge, Said("remote-access-tool", severity_of(role), _text(case, edge, role)))
    if late:
        yield more_in_turn(case, "remote-access-tool", len(late))


def _text(case: Case, edge: np.void, role: str) -> str:
    tool = BY_CONTENT.get(int(edge["application"])) or TOOLS[int(edge["port"])]
    deed = "opened a remote-access session to" if edge["direction"] == EdgeDirection.ORIGINATES else "was steered from"
    tail = f", which {article(one(role))} does not normally need" if role != UNKNOWN else ""
    return f"{deed} {case.peer_text(edge)} by {tool} on {service_of(edge)}{tail}"
