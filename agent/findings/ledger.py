"""One cause, one finding: repeats, relatives and overflow fold here, and everything folded is counted."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from agent.findings.catalogue import CATALOGUE
from agent.findings.draft import RANK, Draft, Group, Subject
from agent.findings.records import Finding, Severity
from agent.findings.words import NS_PER_S, time_text

CAUSES_MAX: Final = 8192  # open causes remembered; the one that was quiet longest is forgotten first
GROUPS_MAX: Final = 4096
MEMBERS_MAX: Final = 64  # of a group that are told apart
REPEAT_NS: Final = 3600 * NS_PER_S  # a cause that goes on is said again with its count, at most so often
GROUP_NS: Final = 3600 * NS_PER_S  # relatives within the hour may be one cause (docs/findings.md)
CLOSE_NS: Final = 24 * 3600 * NS_PER_S  # a cause that was quiet for a day is over: the next time is a new finding
REVIEW_SHARE: Final = 0.8  # of the cap that reviews may use, so that they never crowd out a page


@dataclass(slots=True)
class _Open:
    """A cause that was said."""

    finding: Finding  # as it was said last
    latest: Finding  # with the newest evidence: what is said when it is said again
    subject: Subject
    said_ns: int
    count: int
    last_ns: int
    parent: str = ""  # the cause it folded into
    silenced: bool = False  # somebody has explained it: it is counted and not said


@dataclass(slots=True)
class _Members:
    """Who shares a group."""

    since_ns: int
    names: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Overflow:
    """Findings of one id that the cap left out in this interval."""

    worst: Finding
    count: int
    first_ns: int
    last_ns: int
    macs: dict[int, None] = field(default_factory=dict)


class Ledger:
    """The open causes of this run, bounded; deterministic for the same drafts in the same order."""

    def __init__(self, per_interval_max: int) -> None:
        """`per_interval_max`: findings said in one interval; the rest is counted in digests."""
        self._most = per_interval_max
        self._said = 0
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._groups: OrderedDict[str, _Members] = OrderedDict()
        self._overflow: dict[str, _Overflow] = {}

    def admit(self, draft: Draft, now_ns: int) -> Finding | None:
        """The finding to say now, or None when it folded into something that was said."""
        known = self._live(draft.finding.cause, now_ns)
        if known is not None:
            return self._again(known, draft, now_ns)
        for whole in draft.part_of:
            if self._live(whole, now_ns) is not None:
                self._remember(replace(draft.finding, count=0), draft.subject, now_ns, parent=whole)
                return self._again(self._open[draft.finding.cause], draft, now_ns)
        groups = [(group, self._member(group, now_ns)) for group in draft.groups]
        fits = [(group, members) for group, members in groups if members >= group.at_least]
        fits.sort(
            key=lambda one: self._live(one[0].key, now_ns) is None
        )  # one that was said goes before one that is new
        if fits:
            return self._join(draft, *fits[0], now_ns)
        finding = self._explained(draft)
        return self._say(finding, draft.subject, now_ns)

    def note(self, cause: str, count: int, last_ns: int) -> None:
        """More of what was said: counted, and said again when the hour is over."""
        known = self._open.get(cause)
        if known is not None:
            known.count += count
            known.last_ns = max(known.last_ns, last_ns)
            self._open.move_to_end(cause)

    def silence(self, end_of: Callable[[Finding, Subject], int], now_ns: int) -> list[Finding]:
        """Hold back what is open and was explained; each is said once more, with the time until when it is silent.

        `end_of` gives that time, or 0 for what nobody has explained: that is said again from now on.
        """
        said = []
        for known in self._open.values():
            end_ns = 0 if known.parent else end_of(known.finding, known.subject)
            if end_ns and not known.silenced:
                evidence = (*known.latest.evidence, ("suppressed-until", time_text(end_ns)))
                told = replace(known.latest, severity=known.finding.severity, evidence=evidence)
                said.append(replace(told, time_ns=now_ns, last_ns=known.last_ns, count=known.count))
            known.silenced = bool(end_ns)
        return said

    def close_interval(self, now_ns: int) -> Iterator[Finding]:
        """The digests of what the cap left out, and causes that went on for an hour since they were said."""
        for finding_id, over in self._overflow.items():
            yield _digest(finding_id, over, now_ns)
        self._overflow.clear()
        self._said = 0
        for known in self._open.values():
            if known.finding.severity is Severity.POSTURE:
                continue  # an inventory fact is told once
            if known.silenced:
                continue
            if not known.parent and known.count > known.finding.count and now_ns - known.said_ns >= REPEAT_NS:
                yield self._repeat(known, known.latest, now_ns)

    def _live(self, cause: str, now_ns: int) -> _Open | None:
        """The open cause, unless it was quiet for so long that it is over."""
        known = self._open.get(cause)
        if known is None or now_ns - known.last_ns <= CLOSE_NS:
            return known
        del self._open[cause]
        return None

    def _again(self, known: _Open, draft: Draft, now_ns: int) -> Finding | None:
        """A repeat: counted here and where it folded into; said only when it became worse."""
        self._count(known, draft)
        parent = self._open.get(known.parent) if known.parent else None
        if parent is not None:
            self._count(parent, draft)
            if RANK[draft.finding.severity] > RANK[parent.finding.severity]:
                return self._repeat(parent, replace(parent.latest, severity=draft.finding.severity), now_ns)
            return None
        worse = RANK[draft.finding.severity] > RANK[known.finding.severity]
        severity = draft.finding.severity if worse else known.finding.severity  # never lowered while it is open
        known.latest = replace(draft.finding, severity=severity, first_ns=known.finding.first_ns)
        return self._repeat(known, known.latest, now_ns) if worse else None

    def _count(self, known: _Open, draft: Draft) -> None:
        known.count += draft.finding.count
        known.last_ns = max(known.last_ns, draft.finding.last_ns)
        self._open.move_to_end(known.finding.cause)

    def _repeat(self, known: _Open, finding: Finding, now_ns: int) -> Finding:
        known.said_ns = now_ns
        known.finding = replace(finding, time_ns=now_ns, last_ns=known.last_ns, count=known.count)
        return known.finding

    def _member(self, group: Group, now_ns: int) -> int:
        """How many different members the group has within the hour, this one included."""
        members = self._groups.get(group.key)
        if members is None or now_ns - members.since_ns > GROUP_NS:
            members = self._groups[group.key] = _Members(now_ns)
        if len(members.names) < MEMBERS_MAX:
            members.names[group.member] = None
        self._groups.move_to_end(group.key)
        while len(self._groups) > GROUPS_MAX:
            self._groups.popitem(last=False)
        return len(members.names)

    def _join(self, draft: Draft, group: Group, members: int, now_ns: int) -> Finding | None:
        """Fold a relative: the first time the group speaks for all, later it only counts (or becomes worse)."""
        self._remember(draft.finding, draft.subject, now_ns, parent=group.key)
        joined = replace(draft.finding, cause=group.key)
        if members > 1:
            joined = replace(
                joined,
                sentence=f"{joined.sentence.rstrip('.')} (one of {group.phrase.format(n=members)} within the hour).",
                evidence=(*joined.evidence, ("group", group.phrase.format(n=members))),
            )
        known = self._live(group.key, now_ns)
        if known is not None:
            return self._again(known, Draft(joined, draft.subject), now_ns)
        return self._say(joined, Subject(0) if members > 1 else draft.subject, now_ns)

    def _explained(self, draft: Draft) -> Finding:
        """Open findings that this one explains become its evidence, and their repeats count here."""
        if not draft.explains:
            return draft.finding
        folded = 0
        named = {mac for wanted in draft.explains for mac in wanted[:2] if mac}  # one of them is in every match
        for known in self._open.values():
            if known.parent or (known.subject.mac not in named and known.subject.peer_mac not in named):
                continue
            if any(_matches(known.subject, wanted) for wanted in draft.explains):
                known.parent = draft.finding.cause
                folded += 1
        if not folded:
            return draft.finding
        return replace(draft.finding, evidence=(*draft.finding.evidence, ("earlier-findings-folded", folded)))

    def _say(self, finding: Finding, subject: Subject, now_ns: int) -> Finding | None:
        """Say it, unless the interval's cap is used up: then it is counted."""
        self._remember(finding, subject, now_ns)
        most = self._most if finding.severity is Severity.PAGE else int(self._most * REVIEW_SHARE)
        if self._said < most or finding.severity is Severity.HEALTH:
            self._said += 1
            return finding
        over = self._overflow.get(finding.id)
        if over is None:
            self._overflow[finding.id] = _Overflow(finding, 1, finding.first_ns, finding.last_ns, {finding.mac: None})
            return None
        over.count += 1
        over.first_ns, over.last_ns = min(over.first_ns, finding.first_ns), max(over.last_ns, finding.last_ns)
        if RANK[finding.severity] > RANK[over.worst.severity]:
            over.worst = finding
        if len(over.macs) < MEMBERS_MAX:
            over.macs[finding.mac] = None
        return None

    def _remember(self, finding: Finding, subject: Subject, now_ns: int, parent: str = "") -> None:
        self._open[finding.cause] = _Open(finding, finding, subject, now_ns, finding.count, finding.last_ns, parent)
        while len(self._open) > CAUSES_MAX:
            self._open.popitem(last=False)


