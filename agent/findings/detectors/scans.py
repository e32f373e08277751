"""port-scan, host-sweep, smb-spread, telnet-spread: many first contacts that failed, counted by the sequential test.

A fan is one cause. Edges that belong to it - the scanner's own, and the other end's - are not judged again, and
breaches that were said before the fan grew large enough fold into it.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from agent.devices.records import NO_SLOT, EdgeDirection, FanKind, Scope
from agent.findings.answers import Answers
from agent.findings.case import Case, Evidence, Mask, Told, severity_of
from agent.findings.catalogue import UNKNOWN
from agent.findings.detectors.arp_sweep import ARP_PROTOCOL
from agent.findings.draft import Draft, Group, Subject
from agent.findings.records import Finding, Severity
from agent.findings.thresholds import (
    SMB_PORT,
    SMB_SPREAD_FAILED_MIN,
    TELNET_PORTS,
)
from agent.findings.words import (
    NS_PER_S,
    address_text,
    bounded,
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
_TCP: Final = 6


@dataclass(slots=True)
class _Fan:
    """A scan that was said."""

    kind: int
    slot: int
    mac: int
    protocol: int
    port: int
    peer: tuple[int, int]
    draft: Draft
    last_ns: int
    unknown: bool  # its source has no role: a clinical answer makes it a page
    victims: set[int]


class Scans:
    """Knows the open fans of this run, bounded."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, _Fan] = OrderedDict()
        self._answers = Answers()
        self.folded: list[tuple[str, int, int]] = []  # cause, edges and last time of this turn: for the ledger

    def judge(self, case: Case) -> Iterator[Draft]:
        """New fans first, then everything that belongs to open ones."""
        self._answers.observe(case)
        self._expire(case.turn.now_ns)
        fans = case.turn.fans
        chosen = fans[np.isin(fans["kind"], (FanKind.HOSTS, FanKind.PORTS)) & (fans["device"] < case.roles.shape[0])]
        order = np.lexsort(tuple(chosen[k] for k in ("peer_lo", "peer_hi", "port", "protocol", "kind", "first_ns")))
        for row in chosen[order][:FANS_A_TURN_MAX]:
            draft = self._report(case, row)
            if draft is not None:
                yield draft
        self.folded.clear()
        case.sweeps.update((fan.mac, cause) for cause, fan in self._open.items() if fan.kind == FanKind.HOSTS)
        for cause, fan in self._open.items():
            yield from self._fold(case, cause, fan)

    def _report(self, case: Case, row: np.void) -> Draft | None:
        """A fan that crossed its threshold; None when it is nobody's scan."""
        slot = int(row["device"])
        if case.turn.devices.is_gateway(slot):  # it carries other people's packets
            return None
        fan = self._fan(case, row, slot)
        own = _own_edges(case, fan)
        if fan.kind == FanKind.PORTS:
            peers = case.edges["peer_device"][own]
            fan.victims.update(int(p) for p in peers[peers != NO_SLOT])
        fan.draft = self._draft(case, row, fan, own)
        cause = fan.draft.finding.cause
        self._open[cause] = fan
        self._open.move_to_end(cause)
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        return fan.draft

    def _fan(self, case: Case, row: np.void, slot: int) -> _Fan:
        return _Fan(
            kind=int(row["kind"]),
            slot=slot,
            mac=case.turn.devices.mac(slot),
            protocol=int(row["protocol"]),
            port=int(row["port"]),
            peer=(int(row["peer_hi"]), int(row["peer_lo"])),
            draft=_NOTHING,
            last_ns=case.turn.now_ns,
            unknown=case.role(slot) == UNKNOWN,
            victims=set(),
        )

    def _draft(self, case: Case, row: np.void, fan: _Fan, own: Mask) -> Draft:
        role, label = case.role(fan.slot), bounded(case.turn.devices.label(fan.slot))
        finding_id = _kind(case, row, fan, own)
        answered = self._clinical_answers(case, fan)
        severity = severity_of(role)
        if finding_id in ("smb-spread", "telnet-spread") or (fan.unknown and answered):
            severity = Severity.PAGE
        failed, tried = int(row["failed"]), int(row["attempts"])
        target, target_key = _target(case, fan, own)
        public = "public " if row["scope"] == Scope.INTERNET else ""
        what = (
            f"tried {tried} different ports of {target}"
            if fan.kind == FanKind.PORTS
            else f"tried {target} on {tried} different {public}addresses"
        )
        none = "none of them answered" if failed == tried else f"{failed} of them refused or never answered"
        tail = f", and no {one(role)} searches like that" if role != UNKNOWN else ""
        text = f"{label} {what} {within_text(int(row['first_ns']), int(row['last_ns']))}; {none}{tail}"
        told = Told(
            text=text,
            evidence=_evidence(case, row, target, answered),
            cause=f"{finding_id}|{mac_text(fan.mac)}|{target_key}",
            first_ns=int(row["first_ns"]),
            last_ns=int(row["last_ns"]),
            expected=case.contracts.expected(role) or EXPECTED,
        )
        finding = case.finding(finding_id, severity, fan.slot, told)
        peer = address_text(*fan.peer) if fan.kind == FanKind.PORTS else ""
        group = Group(f"broad-scan|{mac_text(fan.mac)}", target_key, SCANS_MIN, "{n} scans of this device")
        subject = Subject(fan.mac, 0, peer, fan.protocol, fan.port)
        return Draft(finding, subject, (group,), _explains(case, fan, peer))

    def _fold(self, case: Case, cause: str, fan: _Fan) -> Iterator[Draft]:
        """Take the edges of an open fan; a clinical device's answer to an unknown scanner makes it a page."""
        if case.turn.devices.mac(fan.slot) != fan.mac:
            return  # the slot belongs to another device by now
        own = _own_edges(case, fan)
        mine = (own | _other_ends(case, fan, own)) & ~case.taken
        count = int(np.count_nonzero(mine))
        if count == 0:
            return
        case.taken |= mine
        fan.last_ns = case.turn.now_ns
        self.folded.append((cause, count, int(case.edges["last_ns"][mine].max())))
        finding = fan.draft.finding
        if not fan.unknown or finding.severity is Severity.PAGE:
            return
        answered = self._clinical_answers(case, fan)
        if answered:
            evidence = (*finding.evidence, ("answered-by-clinical-devices", answered))
            worse = replace(finding, severity=Severity.PAGE, evidence=evidence, time_ns=case.turn.now_ns)
            fan.draft = fan.draft._replace(finding=worse)
            yield fan.draft._replace(groups=(), explains=())

    def _clinical_answers(self, case: Case, fan: _Fan) -> int:
        service = (fan.protocol, fan.port) if fan.kind == FanKind.HOSTS else None
        return self._answers.count(fan.mac, service, address_text(*fan.peer), case.turn.now_ns)

    def _expire(self, now_ns: int) -> None:
        for cause in [c for c, fan in self._open.items() if now_ns - fan.last_ns > OPEN_NS]:
            del self._open[cause]


