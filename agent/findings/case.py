"""One turn as the detectors see it: its edges, their verdicts, and which of them somebody has explained."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agent.devices.records import NO_SLOT, EdgeDirection, Posture, Sighting
from agent.findings.catalogue import CATALOGUE, CLINICAL_ROLES, UNKNOWN
from agent.findings.contract_table import Codes
from agent.findings.contracts import ContractSet
from agent.findings.draft import Draft, Subject
from agent.findings.records import EdgeMark, Finding, Roles, Rows, Severity, Turn, Usual, Verdicts
from agent.findings.settings import JudgeSettings
from agent.findings.verdicts import verdicts
from agent.findings.words import NS_PER_S, address_text, bounded, mac_text, one, sentence, time_text

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]  # of edges in a turn
Evidence = tuple[tuple[str, str | int], ...]
PEER_PATIENCE_NS = 30 * NS_PER_S  # most devices say what they are (DHCP, discovery) within it
_LOWER = 0xFFFF_FFFF_FFFF_FFFF
_ORDER = ("first_ns", "peer_hi", "peer_lo", "protocol", "port", "direction")
_NOWHERE: Places = np.zeros(0, np.intp)


class Told(NamedTuple):
    """What a detector says about a device."""

    text: str  # the sentence; its first letter and full stop are seen to
    evidence: Evidence
    cause: str  # without the agent: id|mac|...
    first_ns: int
    last_ns: int
    expected: str = ""  # where the contract does not say it


@dataclass(slots=True)
class Case:
    """Everything a detector may look at in one turn."""

    turn: Turn
    contracts: ContractSet
    settings: JudgeSettings
    edges: Rows  # of the turn, and held ones whose device now has a role
    roles: Roles  # role index by device slot
    usual: Usual  # what was learned
    said: Verdicts = field(init=False)  # of the edges
    taken: Mask = field(init=False)  # edges that belong to a finding already
    sweeps: dict[int, str] = field(default_factory=dict)  # MAC -> cause of its open sweep
    unsure: list[int] = field(default_factory=list)  # edges whose device has no role that is sure enough: to be held
    _columns: dict[str, npt.NDArray[np.uint32]] = field(default_factory=dict)  # copies without gaps, once asked for
    _postures: list[tuple[int, Posture]] | None = None  # once asked for
    _slots: dict[int, int | None] = field(default_factory=dict)  # by MAC, as asked for in this turn
    _sure: dict[int, str] = field(default_factory=dict)  # by slot, as asked for in this turn
    _counted: Codes | None = None  # once asked for

    def __post_init__(self) -> None:
        """Ask the contracts about every edge."""
        self.said = verdicts(self.contracts.table, self.edges, self.roles)
        self.taken = np.zeros(self.edges.shape[0], np.bool_)

    @property
    def codes(self) -> Codes:
        """The contract's verdict on each edge."""
        return self.said.codes

    def judged(self, rows: Rows) -> Codes:
        """The contract's verdict on other rows."""
        return verdicts(self.contracts.table, rows, self.roles).codes

    def counted_codes(self) -> Codes:
        """And on each row of the interval; worked out once a turn."""
        if self._counted is None:
            self._counted = self.judged(self.turn.counted)
        return self._counted

    def marked(self, mark: EdgeMark) -> Places:
        """Edges with a mark, in the order of the turn, whoever has taken them."""
        count = self.said.counts[mark]
        return self.said.places[mark, :count].astype(np.intp) if count else _NOWHERE

    def left(self, mark: EdgeMark) -> Places:
        """Those of them that belong to no finding yet."""
        places = self.marked(mark)
        return places.compress(~self.taken.take(places)) if places.size else places

    @property
    def alive(self) -> bool:
        """Whether an interval closed in which this tap heard all there was: only then absence means anything."""
        turn = self.turn
        return turn.interval_closed and turn.frames > 0 and turn.whole and not turn.lossy and turn.detail == "full"

    def role(self, slot: int) -> str:
        """The device's role if it is sure enough to rest a page on, else `unknown`."""
        role = self._sure.get(slot)
        if role is None:
            sure = self.turn.devices.confidence(slot) >= self.settings.page_confidence
            role = self._sure[slot] = self.turn.devices.role(slot) if sure else UNKNOWN
        return role

    def nameless(self, slots: npt.NDArray[np.uint32]) -> Mask:
        """Which of these devices have no such role."""
        guess = self.turn.devices.confidences()[slots] < self.settings.page_confidence
        none: Mask = guess | (self.roles[slots] == self.contracts.table.rules.unknown_role)
        return none

    def sure_roles(self, slots: list[int]) -> npt.NDArray[np.int16]:
        """Roles of all slots as pools know them: for these slots a guess counts as no role."""
        roles = self.roles.copy()
        for slot in set(slots):
            roles[slot] = self.roles[slot] if self.role(slot) != UNKNOWN else self.contracts.roles.index(UNKNOWN)
        return roles

    def sighted(self, *kinds: str) -> list[Sighting]:
        """The turn's sightings of these kinds, in the order heard."""
        return [sighting for sighting in self.turn.sightings if sighting.kind in kinds]

    def slot_of(self, mac: int) -> int | None:
        """The slot of a device by its MAC; None when it has none."""
        if mac not in self._slots:
            found = np.flatnonzero(self.turn.devices.macs()[: self.roles.shape[0]] == np.uint64(mac))
            self._slots[mac] = int(found[0]) if found.size and mac else None
        return self._slots[mac]

    def edges_of(self, slot: int) -> Places:
        """Where the edges of a device are."""
        return np.flatnonzero(self._column("device") == slot)

    def edges_to(self, slot: int) -> Places:
        """Where the edges are whose peer is a device."""
        return np.flatnonzero(self._column("peer_device") == slot)

    def _column(self, name: str) -> npt.NDArray[np.uint32]:
        """A field of all edges without what stands between: hundreds of open scans search it in one turn."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = np.ascontiguousarray(self.edges[name])
        return found

    def postures(self) -> list[tuple[int, Posture]]:
        """How each device stands, in the order of their MAC addresses; worked out once a turn."""
        if self._postures is None:
            macs = self.turn.devices.macs()[: self.roles.shape[0]]
            placed = np.flatnonzero(macs)
            slots = placed[np.argsort(macs[placed], kind="stable")].tolist()
            self._postures = [(slot, self.turn.devices.posture(slot)) for slot in slots]
        return self._postures

    def label(self, slot: int) -> str:
        """How a sentence names a device: its label, with the role in the words people use (`PACS`, not `pacs`)."""
        label, role = bounded(self.turn.devices.label(slot)), self.turn.devices.role(slot)
        plain = role.replace("-", " ")
        return one(role) + label[len(plain) :] if role != UNKNOWN and label.startswith(plain) else label

    def peer_text(self, edge: np.void) -> str:
        """How a sentence names the other end: a device on the segment by its label, anything else by its address."""
        slot = int(edge["peer_device"])
        if slot != NO_SLOT and slot < self.roles.shape[0]:
            return f"the {self.label(slot)}"
        return address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))

    def peer_mac(self, edge: np.void) -> int:
        """The peer's MAC when it is a device on the segment, else 0."""
        slot = int(edge["peer_device"])
        return self.turn.devices.mac(slot) if slot != NO_SLOT and slot < self.roles.shape[0] else 0

    def in_order(self, chosen: Places, most: int) -> tuple[list[int], list[int]]:
        """At most `most` of the chosen edges, oldest first, and those that were left over, in no order.

        Rows of a hash table come in a random order by design, and so do slots: ties go by peer, service and MAC, so
        that the output does not depend on it.
        """
        if chosen.size == 0:
            return [], []
        late: list[int] = []
        if chosen.size > most:
            early, late = _first(self.edges, chosen, most)
            order = _order(self.edges, early)
            chosen = early.take(order[:most])
            late += early.take(order[most:]).tolist()
        macs = self.turn.devices.macs()[self.edges["device"][chosen]]
        return chosen.take(_order(self.edges, chosen, macs)).tolist(), late

    def approved(self, chosen: list[int]) -> set[int]:
        """Which of these edges outside a contract a person has approved, for the role or the device."""
        if not chosen:
            return set()
        slots = self.edges["device"][chosen].tolist()
        macs = [self.turn.devices.mac(slot) for slot in slots]
        keys = self.usual.keys(self.edges.take(chosen), self.sure_roles(slots))
        known = {index for index, is_known in zip(chosen, self.usual.known(keys, macs), strict=True) if is_known}
        for index, mac, key in zip(chosen, macs, keys.tolist(), strict=True):
            if index not in known:
                self.usual.said(mac, key)
        return known

    def peer_is_new(self, index: int) -> bool:
        """Whether a verdict hangs on a device that came a moment ago and has no role yet: then it waits."""
        edge = self.edges[index]
        if not self.contracts.depends_on_peer(edge, self.roles):
            return False
        return self.turn.now_ns - self.turn.devices.first_ns(int(edge["peer_device"])) < PEER_PATIENCE_NS

    def oldest(self, rows: Rows, fits: Mask, most: int) -> list[np.void]:
        """At most `most` of the rows that fit, in an order that does not depend on the tables."""
        return [rows[index] for index in self.oldest_places(rows, np.flatnonzero(fits), most)]

    def oldest_places(self, rows: Rows, chosen: Places, most: int) -> Places:
        """Where those stand, of the chosen ones."""
        if not chosen.size:
            return chosen
        chosen, _ = _first(rows, chosen, most)
        order = _order(rows, chosen, self.turn.devices.macs()[rows["device"][chosen]])
        return chosen.take(order[:most])

    def end_text(self, mac: int, address: int) -> str:
        """How a sentence names one end of a payload: a device by its label, what is behind a gateway by its address."""
        slot = self.slot_of(mac)
        if slot is not None and not (address and self.turn.devices.is_gateway(slot)):
            return f"the {self.label(slot)}"
        return address_text(address >> 64, address & _LOWER) if address else mac_text(mac)

    def finding(self, finding_id: str, severity: Severity, slot: int, told: Told) -> Finding:
        """A finding about a device, judged now."""
        role = self.turn.devices.role(slot)
        confidence: Evidence = (("role-confidence-permille", round(self.turn.devices.confidence(slot) * 1000)),)
        return Finding(
            id=finding_id,
            severity=severity,
            mac=self.turn.devices.mac(slot),
            role=role,
            tier=self.contracts.tier(role),
            time_ns=self.turn.now_ns,
            first_ns=told.first_ns,
            last_ns=told.last_ns,
            count=1,
            sentence=sentence(told.text),
            evidence=told.evidence + (confidence if role != UNKNOWN else ()),
            attack=self.contracts.attack.of(finding_id),
            cause=told.cause,
            expected=told.expected or self.contracts.expected(role),
            next_step=CATALOGUE[finding_id].next_step,
        )

    def without_device(self, finding_id: str, severity: Severity, told: Told, count: int = 1) -> Finding:
        """A finding about the tap itself, or about more than can be named: no device, no role."""
        return Finding(
            id=finding_id,
            severity=severity,
            mac=0,
            role=UNKNOWN,
            tier="none",
            time_ns=self.turn.now_ns,
            first_ns=told.first_ns,
            last_ns=told.last_ns,
            count=count,
            sentence=sentence(told.text),
            evidence=told.evidence,
            attack=self.contracts.attack.of(finding_id),
            cause=told.cause,
            expected=told.expected,
            next_step=CATALOGUE[finding_id].next_step,
        )


