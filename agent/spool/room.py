"""Which segments go when space is needed: acknowledged ones first, then the oldest summaries, findings last."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.spool.account import UNKNOWN, told
from agent.spool.coverage import Coverage
from agent.spool.records import Lane, Segment
from agent.spool.survey import EVERY, Survey
from agent.wire.delivery import GAP_RANGES_MAX

NO_RUN: Mapping[tuple[bytes, Lane], int] = {}
GapRange = tuple[int, int, str, str]  # from, to, class, reason


@dataclass(frozen=True, slots=True)
class Need:
    """How many octets must go, and from which lanes."""

    size_bytes: int
    lanes: tuple[Lane, ...] = tuple(Lane)


@dataclass(frozen=True, slots=True)
class Victim:
    """A segment that goes, and by run the numbers that nobody else has (empty when all were acknowledged).

    `retold` is what gap records in it say that did not arrive: who lets them go says it again.
    """

    segment: Segment
    given_up: dict[bytes, Coverage]
    retold: dict[bytes, list[GapRange]] = field(default_factory=dict)

    @property
    def acknowledged(self) -> bool:
        """Nothing is lost with it."""
        return not self.given_up and not self.retold


def held_seqs(segment: Segment, others: Sequence[Segment], durable_seq: int | None = None) -> dict[bytes, Coverage]:
    """Run -> numbers that go with a segment and that no other has: intact ones, and those a damaged place held.

    `durable_seq` is the last number that the present run made durable in this lane (None: a run that is over); what is
    beyond waits in memory and is written again. Empty when the file cannot be read: its numbers are missing at the next
    start, and are declared there.
    """
    try:
        survey = Survey(segment)
    except OSError:
        return {}
    held = survey.held()
    survey.forget()
    if durable_seq is not None:
        held = {run: _upto(coverage, durable_seq) for run, coverage in held.items()}
    same = [other for other in others if other.run == segment.run and other.path != segment.path]
    later = [other for other in same if other.lane is segment.lane and other.order > segment.order]
    own = held.get(segment.run, Coverage())
    own = _without(own, [other for other in later if other.first_seq <= own.highest])
    if survey.suspects:
        own = Coverage([*own.ranges(), *_damaged(survey, same, later, durable_seq).ranges()], most=EVERY)
    return {run: coverage for run, coverage in (held | {segment.run: own}).items() if coverage.highest}


def _upto(coverage: Coverage, last_seq: int) -> Coverage:
    return Coverage(((first, min(last, last_seq)) for first, last in coverage.ranges()), most=EVERY)


def _damaged(survey: Survey, same: Sequence[Segment], later: Sequence[Segment], durable_seq: int | None) -> Coverage:
    """Numbers between the intact neighbours of damage, without what the run's other files hold."""
    known = survey.segment.first_seq if survey.broken_grave else survey.marked.get(survey.segment.run, 0)
    end = min((other.first_seq - 1 for other in later), default=known)
    if durable_seq is not None:
        end = min(end, durable_seq)
    among = Coverage(((first, min(last, end) if last > 0 else end) for first, last in survey.suspects), most=EVERY)
    return _without(among, same)


def _without(coverage: Coverage, others: Iterable[Segment]) -> Coverage:
    """What of a run's numbers is in none of these files."""
    for other in others:
        try:
            found = Survey(other).held().get(other.run, Coverage())
        except OSError:
            continue
        coverage = Coverage((hole for span in coverage.ranges() for hole in found.missing(*span)), most=EVERY)
    return coverage


def missing_from(held: dict[bytes, Coverage], acknowledged: dict[bytes, Coverage]) -> dict[bytes, Coverage]:
    """What of `held` no acknowledgement covers."""
    rest: dict[bytes, Coverage] = {}
    for run, coverage in held.items():
        known = acknowledged.get(run, Coverage())
        holes = [hole for first, last in coverage.ranges() for hole in known.missing(first, last)]
        if holes:
            rest[run] = Coverage(holes, most=EVERY)
    return rest