def _matches(subject: Subject, wanted: Subject) -> bool:
    """Whether an open finding is about what a new one explains; fields that are not said match anything."""
    mac, peer_mac, peer, protocol, port = wanted
    return bool(
        (mac or peer_mac)
        and (not mac or subject.mac == mac)
        and (not peer_mac or subject.peer_mac == peer_mac)
        and (not peer or subject.peer == peer)
        and (not protocol or subject.protocol == protocol)
        and (not port or subject.port == port)
    )


def _digest(finding_id: str, over: _Overflow, now_ns: int) -> Finding:
    """One finding that counts those the cap left out."""
    devices = f"{len(over.macs)} device{'s' if len(over.macs) != 1 else ''}"
    more = "at least " if len(over.macs) >= MEMBERS_MAX else ""
    return replace(
        over.worst,
        mac=over.worst.mac if len(over.macs) == 1 else 0,
        time_ns=now_ns,
        first_ns=over.first_ns,
        last_ns=over.last_ns,
        count=over.count,
        sentence=f"{over.count} more findings of the kind {finding_id} ({CATALOGUE[finding_id].meaning}) on "
        f"{more}{devices} were folded into this one, because this interval has too many to list.",
        evidence=(("folded", over.count), ("devices", len(over.macs)), ("worst", over.worst.cause)),
        cause=f"overflow|{finding_id}",
    )
