"""internet-contact: a device with a contract exchanges data with a public address that no line of it names."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeGate, Scope
from agent.findings.case import Case, Told, edge_evidence, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import OUTSIDE
from agent.findings.draft import Draft, Group, Subject
from agent.findings.words import address_text, bounded, mac_text, many, one, protocol_text, service_text

EDGES_MAX: Final = 256  # judged one by one in a turn; what is left over waits for the next
DESTINATIONS_MIN: Final = 6  # different public peers of one device in an hour that fold into one finding
DEVICES_MIN: Final = 3  # devices of a role with the same peer in an hour that fold into one finding
_EXCHANGED: Final = np.uint8(EdgeGate.EXCHANGED | EdgeGate.TWO_WAY_DATA)


def internet_contacts(case: Case) -> Iterator[Draft]:
    """Data must have gone both ways: an attempt is the business of the scan detectors.

    A device whose role is not sure enough is not judged; its edge is held until it is.
    """
    edges = case.edges
    exchanged = (edges["scope"] == Scope.INTERNET) & ((edges["gates"] & _EXCHANGED) != 0)
    chosen, late = case.in_order(np.flatnonzero(exchanged & (case.codes == OUTSIDE) & ~case.taken), EDGES_MAX)
    case.unsure += late
    for index in chosen:
        edge, slot = edges[index], int(edges["device"][index])
        case.taken[index] = True
        if case.turn.devices.is_gateway(slot):
            continue
        role = case.role(slot)
        if role == UNKNOWN:
            case.unsure.append(index)
        elif not case.contracts.excused(role, edge):
            yield _draft(case, role, slot, edge)


def _draft(case: Case, role: str, slot: int, edge: np.void) -> Draft:
    devices, mac = case.turn.devices, case.turn.devices.mac(slot)
    peer = address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))
    protocol, port = int(edge["protocol"]), int(edge["port"])
    service = f"{protocol_text(protocol)}|{port}"
    told = Told(
        text=f"{bounded(devices.label(slot))} exchanged data with the public address {peer} on "
        f"{service_text(protocol, port)}, which no {one(role)} does",
        evidence=(*edge_evidence(case, edge), ("service", service_text(protocol, port))),
        cause=f"internet-contact|{mac_text(mac)}|{peer}|{service}",
        first_ns=int(edge["first_ns"]),
        last_ns=int(edge["last_ns"]),
    )
    groups = (
        Group(f"internet-contact|{role}|{peer}|{service}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}"),
        Group(f"internet-contact|{mac_text(mac)}", f"{peer}|{service}", DESTINATIONS_MIN, "{n} public destinations"),
    )
    subject = Subject(mac, 0, peer, protocol, port)
    return Draft(case.finding("internet-contact", severity_of(role), slot, told), subject, groups)
