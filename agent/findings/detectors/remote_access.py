"""remote-access-tool: a device is steered from elsewhere by TeamViewer, AnyDesk, VNC or RDP, outside its contract."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection
from agent.findings.case import Case, more_in_turn, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import EdgeMark
from agent.findings.thresholds import TOOLS, TOOLS_BY_CONTENT
from agent.findings.words import article, one

EDGES_MAX: Final = 64  # judged one by one in a turn; the rest is counted


def remote_access(case: Case) -> Iterator[Draft]:
    """A device with a contract that does not name it; one without a contract only when the other end is public."""
    edges, codes = case.edges, case.codes
    chosen, late = case.in_order(case.left(EdgeMark.STEERED), EDGES_MAX)
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
    tool = TOOLS_BY_CONTENT.get(int(edge["application"])) or TOOLS[int(edge["port"])]
    deed = "opened a remote-access session to" if edge["direction"] == EdgeDirection.ORIGINATES else "was steered from"
    tail = f", which {article(one(role))} does not normally need" if role != UNKNOWN else ""
    return f"{deed} {case.peer_text(edge)} by {tool} on {service_of(edge)}{tail}"
