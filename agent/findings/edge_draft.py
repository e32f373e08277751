"""A finding about one edge: cause, evidence, subject and groups as every detector of edges makes them."""

from typing import Final, NamedTuple

import numpy as np

from agent.devices.records import EdgeDirection
from agent.findings.case import Case, Evidence, Told, edge_evidence
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Severity
from agent.findings.words import address_text, mac_text, many, protocol_text, service_text

DEVICES_MIN: Final = 3  # devices of a role with the same peer or service in an hour that fold into one finding
PEERS_MIN: Final = 4  # of one device in an hour that fold into one finding


class Said(NamedTuple):
    """What a detector says of an edge."""

    id: str
    severity: Severity
    text: str  # after the device's label
    evidence: Evidence = ()
    expected: str = ""
    once: str = ""  # the cause beside the device, where it is not the peer and the service
    edge: bool = True  # whether the edge's counts are evidence
    together: bool = False  # whether devices that do it with one peer are one cause from the first on


def peer_of(edge: np.void) -> str:
    """The other end's address."""
    return address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))


def service_of(edge: np.void) -> str:
    """`TCP port 23 (Telnet)`."""
    return service_text(int(edge["protocol"]), int(edge["port"]))


def edge_draft(case: Case, edge: np.void, said: Said) -> Draft:
    """The draft; `edge` may be a row of the turn or of the interval."""
    slot = int(edge["device"])
    mac, role = mac_text(case.turn.devices.mac(slot)), case.role(slot)
    protocol, port = int(edge["protocol"]), int(edge["port"])
    direction = "out" if edge["direction"] == EdgeDirection.ORIGINATES else "in"
    service = f"{direction}|{protocol_text(protocol)}|{port}"
    counts = (*edge_evidence(case, edge), ("service", service_of(edge))) if said.edge else ()
    told = Told(
        text=f"{case.label(slot)} {said.text}",
        evidence=(*counts, *said.evidence),
        cause=f"{said.id}|{mac}|{said.once or f'{peer_of(edge)}|{service}'}",
        first_ns=int(edge["first_ns"]),
        last_ns=max(int(edge["first_ns"]), int(edge["last_ns"])),
        expected=case.contracts.expected(role) or said.expected,
    )
    what, whose = said.once or service, f"{{n}} {many(role)}"
    groups = (
        Group(f"{said.id}|{peer_of(edge)}|{what}", mac, 1, "{n} devices")
        if said.together
        else Group(f"{said.id}|{role}|{what}", mac, DEVICES_MIN, whose),
        Group(
            f"{said.id}|{mac}", said.once or f"{peer_of(edge)}|{service}", PEERS_MIN, "{n} such contacts of this device"
        ),
    )
    finding = case.finding(said.id, said.severity, slot, told)
    return Draft(
        finding, Subject(case.turn.devices.mac(slot), case.peer_mac(edge), peer_of(edge), protocol, port), groups
    )