def _kind(case: Case, row: np.void, fan: _Fan, own: Mask) -> str:
    """The catalogue id: what is tried on many hosts may have a name of its own."""
    if fan.kind == FanKind.PORTS:
        return "port-scan"
    if fan.protocol == _TCP and fan.port == SMB_PORT:
        smb1 = bool(np.any(case.edges["application"][own] == Application.SMB1))
        return "smb-spread" if smb1 or int(row["failed"]) >= SMB_SPREAD_FAILED_MIN else "host-sweep"
    if fan.protocol == _TCP and fan.port in TELNET_PORTS:
        return "telnet-spread"
    return "host-sweep"


def _own_edges(case: Case, fan: _Fan) -> Mask:
    """Edges the scanner began: to the service, or to the host."""
    edges = case.edges
    own: Mask = (edges["device"] == fan.slot) & (edges["direction"] == EdgeDirection.ORIGINATES)
    if fan.kind == FanKind.HOSTS:
        own &= (edges["protocol"] == fan.protocol) & (edges["port"] == fan.port)
    else:
        own &= (edges["peer_hi"] == np.uint64(fan.peer[0])) & (edges["peer_lo"] == np.uint64(fan.peer[1]))
    return own


def _other_ends(case: Case, fan: _Fan, own: Mask) -> Mask:
    """The same contacts as the scanned devices' edges."""
    edges = case.edges
    ends: Mask = (edges["peer_device"] == fan.slot) & (edges["direction"] == EdgeDirection.RESPONDS)
    if fan.kind == FanKind.HOSTS:
        ends &= (edges["protocol"] == fan.protocol) & (edges["port"] == fan.port)
        return ends
    peers = edges["peer_device"][own]
    fan.victims.update(int(p) for p in peers[peers != NO_SLOT])
    ends &= np.isin(edges["device"], tuple(fan.victims))
    return ends


def _target(case: Case, fan: _Fan, own: Mask) -> tuple[str, str]:
    """What was tried, for the sentence and for the cause."""
    if fan.kind == FanKind.HOSTS:
        return service_text(fan.protocol, fan.port), f"{protocol_text(fan.protocol)}|{fan.port}"
    address = address_text(*fan.peer)
    first = np.flatnonzero(own & (case.edges["peer_device"] != NO_SLOT))[:1]
    return (case.peer_text(case.edges[first[0]]) if first.size else address), address


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


def _explains(case: Case, fan: _Fan, peer: str) -> tuple[Subject, ...]:
    """Open findings that are this scan seen piece by piece."""
    if fan.kind == FanKind.HOSTS:
        return (
            Subject(fan.mac, 0, "", fan.protocol, fan.port),
            Subject(0, fan.mac, "", fan.protocol, fan.port),
            Subject(fan.mac, 0, "", ARP_PROTOCOL, 0),
        )
    victims = sorted(fan.victims)[:8]
    return (
        Subject(fan.mac, 0, peer, 0, 0),
        *(Subject(case.turn.devices.mac(v), fan.mac, "", 0, 0) for v in victims if v < case.roles.shape[0]),
    )


_NOTHING: Final = Draft(
    Finding("", Severity.REVIEW, 0, UNKNOWN, "none", 0, 0, 0, 0, "", (), (), "", "", ""), Subject(0)
)
