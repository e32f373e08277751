"""Facts of the inventory: said once for a device, again when the fact is another; those of a role's devices fold."""

from typing import Final, NamedTuple

from agent.findings.case import Case, Evidence, Told
from agent.findings.draft import Draft, Group, Subject
from agent.findings.edge_draft import DEVICES_MIN
from agent.findings.records import Severity
from agent.findings.words import mac_text, many

KEPT_MAX: Final = 4096  # facts; the oldest may be said again, and the ledger folds it
SAID_MAX: Final = 32  # in an interval; the others' turn comes with the next


class Fact(NamedTuple):
    """What is so of a device."""

    slot: int
    key: str  # of pack words and numbers: another key is another fact
    text: str  # after the device's label
    evidence: Evidence
    expected: str


class Inventory:
    """Which facts of one kind of finding were said."""

    def __init__(self, finding_id: str) -> None:
        self._id = finding_id
        self._said: dict[tuple[int, str], None] = {}
        self._left = 0

    def begin(self) -> None:
        """A new interval."""
        self._left = SAID_MAX

    def draft(self, case: Case, fact: Fact) -> Draft | None:
        """The finding, unless it was said before or this interval has said enough."""
        mac = case.turn.devices.mac(fact.slot)
        if (mac, fact.key) in self._said or self._left <= 0:
            return None
        self._left -= 1
        self._said[mac, fact.key] = None
        while len(self._said) > KEPT_MAX:
            del self._said[next(iter(self._said))]
        role = case.role(fact.slot)
        told = Told(
            text=f"{case.label(fact.slot)} {fact.text}",
            evidence=fact.evidence,
            cause=f"{self._id}|{mac_text(mac)}|{fact.key}",
            first_ns=case.turn.devices.first_ns(fact.slot),
            last_ns=case.turn.now_ns,
            expected=fact.expected,
        )
        group = Group(f"{self._id}|{role}|{fact.key}", mac_text(mac), DEVICES_MIN, f"{{n}} {many(role)}")
        return Draft(case.finding(self._id, Severity.POSTURE, fact.slot, told), Subject(mac), (group,))
