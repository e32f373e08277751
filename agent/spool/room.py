"""Which segments go when space is needed: acknowledged ones first, then the oldest summaries, findings last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.spool.coverage import Coverage
from agent.spool.records import Lane, Segment
from agent.spool.segment import Damage, Kind, frames, read_segment
from agent.wire.delivery import GAP_RANGES_MAX

GapRange = tuple[int, int, str, str]  # from, to, class, reason


@dataclass(frozen=True, slots=True)
class Victim:
    """A segment that goes, and by run the numbers that nobody else has (empty when all were acknowledged)."""

    segment: Segment
    given_up: dict[bytes, Coverage]

    @property
    def acknowledged(self) -> bool:
        """Nothing is lost with it."""
        return not self.given_up


def held_seqs(path: Path) -> dict[bytes, Coverage]:
    """Run -> numbers of the durable records of a segment; empty when it cannot be read.

    What no mark in the file covers was written again elsewhere (after a disk error, or by the run's successor).
    """
    held: dict[bytes, Coverage] = {}
    try:
        items = [item for item in frames(read_segment(path)) if not isinstance(item, Damage)]
    except OSError:
        return held
    marked: dict[bytes, int] = {}
    for item in items:
        if item.kind is Kind.MARK:
            marked[item.run] = max(marked.get(item.run, 0), item.seq)
    for item in items:
        if item.kind is Kind.RECORD and item.seq <= marked.get(item.run, 0):
            held.setdefault(item.run, Coverage(most=1 << 20)).add(item.seq, item.seq)
    return held


def missing_from(held: dict[bytes, Coverage], acknowledged: dict[bytes, Coverage]) -> dict[bytes, Coverage]:
    """What of `held` no acknowledgement covers."""
    rest: dict[bytes, Coverage] = {}
    for run, coverage in held.items():
        known = acknowledged.get(run, Coverage())
        holes = [hole for first, last in coverage.ranges() for hole in known.missing(first, last)]
        if holes:
            rest[run] = Coverage(holes, most=1 << 20)
    return rest


def choose(
    segments: Sequence[Segment], keep: Iterable[Path | None], acknowledged: dict[bytes, Coverage], need_bytes: int
) -> list[Victim]:
    """Victims worth at least `need_bytes`, or all there are. `segments` oldest first; those in `keep` stay."""
    kept = set(keep)
    rank = {segment.path: _rank(segment, acknowledged, following) for segment, following in _with_next(segments)}
    chosen: list[Victim] = []
    for segment in sorted(segments, key=lambda segment: (rank[segment.path], segment.order)):
        if need_bytes <= 0:
            break
        if segment.path not in kept:
            chosen.append(Victim(segment, missing_from(held_seqs(segment.path), acknowledged)))
            need_bytes -= segment.size_bytes
    return chosen


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
    return ranges
