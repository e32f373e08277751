"""known-bad-destination: any contact, an attempt too, with an address that the shipped list names."""

from collections.abc import Iterator
from ipaddress import IPv6Address
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection
from agent.findings.case import Case, more_in_turn
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, peer_of, service_of
from agent.findings.known_bad_file import KnownBad
from agent.findings.records import EdgeMark, Severity

EDGES_MAX: Final = 64  # judged one by one in a turn; the rest is counted


def known_bad_destinations(case: Case) -> Iterator[Draft]:
    """No gate: what a device tries to reach there is what matters. It takes the edge: one cause, one finding."""
    edges = case.edges
    chosen, late = case.in_order(case.marked(EdgeMark.LISTED), EDGES_MAX)
    for index in chosen:
        edge = edges[index]
        case.taken[index] = True
        if not case.turn.devices.is_gateway(int(edge["device"])):
            yield _draft(case, edge, _entry(case.contracts.known_bad, edge))
    if late:
        case.taken[late] = True
        yield more_in_turn(case, "known-bad-destination", len(late))


def _entry(listed: tuple[KnownBad, ...], edge: np.void) -> KnownBad:
    value = IPv6Address((int(edge["peer_hi"]) << 64) | int(edge["peer_lo"]))
    address = value.ipv4_mapped or value
    return next(e for e in listed if e.network.version == address.version and address in e.network)


def _draft(case: Case, edge: np.void, entry: KnownBad) -> Draft:
    deed = "contacted" if edge["direction"] == EdgeDirection.ORIGINATES else "was contacted by"
    said = Said(
        "known-bad-destination",
        Severity.PAGE,
        f"{deed} {peer_of(edge)} on {service_of(edge)}: {entry.what}",
        (("list", str(entry.network)), ("source", entry.source)),
        once=str(entry.network),
    )
    return edge_draft(case, edge, said)