def choose(
    segments: Sequence[Segment],
    keep: Iterable[Path | None],
    acknowledged: dict[bytes, Coverage],
    need: Need,
    durable: Mapping[tuple[bytes, Lane], int] = NO_RUN,
) -> list[Victim]:
    """Victims worth at least what is needed, or all there are. `segments` oldest first; those in `keep` stay.

    `durable` says how far the present run's lanes are durable (`held_seqs`).
    """
    kept, need_bytes = set(keep), need.size_bytes
    rank = {segment.path: _rank(segment, acknowledged, following) for segment, following in _with_next(segments)}
    chosen: list[Victim] = []
    for segment in sorted(segments, key=lambda segment: (rank[segment.path], segment.order)):
        if need_bytes <= 0:
            break
        if segment.path not in kept and segment.lane in need.lanes:
            gone = {victim.segment.path for victim in chosen}
            others = [other for other in segments if other.path not in gone]
            held = held_seqs(segment, others, durable.get((segment.run, segment.lane)))
            chosen.append(Victim(segment, missing_from(held, acknowledged), _retold(segment, acknowledged)))
            need_bytes -= segment.size_bytes
    return chosen


def _retold(segment: Segment, acknowledged: dict[bytes, Coverage]) -> dict[bytes, list[GapRange]]:
    """What unacknowledged gap records of a segment say."""
    found: dict[bytes, list[GapRange]] = {}
    try:
        records = Survey(segment).records if segment.lane is Lane.URGENT else []
    except OSError:
        return found
    for record in records:
        if record.seq not in acknowledged.get(record.run, Coverage()):
            for run, rows in told(record).items():
                found.setdefault(run, []).extend(rows)
    return found


def _with_next(segments: Sequence[Segment]) -> Iterable[tuple[Segment, Segment | None]]:
    """Each segment with the one after it in the same run and lane."""
    following: dict[tuple[bytes, Lane], Segment] = {}
    for segment in reversed(segments):
        yield segment, following.get((segment.run, segment.lane))
        following[segment.run, segment.lane] = segment


def _rank(segment: Segment, acknowledged: dict[bytes, Coverage], following: Segment | None) -> int:
    """0 acknowledged, 1 summaries, 2 findings; by name alone, so that a full spool is not read to make room."""
    known = acknowledged.get(segment.run)
    if known is not None:
        last = following.first_seq - 1 if following else max(known.highest, segment.first_seq)
        if known.covers(segment.first_seq, last):
            return 0
    return 1 if segment.lane is Lane.BULK else 2


def gap_contents(stream: str, ranges: dict[bytes, list[GapRange]]) -> Iterable[dict[str, object]]:
    """Contents of as many gap records as the ranges need, by run."""
    for run, rows in ranges.items():
        for at in range(0, len(rows), GAP_RANGES_MAX):
            chunk = [list(row) for row in rows[at : at + GAP_RANGES_MAX]]
            yield {"stream": stream, "run": run, "ranges": chunk}


def victim_ranges(victims: Iterable[Victim], reason: str) -> dict[bytes, list[GapRange]]:
    """Run -> what is given up with these segments, and why."""
    ranges: dict[bytes, list[GapRange]] = {}
    for victim in victims:
        for run, coverage in victim.given_up.items():
            rows = ((first, last, victim.segment.lane.label, reason) for first, last in coverage.ranges())
            ranges.setdefault(run, []).extend(rows)
        for run, told_rows in victim.retold.items():
            ranges.setdefault(run, []).extend(told_rows)
    return {run: _compact(rows) for run, rows in ranges.items()}


def _compact(rows: list[GapRange]) -> list[GapRange]:
    """The same numbers in as few rows as there are; what was told too often loses its class, not its numbers."""
    groups: dict[tuple[str, str], Coverage] = {}
    for first, last, label, reason in rows:
        groups.setdefault((label, reason), Coverage(most=EVERY)).add(first, last)
    if sum(len(group.ranges()) for group in groups.values()) > GAP_RANGES_MAX:
        spans = [span for group in groups.values() for span in group.ranges()]
        groups = {(UNKNOWN, "several"): Coverage(spans, most=EVERY)}
    return sorted((*span, label, reason) for (label, reason), group in groups.items() for span in group.ranges())
