"""contract-breach: a device does what its contract forbids (no gate), or, if it is clinical, what it does not know."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate
from agent.findings.case import Case, Told, edge_evidence, more_in_turn, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import EdgeMark
from agent.findings.words import address_text, article, mac_text, many, one, protocol_text, service_text

EDGES_MAX: Final = 64  # of each kind, judged one by one in a turn (0.3 ms each); the rest is counted
SERVICES_MIN: Final = 6  # different breaches of one device in an hour that fold into one finding
DEVICES_MIN: Final = 3  # devices of a role with the same breach in an hour that fold into one finding
FTP_PORT: Final = 21
DYNAMIC_PORT_MIN: Final = 1024
_ANSWERED: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.ANSWERED)
_EXCHANGED: Final = np.uint8(EdgeGate.EXCHANGED | EdgeGate.TWO_WAY_DATA)


def contract_breaches(case: Case) -> Iterator[Draft]:
    """A *never* at any sign of it; anything else outside only when it happened.

    That is: the gates are passed, the initiator is known, and nobody declared a change.
    """
    chosen, late = _candidates(case)
    if not chosen:
        return
    if late:
        yield more_in_turn(case, "contract-breach", late)
    ready: list[tuple[int, int, bool]] = []
    for index in _of_sure_devices(case, chosen):
        slot, never = int(case.edges["device"][index]), bool(case.codes[index] < 0)
        role = case.turn.devices.role(slot)
        if case.role(slot) != role or role == UNKNOWN:
            case.unsure.append(index)
            if not never or role == UNKNOWN:
                continue
        if not never and case.peer_is_new(index):
            case.unsure.append(index)
            continue
        if never or not case.settings.in_change_window(role, case.turn.now_ns):
            ready.append((index, slot, never))
    approved = case.approved([index for index, _, never in ready if not never])
    for index, slot, _ in ready:
        if index not in approved:
            yield _draft(case, index, case.edges[index], slot)


def _candidates(case: Case) -> tuple[list[int], int]:
    """Edges worth a look, found with array operations, and how many more there are."""
    nevers, late_nevers = case.in_order(case.left(EdgeMark.NEVER), EDGES_MAX)
    others, late_others = case.in_order(case.left(EdgeMark.OUTSIDE), EDGES_MAX)
    return [*nevers, *others], len(late_nevers) + len(late_others)


def _of_sure_devices(case: Case, chosen: list[int]) -> list[int]:
    """Without a gateway's edges, and without those of guessed roles that break no *never*: they wait."""
    places = np.array(chosen, np.intp)
    slots, devices = case.edges["device"][places], case.turn.devices
    own = ~devices.gateways()[slots]
    guess = own & (case.codes[places] >= 0) & case.nameless(slots)
    case.unsure += places[guess].tolist()
    sure: list[int] = places[own & ~guess].tolist()
    return sure


def _draft(case: Case, index: int, edge: np.void, slot: int) -> Draft:
    devices = case.turn.devices
    role, mac, never = devices.role(slot), devices.mac(slot), int(case.codes[index]) < 0
    peer = address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))
    protocol, port = int(edge["protocol"]), int(edge["port"])
    direction = "out" if edge["direction"] == EdgeDirection.ORIGINATES else "in"
    service = f"{direction}|{protocol_text(protocol)}|{port}"
    rule = case.contracts.never(int(case.codes[index])) if never else None
    told = Told(
        text=f"{case.label(slot)} {_deed(edge)} {case.peer_text(edge)} on {service_text(protocol, port)}, "
        + (f"which {article(one(role))} must never do" if never else f"which no {one(role)} normally does"),
        evidence=(
            *edge_evidence(case, edge),
            ("service", service_text(protocol, port)),
            *((("never", rule.what), ("source", rule.source)) if rule else ()),
        ),
        cause=f"contract-breach|{mac_text(mac)}|{peer}|{service}",
        first_ns=int(edge["first_ns"]),
        last_ns=int(edge["last_ns"]),
    )
    sure = case.role(slot) == role  # a guessed role may be told, but nobody is woken for a guess
    finding = case.finding("contract-breach", severity_of(role if sure else UNKNOWN), slot, told)
    groups = (
        Group(f"contract-breach|{role}|{service}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}"),
        Group(
            f"contract-breach|{mac_text(mac)}", f"{peer}|{service}", SERVICES_MIN, "{n} such contacts of this device"
        ),
    )
    whole = _ftp_sessions(mac_text(mac), peer) if protocol == 6 and port >= DYNAMIC_PORT_MIN else ()
    return Draft(finding, Subject(mac, case.peer_mac(edge), peer, protocol, port), groups, part_of=whole)


def _ftp_sessions(mac: str, peer: str) -> tuple[str, ...]:
    """A dynamic port between the ends of an FTP session is its data (RFC 959): one cause."""
    return tuple(f"contract-breach|{mac}|{peer}|{direction}|tcp|{FTP_PORT}" for direction in ("in", "out"))


def _deed(edge: np.void) -> str:
    """What the device did, in the words of what was seen: data, a session, or an attempt."""
    originates = edge["direction"] == EdgeDirection.ORIGINATES
    if edge["gates"] & _EXCHANGED:
        return "exchanged data with" if originates else "answered"
    if edge["gates"] & _ANSWERED:
        return "opened a session to" if originates else "accepted a session from"
    return "tried to reach" if originates else "was approached by"
