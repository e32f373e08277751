"""exfiltration: a device sends far more than its role ever does, window after window.

To a peer of today, on any port: a contract that lets a monitor report by HTTPS to the site says nothing of how much.
And to a peer of old, on a port of the contract, when no device of a clinical role ever sent so much at this hour.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case, Mask, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import OUTSIDE
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, service_of
from agent.findings.records import NO_CONTRACT, Rows, Severity
from agent.findings.volumes import Volumes
from agent.findings.windows import EdgeWindows
from agent.findings.words import NS_PER_S, many

OCTETS_MIN: Final = 4 << 20  # in an interval: less is no theft that a volume shows
WINDOWS: Final = 4
WINDOWS_MIN: Final = 3  # of them
NEW_NS: Final = 24 * 3600 * NS_PER_S  # a peer that is known for longer is not new
# Where the contract opens the port a page needs a device on a patient: archives, scanners and central stations move
# images and waves by trade.
ON_PATIENTS: Final = frozenset({"infusion-pump", "patient-monitor", "ventilator", "anaesthesia"})
EXPECTED: Final = "It sends little, to few."


class _Large(NamedTuple):
    """Rows of an interval that are larger than they should be."""

    unnamed: Mask  # to a peer of today, on a port that no contract names
    allowed: Mask  # on a port of the contract, to a peer of today or larger than the role ever was
    new: Mask  # of all rows: the peer is of today


class Exfiltration:
    """Remembers the newest windows of large edges."""

    def __init__(self, volumes: Volumes) -> None:
        """`volumes`: how much edges of each role send in an interval, pooled; kept over a restart."""
        self._volumes = volumes
        self._windows = EdgeWindows(WINDOWS * 120 * NS_PER_S, WINDOWS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """At the end of an interval; what breaks a *never* is said as that, and a gateway's traffic is not its own."""
        rows = case.turn.counted
        rows = rows.compress((rows["device"] < case.roles.shape[0]) & (rows["scope"] <= Scope.INTERNET))
        if not rows.shape[0]:
            return
        large, drafts = _large(case, rows, self._volumes), list[Draft]()
        if case.turn.settled:
            drafts += self._drafts(case, rows, large.unnamed, allowed=False)
            drafts += self._drafts(case, rows, large.allowed, allowed=True)
        if not case.turn.lossy:
            taught = ~(large.unnamed | (large.allowed & large.new))  # told of a peer of old it is usual from then on
            roles = case.roles.take(rows["device"])
            self._volumes.learn(roles[taught], rows["octets_out"][taught], case.turn.now_ns)
        yield from drafts

    def _drafts(self, case: Case, rows: Rows, fits: Mask, *, allowed: bool) -> Iterator[Draft]:
        for edge, key, counts in self._windows.take(case, rows, fits, WINDOWS_MIN):
            role = case.role(int(edge["device"]))
            if case.turn.devices.is_gateway(int(edge["device"])):
                continue
            if case.settings.in_change_window(role, case.turn.now_ns) or (allowed and role == UNKNOWN):
                continue
            new = bool(case.turn.now_ns - edge["first_ns"] < NEW_NS)
            sent = sum(count.octets_out for count in counts)
            deed = "sent" if key.direction == EdgeDirection.ORIGINATES else "handed out"
            text = (
                f"{deed} {sent >> 20} MiB to {case.peer_text(edge)} on {service_of(edge)} in {len(counts)} intervals, "
                f"{_why(role, new=new, allowed=allowed)}"
            )
            severity = _severity(role, new=new, allowed=allowed)
            evidence = (("octets", sent), ("intervals", len(counts)))
            yield edge_draft(case, edge, Said("exfiltration", severity, text, evidence, EXPECTED))


def _large(case: Case, rows: Rows, volumes: Volumes) -> _Large:
    now_ns, sent = case.turn.now_ns, rows["octets_out"]
    new = now_ns - rows["first_ns"] < NEW_NS
    much = (sent >= OCTETS_MIN) & (sent > rows["octets_in"])
    if not much.any():  # as in most intervals
        return _Large(much, much, new)
    roles, codes = case.roles.take(rows["device"]), case.judged(rows)
    limits = volumes.limits(now_ns)
    much &= sent >= limits.usual.take(roles)
    unnamed = much & new & ((codes == OUTSIDE) | (codes == NO_CONTRACT))
    # A tap that has not heard a whole day, or a role that still learns, takes every peer for one of today.
    allowed = much & (codes > OUTSIDE) & volumes.heard_a_day(now_ns) & _learned(case).take(roles)
    clinical = case.contracts.clinical.take(roles)
    allowed &= new | (clinical & (sent >= limits.most.take(roles)))
    return _Large(unnamed, allowed, new)


def _learned(case: Case) -> Mask:
    """Roles whose pool has ended learning."""
    watched, learned = case.usual.watched(), np.zeros(len(case.contracts.roles), np.bool_)
    count = min(watched.shape[0], learned.shape[0])
    learned[:count] = watched[:count]
    return learned


def _why(role: str, *, new: bool, allowed: bool) -> str:
    if not new:
        return f"on a port of its contract, and {many(role)} never sent nearly as much at this time of day"
    where = "on a port of its contract and still " if allowed else ""
    return f"{where}far more than devices of its role do, and it has not had this peer before today"


def _severity(role: str, *, new: bool, allowed: bool) -> Severity:
    """A peer of old may do what it always could; a port of the contract needs a device on a patient for a page."""
    if not allowed:
        return severity_of(role)
    return Severity.PAGE if new and role in ON_PATIENTS else Severity.REVIEW
