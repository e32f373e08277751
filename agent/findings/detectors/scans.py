"""port-scan, host-sweep, smb-spread, telnet-spread: many first contacts that failed, counted by the sequential test.

A fan is one cause. Edges that belong to it - the scanner's own, and the other end's - are not judged again, and
breaches that were said before the fan grew large enough fold into it.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from agent.devices.records import NO_SLOT, FanKind, Scope
from agent.findings.answers import Answers
from agent.findings.case import Case, Evidence, Places, Told, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.detectors.arp_sweep import ARP_PROTOCOL
from agent.findings.draft import Draft, Group, Subject
from agent.findings.fans import FanKey, OpenFan, open_fan, other_ends, own_edges
from agent.findings.records import Rows, Severity
from agent.findings.thresholds import (
    SMB_PORTS,
    SMB_SPREAD_FAILED_MIN,
    TELNET_PORTS,
)
from agent.findings.words import (
    NS_PER_S,
    mac_text,
    one,
    protocol_text,
    service_text,
    time_text,
    within_text,
)
from agent.packets.records import Application

FANS_A_TURN_MAX: Final = 64  # the sets of a table bound it far lower for one device; the rest is a broad scan anyway
OPEN_MAX: Final = 256  # fans whose edges still fold
OPEN_NS: Final = 3600 * NS_PER_S  # after its last edge
SCANS_MIN: Final = 4  # scans of one device in an hour that fold into one broad scan
EXPECTED: Final = "Devices on a ward reach the few servers they know; they do not search for others."
_SPREADS: Final = ("smb-spread", "telnet-spread")  # a page whoever does it
_TCP: Final = 6
_HOSTS: Final = int(FanKind.HOSTS)


class Scans:
    """Knows the open fans of this run, bounded."""

    def __init__(self) -> None:
        self._open: OrderedDict[FanKey, OpenFan] = OrderedDict()
        self._answers = Answers()
        self.folded: list[tuple[str, int, int]] = []  # cause, edges and last time of this turn: for the ledger

    def judge(self, case: Case) -> Iterator[Draft]:
        """New fans first, then everything that belongs to open ones."""
        self._answers.observe(case)
        self._expire(case.turn.now_ns)
        for row in _crossed(case):
            if not case.turn.devices.is_gateway(int(row["device"])):  # a gateway carries other people's packets
                yield self._report(case, row)
        self.folded.clear()
        for fan in self._open.values():
            yield from self._fold(case, fan)

    def _report(self, case: Case, row: np.void) -> Draft:
        """A fan that crossed its threshold."""
        fan = open_fan(case, row, case.role(int(row["device"])) == UNKNOWN)
        fan.draft = self._draft(case, row, fan, own_edges(case, fan))
        self._open[fan.key] = fan
        self._open.move_to_end(fan.key)
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        return fan.draft

    def _draft(self, case: Case, row: np.void, fan: OpenFan, own: Places) -> Draft:
        role = case.role(fan.slot)
        finding_id = _kind(case, row, fan, own)
        answered = self._clinical_answers(case, fan)
        severity = severity_of(role)
        if finding_id in _SPREADS or (fan.unknown and answered):
            severity = Severity.PAGE
        target, target_key = _target(case, fan, own)
        cause_key = f"|{target_key}" if finding_id not in _SPREADS else ""  # a worm's ports are one cause
        told = Told(
            text=_text(case, row, fan, target),
            evidence=_evidence(case, row, target, answered),
            cause=f"{finding_id}|{mac_text(fan.key.mac)}{cause_key}",
            first_ns=int(row["first_ns"]),
            last_ns=int(row["last_ns"]),
            expected=case.contracts.expected(role) or EXPECTED,
        )
        finding = case.finding(finding_id, severity, fan.slot, told)
        group = Group(f"broad-scan|{mac_text(fan.key.mac)}", target_key, SCANS_MIN, "{n} scans of this device")
        subject = Subject(fan.key.mac, 0, fan.peer, fan.key.protocol, fan.key.port)
        return Draft(finding, subject, (group,), _explains(case, fan))

    def _fold(self, case: Case, fan: OpenFan) -> Iterator[Draft]:
        """Take the edges of an open fan; a clinical device's answer to an unknown scanner makes it a page."""
        if fan.draft is None or case.turn.devices.mac(fan.slot) != fan.key.mac:
            return  # the slot belongs to another device by now
        finding = fan.draft.finding
        if fan.key.kind == _HOSTS:
            case.sweeps.setdefault(fan.key.mac, finding.cause)
        mine = np.concatenate([own_edges(case, fan), other_ends(case, fan)])
        mine = mine[~case.taken[mine]]
        if mine.size == 0:
            return
        case.taken[mine] = True
        fan.last_ns = case.turn.now_ns
        self.folded.append((finding.cause, mine.size, int(case.edges["last_ns"][mine].max())))
        answered = self._clinical_answers(case, fan) if fan.unknown and finding.severity is not Severity.PAGE else 0
        if answered:
            evidence = (*finding.evidence, ("answered-by-clinical-devices", answered))
            worse = replace(finding, severity=Severity.PAGE, evidence=evidence, time_ns=case.turn.now_ns)
            fan.draft = fan.draft._replace(finding=worse, groups=(), explains=())
            yield fan.draft

    def _clinical_answers(self, case: Case, fan: OpenFan) -> int:
        service = (fan.key.protocol, fan.key.port) if fan.key.kind == _HOSTS else None
        return self._answers.count(fan.key.mac, service, fan.peer, case.turn.now_ns)

    def _expire(self, now_ns: int) -> None:
        for key in [k for k, fan in self._open.items() if now_ns - fan.last_ns > OPEN_NS]:
            del self._open[key]


