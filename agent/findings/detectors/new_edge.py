"""new-edge: a contact that neither the contract nor what was learned of the role knows; once learning has ended."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, Told, edge_evidence, more_in_turn
from agent.findings.catalogue import UNKNOWN
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import NO_CONTRACT, EdgeMark, Rows, Severity
from agent.findings.words import NS_PER_S, address_text, mac_text, many, one, protocol_text, service_text

EDGES_MAX: Final = 64  # judged one by one in a turn (0.3 ms each); the rest is counted
LOOKED_AT_MAX: Final = 512  # of which the baseline is asked one by one in a turn
DEVICES_MIN: Final = 3  # devices of a role with the same new contact in an hour that fold into one finding
PATIENCE_NS: Final = 300 * NS_PER_S  # in which a newcomer may still say what it is
KINDS_MIN: Final = 4  # new contacts of one device in an hour that fold into one finding
ORDINARY: Final = (53, 67, 68, 123)
_UDP: Final = 17
EXPECTED: Final = "It does what other devices of its role on this ward were seen to do while the tap learned."


def new_edges(case: Case) -> Iterator[Draft]:
    """What the contract allows is never new, and what another detector said is not said again."""
    edges, codes, usual = case.edges, case.codes, case.usual
    watched = usual.watched()
    if not case.said.counts[EdgeMark.NEWS] or not watched.any():
        return
    unsure = watched[case.contracts.roles.index(UNKNOWN)]
    there = case.left(EdgeMark.NEWS)
    there = there[watched[case.roles.take(edges["device"][there])] | unsure]
    there = there[~usual.shared(usual.keys(edges.take(there), case.roles))]
    there = there[~_is_ordinary(edges.take(there), codes[there])]
    there = there[~_named_by_peer(case, edges.take(there))]
    chosen, late = case.in_order(there, LOOKED_AT_MAX)
    slots = edges["device"][chosen].tolist()
    macs = [case.turn.devices.mac(slot) for slot in slots]
    keys = usual.keys(edges.take(chosen), case.sure_roles(slots))
    news = usual.unknown(keys, macs, case.turn.now_ns)
    drafts = 0
    for index, slot, key, new in zip(chosen, slots, keys.tolist(), news, strict=True):
        role = case.role(slot)
        if not new or case.turn.devices.is_gateway(slot) or case.settings.in_change_window(role, case.turn.now_ns):
            continue
        if role == UNKNOWN and case.turn.now_ns - case.turn.devices.first_ns(slot) < PATIENCE_NS:
            continue  # it is held for its role, and comes again
        if not usual.said(case.turn.devices.mac(slot), key):
            continue  # an edge that is held for its role comes again with every interval
        drafts += 1
        if drafts <= EDGES_MAX:
            yield _draft(case, index, slot)
    if late or drafts > EDGES_MAX:
        yield more_in_turn(case, "new-edge", len(late) + max(0, drafts - EDGES_MAX))


def _is_ordinary(edges: Rows, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
    """What common.toml lets every device do, of devices without a contract: names, addresses and time of the site."""
    ordinary: npt.NDArray[np.bool_] = (codes == NO_CONTRACT) & (edges["protocol"] == _UDP)
    return ordinary & np.isin(edges["port"], ORDINARY) & (edges["scope"] <= Scope.SITE)


def _named_by_peer(case: Case, edges: Rows) -> npt.NDArray[np.bool_]:
    """Which contacts the other end's contract names: that a pump is sent a library is no news of its server."""
    mirrored = edges.copy()
    mirrored["device"], mirrored["peer_device"] = edges["peer_device"], edges["device"]
    mirrored["direction"] = 1 - edges["direction"]
    known = edges["peer_device"] < case.roles.shape[0]
    mirrored["device"][~known] = 0
    named: npt.NDArray[np.bool_] = known & (edges["scope"] == Scope.SEGMENT)
    return named & (case.judged(mirrored) > 0)


def _draft(case: Case, index: int, slot: int) -> Draft:
    edge, role, mac = case.edges[index], case.role(slot), case.turn.devices.mac(slot)
    peer = address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))
    protocol, port = int(edge["protocol"]), int(edge["port"])
    out = edge["direction"] == EdgeDirection.ORIGINATES
    service = f"{'out' if out else 'in'}|{protocol_text(protocol)}|{port}"
    whose = f"no {one(role)} of this ward" if role != UNKNOWN else "no such device of this ward"
    deed = "talked to" if out else "was talked to by"
    told = Told(
        text=f"{case.label(slot)} {deed} {case.peer_text(edge)} on {service_text(protocol, port)}, which {whose} did "
        "while the tap learned what is usual",
        evidence=(
            *edge_evidence(case, edge),
            ("service", service_text(protocol, port)),
            ("learned-confidence-permille", int(case.usual.confidence(role) * 1000)),
        ),
        cause=f"new-edge|{mac_text(mac)}|{peer}|{service}",
        first_ns=int(edge["first_ns"]),
        last_ns=int(edge["last_ns"]),
        expected=case.contracts.expected(role) or EXPECTED,
    )
    groups = (
        Group(f"new-edge|{role}|{service}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}"),
        Group(f"new-edge|{mac_text(mac)}", f"{peer}|{service}", KINDS_MIN, "{n} new contacts of this device"),
        Group(f"new-edge|{role}|{peer}|{service}", mac_text(mac), 1, f"{{n}} {many(role)}"),
    )
    finding = case.finding("new-edge", Severity.REVIEW, slot, told)
    return Draft(finding, Subject(mac, case.peer_mac(edge), peer, protocol, port), groups)
