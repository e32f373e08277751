"""change-event: something was pushed into a clinical device, or it reports to another server than before."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, Places
from agent.findings.catalogue import role_mask
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, peer_of, service_of
from agent.findings.learning import HAPPENED
from agent.findings.peers import Peers
from agent.findings.records import Severity
from agent.findings.words import NS_PER_S, address_text

EDGES_MAX: Final = 32  # of an interval
PUSHED: Final = frozenset({"infusion-pump", "patient-monitor", "ventilator", "anaesthesia"})
TO_MANY: Final = frozenset({"pump-gateway"})  # it begins sessions to the pumps: whom it speaks to is not its server
PUSH_OCTETS_MIN: Final = 256 * 1024  # in an interval, inward in a session that somebody else began
PUSH_FACTOR: Final = 4  # times what the device answered: a download from it is no push
SETTLED_NS: Final = 24 * 3600 * NS_PER_S  # with one server before another one is a change
EXPECTED: Final = "Firmware, drug libraries and servers change when biomedical engineering plans it."
_TCP: Final = 6


class ChangeEvents:
    """Compares the server to which each clinical device reports, on each port, with the one before."""

    def __init__(self, peers: Peers) -> None:
        """`peers` holds those servers."""
        self._peers = peers

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; a declared window makes it no finding."""
        rows, count = case.turn.counted, case.roles.shape[0]
        tcp = (rows["protocol"] == _TCP) & (rows["device"] < count) & (rows["scope"] <= Scope.SITE)
        tcp &= (rows["gates"] & HAPPENED) != 0
        inward = rows["direction"] == EdgeDirection.RESPONDS
        big = rows["octets_in"] >= np.maximum(PUSH_OCTETS_MIN, PUSH_FACTOR * rows["octets_out"])
        for edge in case.oldest(rows, tcp & inward & big, EDGES_MAX):
            role = case.role(int(edge["device"]))
            if role in PUSHED and not case.settings.in_change_window(role, case.turn.now_ns):
                yield _push(case, edge)
        clinical = tcp & ~inward
        reports = case.contracts.clinical & ~role_mask(case.contracts.roles, TO_MANY)
        clinical[clinical] &= reports.take(case.roles.take(rows["device"][clinical]))
        codes = case.counted_codes()
        for index, before in self._moved(case, np.flatnonzero(clinical & (codes > 0))):
            edge = rows[index]
            if not case.settings.in_change_window(case.role(int(edge["device"])), case.turn.now_ns):
                yield _server(case, edge, before)

    def _moved(self, case: Case, chosen: Places) -> list[tuple[int, str]]:
        """Rows of devices that had one server on a port for a day and report to another one, and the one before."""
        rows, now_ns = case.turn.counted, case.turn.now_ns
        macs = case.turn.devices.macs()[rows["device"][chosen]]
        columns = (macs, *(rows[name][chosen] for name in ("port", "peer_hi", "peer_lo")), chosen)
        order = np.lexsort(columns[::-1])
        moved: list[tuple[int, str]] = []
        for mac, port, hi, lo, index in zip(*(column.take(order).tolist() for column in columns), strict=True):
            before = self._peers.reports_to(mac, port, (hi, lo), now_ns)
            if before is not None and now_ns - before.since_ns >= SETTLED_NS and len(moved) < EDGES_MAX:
                moved.append((index, address_text(*before.peer)))
        return moved


def _server(case: Case, edge: np.void, before: str) -> Draft:
    text = f"reports to {case.peer_text(edge)} on {service_of(edge)}, and to {before} before"
    once = f"server|{int(edge['port'])}"
    evidence = (("before", before),)
    said = Said("change-event", Severity.REVIEW, text, evidence, EXPECTED, once, together=True)
    moved = f"hl7-second-receiver|{peer_of(edge)}|{peer_of(edge)}"  # the same move, by what is sent there
    return edge_draft(case, edge, said)._replace(part_of=(moved,))


def _push(case: Case, edge: np.void) -> Draft:
    octets = int(edge["octets_in"])
    text = (
        f"was sent {octets >> 10} KiB by {case.peer_text(edge)} on {service_of(edge)} in one session, as firmware or a "
        "drug library is"
    )
    evidence = (("octets", octets),)
    return edge_draft(case, edge, Said("change-event", Severity.REVIEW, text, evidence, EXPECTED, together=True))
