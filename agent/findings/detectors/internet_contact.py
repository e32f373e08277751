"""internet-contact: a device with a contract exchanges data with a public address that no line of it names."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case, Told, edge_evidence, more_in_turn, severity_of
from agent.findings.catalogue import CLINICAL_ROLES, UNKNOWN
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import EdgeMark
from agent.findings.words import address_text, mac_text, many, one, protocol_text, service_text

EDGES_MAX: Final = 64  # judged one by one in a turn (0.3 ms each); the rest is counted
DESTINATIONS_MIN: Final = 6  # different public peers of one device in an hour that fold into one finding
DEVICES_MIN: Final = 3  # devices of a role with the same peer in an hour that fold into one finding
OTHERS_MIN: Final = 4  # of a role that is not clinical: a workstation that browses meets hundreds of addresses a day


def internet_contacts(case: Case) -> Iterator[Draft]:
    """Data must have gone both ways: an attempt is the business of the scan detectors.

    A device whose role is not sure enough is not judged; its edge is held until it is.
    """
    edges = case.edges
    chosen, late = case.in_order(case.left(EdgeMark.PUBLIC), EDGES_MAX)
    for index in chosen:
        edge = edges[index]
        slot = int(edge["device"])
        case.taken[index] = True
        if case.turn.devices.is_gateway(slot):
            continue
        role = case.role(slot)
        if role == UNKNOWN:
            case.unsure.append(index)
        elif not case.contracts.excused(role, edge):
            yield _draft(case, role, slot, edge)
    if late:
        case.taken[late] = True
        yield more_in_turn(case, "internet-contact", len(late))


def _draft(case: Case, role: str, slot: int, edge: np.void) -> Draft:
    mac = case.turn.devices.mac(slot)
    peer = address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))
    protocol, port = int(edge["protocol"]), int(edge["port"])
    service = f"{protocol_text(protocol)}|{port}"
    clinical = role in CLINICAL_ROLES
    reproach = f"which no {one(role)} does" if clinical else f"which the contract of {many(role)} does not name"
    told = Told(
        text=f"{case.label(slot)} exchanged data with the public address {peer} on "
        f"{service_text(protocol, port)}, {reproach}",
        evidence=(*edge_evidence(case, edge), ("service", service_text(protocol, port))),
        cause=f"internet-contact|{mac_text(mac)}|{peer}|{service}",
        first_ns=int(edge["first_ns"]),
        last_ns=int(edge["last_ns"]),
    )
    subject = Subject(mac, 0, peer, protocol, port)
    return Draft(
        case.finding("internet-contact", severity_of(role), slot, told),
        subject,
        _groups(role, mac_text(mac), peer, service),
    )


def _groups(role: str, mac: str, peer: str, service: str) -> tuple[Group, ...]:
    """What may be one cause: a role's devices that meet one peer, a device that meets many, a role that browses."""
    if role not in CLINICAL_ROLES:
        key, member = f"internet-contact|{role}", f"{mac}|{peer}"
        return (Group(key, member, OTHERS_MIN, f"{{n}} contacts of {many(role)}"),)
    return (
        Group(f"internet-contact|{role}|{peer}|{service}", mac, DEVICES_MIN, f"{{n}} {many(role)}"),
        Group(f"internet-contact|{mac}", f"{peer}|{service}", DESTINATIONS_MIN, "{n} public destinations"),
    )