def _first(rows: Rows, chosen: Places, most: int) -> tuple[Places, list[int]]:
    """Without those that begin after as many as are wanted, and these: to order thousands takes a millisecond."""
    if chosen.size <= most:
        return chosen, []
    began_ns = rows["first_ns"][chosen]
    late = began_ns > np.partition(began_ns, most - 1)[most - 1]
    return chosen.compress(~late), chosen.compress(late).tolist()


def _order(rows: Rows, chosen: Places, *last: npt.NDArray[np.uint64]) -> Places:
    """By when they began, then by the other columns and by `last`; when no two began at once nothing else is asked."""
    began_ns = rows["first_ns"][chosen]
    order: Places = np.argsort(began_ns, kind="stable")
    in_turn = began_ns.take(order)
    if np.any(in_turn[1:] == in_turn[:-1]):
        order = np.lexsort([*last, *(rows[name][chosen] for name in reversed(_ORDER))])
    return order


def edge_evidence(case: Case, edge: np.void) -> Evidence:
    """Counts and times of an edge; and how those of its flows ended that have: while all go on, that is not known."""
    capture: Evidence = (("capture", "lossy"),) if case.turn.lossy else ()
    answered, failed = int(edge["answered"]), int(edge["failed"])
    ended: Evidence = (("answered", answered), ("failed", failed)) if answered or failed else ()
    return (
        ("peer", address_text(int(edge["peer_hi"]), int(edge["peer_lo"]))),
        ("direction", "originates" if edge["direction"] == EdgeDirection.ORIGINATES else "responds"),
        ("flows", int(edge["flows"])),
        *ended,
        ("packets-out", int(edge["packets_out"])),
        ("packets-in", int(edge["packets_in"])),
        ("octets-out", int(edge["octets_out"])),
        ("octets-in", int(edge["octets_in"])),
        ("first", time_text(int(edge["first_ns"]))),
        ("last", time_text(int(edge["last_ns"]))),
        *capture,
    )


def severity_of(role: str) -> Severity:
    """Page for a clinical role, else review."""
    return Severity.PAGE if role in CLINICAL_ROLES else Severity.REVIEW


def more_in_turn(case: Case, finding_id: str, count: int, within: str = "second") -> Draft:
    """One finding for what a turn has too many of to look at one by one; those that were looked at are said apart."""
    now = case.turn.now_ns
    told = Told(
        text=f"{count} more contacts within one {within} may be of the kind {finding_id}, too many to list; they are "
        "counted here, and the first ones are told apart",
        evidence=(("contacts", count),),
        cause=f"{finding_id}|too-many",
        first_ns=now,
        last_ns=now,
        expected="Devices on a ward begin a handful of new contacts in a minute.",
    )
    return Draft(case.without_device(finding_id, Severity.REVIEW, told, count), Subject(0))
