"""Suppressions: findings that somebody has explained are held back, for a while, and never lost.

A suppression is narrow (one kind of finding, of one device or role, with one peer or service), has an owner and an end,
and is as grave as the finding it was made from: what becomes graver is said. Detectors run on and what is held back is
counted; when the suppression ends, what goes on is said. What the tap says about itself cannot be held back.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, NamedTuple

from agent.findings.catalogue import ELSEWHERE, OF_THE_TAP
from agent.findings.draft import RANK, Draft, Subject
from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from agent.findings.words import NS_PER_S

# Controls: a tap that is blind, lossy or somebody else's must say so, whoever finds it tiresome.
CONTROLS: Final = OF_THE_TAP | frozenset(ELSEWHERE)
# What work on a device looks like. A scan, a worm, a tunnel or a known bad address is none, whoever works on it.
MAINTENANCE: Final = frozenset({
    "change-event", "contract-breach", "crash-after-contact", "default-service", "dicom-unknown-peer", "heartbeat-lost",
    "hl7-new-sender", "hl7-second-receiver", "inbound-to-clinical", "internet-contact", "new-device", "new-edge",
    "reboot-loop", "remote-access-tool", "role-contradiction",
})  # fmt: skip
HELD_MAX: Final = 1024  # causes that are held back; of more only the number is kept
RULES_MAX: Final = 256  # in force at once; each is compared with each finding of a turn
OPEN_NS: Final = 24 * 3600 * NS_PER_S  # what was quiet for longer when its suppression ends is over
_WORK: Final = ""  # id of a suppression that is maintenance
NEVER: Final = "never"  # name of the evidence of a finding that broke a *never*

Network = IPv4Network | IPv6Network


class Suppression(NamedTuple):
    """One explained kind of finding, or a device under maintenance (`id` is empty)."""

    id: str
    device: int = 0  # MAC; 0: any device of the role
    role: str = ""
    peer: Network | None = None
    peer_mac: int = 0
    protocol: int = 0
    port: int = 0
    severity: Severity = Severity.PAGE  # the gravest that is held back
    start_ns: int = 0
    end_ns: int = 0
    owner: str = ""
    why: str = ""

    def runs(self, now_ns: int) -> bool:
        """Whether it holds now."""
        return self.start_ns <= now_ns < self.end_ns

    def fits(self, finding: Finding, subject: Subject, sure_permille: int) -> bool:
        """Whether a finding is what somebody has explained. A role counts from this confidence on."""
        if finding.id in CONTROLS or RANK[finding.severity] > RANK[self.severity]:
            return False
        if self.device and finding.mac != self.device:
            return False
        breaks_never = any(name == NEVER for name, _ in finding.evidence)
        if not self.id:
            return finding.id in MAINTENANCE and not breaks_never
        if finding.id != self.id or (breaks_never and not self.names_a_contact):
            return False
        if self.role and (finding.role != self.role or _confidence(finding) < sure_permille):
            return False
        return self._fits_peer(subject)

    @property
    def names_a_contact(self) -> bool:
        """A device and with whom or by what: as narrow as a contact."""
        return bool(self.device and (self.peer is not None or self.peer_mac or self.port))

    def _fits_peer(self, subject: Subject) -> bool:
        if (self.protocol and subject.protocol != self.protocol) or (self.port and subject.port != self.port):
            return False
        if self.peer_mac and subject.peer_mac != self.peer_mac:
            return False
        return self.peer is None or _lies_in(subject.peer, self.peer)


class Explained(NamedTuple):
    """Everything a site has explained: what is held back, and its declared windows."""

    suppressions: tuple[Suppression, ...] = ()
    windows: tuple[ChangeWindow, ...] = ()


def _confidence(finding: Finding) -> int:
    found = dict(finding.evidence).get("role-confidence-permille", 0)
    return found if isinstance(found, int) else 0


def _lies_in(peer: str, network: Network) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return address.version == network.version and address in network


@dataclass(slots=True)
class _Held:
    """A cause that is held back, with its newest evidence."""

    draft: Draft
    count: int


class Silence:
    """The suppressions in force, and what they hold back."""

    def __init__(self, sure_permille: int) -> None:
        """`sure_permille`: confidence from which a role is one (`page_confidence`)."""
        self._sure = sure_permille
        self.rules: tuple[Suppression, ...] = ()
        self._by_id: dict[str, list[Suppression]] = {}
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self.held_back = 0  # findings since the start of the run, repeats included
        self.left_out = 0  # causes for which there was no room: they are not said when their suppression ends

    def replace(self, rules: Sequence[Suppression]) -> None:
        """Other suppressions are in force from now on; what only the old ones held is released with the next turn."""
        self.rules = tuple(rules[:RULES_MAX])
        self._by_id = {}
        for rule in self.rules:
            self._by_id.setdefault(rule.id, []).append(rule)

    def rule_for(self, finding: Finding, subject: Subject, now_ns: int) -> Suppression | None:
        """The suppression that holds a finding back now."""
        rules = (*self._by_id.get(finding.id, ()), *self._by_id.get(_WORK, ()))
        return next((rule for rule in rules if rule.runs(now_ns) and rule.fits(finding, subject, self._sure)), None)

    def holds(self, draft: Draft, now_ns: int) -> bool:
        """Whether a draft is held back; it is kept, and counted."""
        if not self.rules or self.rule_for(draft.finding, draft.subject, now_ns) is None:
            return False
        self.held_back += draft.finding.count
        cause = draft.finding.cause
        held = self._held.pop(cause, None)
        self._held[cause] = _Held(draft, draft.finding.count + (held.count if held else 0))
        if len(self._held) > HELD_MAX:
            self._held.popitem(last=False)
            self.left_out += 1
        return True

    def released(self, now_ns: int) -> Iterator[Draft]:
        """What is no longer held back and went on within a day: somebody's explanation has ended."""
        for cause, held in list(self._held.items()):
            if self.rule_for(held.draft.finding, held.draft.subject, now_ns) is not None:
                continue
            del self._held[cause]
            if now_ns - held.draft.finding.last_ns < OPEN_NS:
                finding = held.draft.finding
                evidence = (*finding.evidence, ("held-back", held.count))
                finding = replace(finding, time_ns=now_ns, count=held.count, evidence=evidence)
                yield held.draft._replace(finding=finding)