def _crossed(case: Case) -> Rows:
    """Fans of hosts and ports that crossed their threshold in this turn, oldest first."""
    fans = case.turn.fans
    if fans.shape[0] == 0:
        return fans
    chosen = fans[np.isin(fans["kind"], (FanKind.HOSTS, FanKind.PORTS)) & (fans["device"] < case.roles.shape[0])]
    order = np.lexsort(tuple(chosen[k] for k in ("peer_lo", "peer_hi", "port", "protocol", "kind", "first_ns")))
    first: Rows = chosen[order][:FANS_A_TURN_MAX]
    return first


def _kind(case: Case, row: np.void, fan: OpenFan, own: Places) -> str:
    """The catalogue id: what is tried on many hosts may have a name of its own."""
    if fan.key.kind == FanKind.PORTS:
        return "port-scan"
    if fan.key.protocol == _TCP and fan.key.port in SMB_PORTS:
        smb1 = bool(np.any(case.edges["application"][own] == Application.SMB1))
        return "smb-spread" if smb1 or int(row["failed"]) >= SMB_SPREAD_FAILED_MIN else "host-sweep"
    if fan.key.protocol == _TCP and fan.key.port in TELNET_PORTS:
        return "telnet-spread"
    return "host-sweep"


def _text(case: Case, row: np.void, fan: OpenFan, target: str) -> str:
    """Who tried what on how many, in which time, and what became of it."""
    role, failed, tried = case.role(fan.slot), int(row["failed"]), int(row["attempts"])
    public = "public " if row["scope"] == Scope.INTERNET else ""
    what = (
        f"tried {tried} different ports of {target}"
        if fan.key.kind == FanKind.PORTS
        else f"tried {target} on {tried} different {public}addresses"
    )
    none = "none of them answered" if failed == tried else f"{failed} of them refused or never answered"
    tail = f", and no {one(role)} searches like that" if role != UNKNOWN else ""
    return f"{case.label(fan.slot)} {what} {within_text(int(row['first_ns']), int(row['last_ns']))}; {none}{tail}"


def _target(case: Case, fan: OpenFan, own: Places) -> tuple[str, str]:
    """What was tried, for the sentence and for the cause."""
    key = fan.key
    if key.kind == FanKind.HOSTS:
        return service_text(key.protocol, key.port), f"{protocol_text(key.protocol)}|{key.port}"
    first = own[case.edges["peer_device"][own] != NO_SLOT][:1]
    return (case.peer_text(case.edges[first[0]]) if first.size else fan.peer), fan.peer


def _evidence(case: Case, row: np.void, target: str, answered: int) -> Evidence:
    extra: list[tuple[str, str | int]] = []
    if answered:
        extra.append(("answered-by-clinical-devices", answered))
    if case.turn.lossy:
        extra.append(("capture", "lossy"))
    return (
        ("target", target),
        ("tried", int(row["attempts"])),
        ("answered", int(row["answered"])),
        ("failed", int(row["failed"])),
        ("score-permille", int(float(row["score"]) * 1000)),
        ("first", time_text(int(row["first_ns"]))),
        ("last", time_text(int(row["last_ns"]))),
        *extra,
    )


def _explains(case: Case, fan: OpenFan) -> tuple[Subject, ...]:
    """Open findings that are this scan seen piece by piece."""
    key = fan.key
    if key.kind == FanKind.HOSTS:
        return (
            Subject(key.mac, 0, "", key.protocol, key.port),
            Subject(0, key.mac, "", key.protocol, key.port),
            Subject(key.mac, 0, "", ARP_PROTOCOL, 0),
        )
    victims = [v for v in sorted(fan.victims) if v < case.roles.shape[0]][:8]
    return (
        Subject(key.mac, 0, fan.peer, 0, 0),
        *(Subject(case.turn.devices.mac(v), key.mac, "", 0, 0) for v in victims),
    )
