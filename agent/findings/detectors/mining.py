"""mining: a device speaks Stratum, the protocol between a crypto-currency miner and its pool."""

from collections.abc import Iterator
from typing import Final

from agent.findings.case import Case, more_in_turn
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, peer_of, service_of
from agent.findings.records import EdgeMark, Severity

EDGES_MAX: Final = 64  # judged one by one in a turn; the rest is counted
EXPECTED: Final = "Nothing in a hospital mines."


def minings(case: Case) -> Iterator[Draft]:
    """Known by its content, so no port and no role is needed; a page whoever does it."""
    edges = case.edges
    chosen, late = case.in_order(case.marked(EdgeMark.MINES), EDGES_MAX)
    for index in chosen:
        edge = edges[index]
        text = (
            f"speaks Stratum with {peer_of(edge)} on {service_of(edge)}, as programs do that mine crypto-currency: "
            "somebody uses this device for something else than care"
        )
        yield edge_draft(case, edge, Said("mining", Severity.PAGE, text, expected=EXPECTED, once="stratum"))
    if late:
        yield more_in_turn(case, "mining", len(late))
