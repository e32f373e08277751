"""What became of every number of a run: here, at the collector, declared lost earlier - or lost and not yet said.

The rule is the one that makes loss impossible to overlook: a number up to the run's last that is nowhere is declared,
for whatever reason it is not here. A number that is declared although the collector has it costs nothing: what is
stored there counts first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.errors import WireError
from agent.spool.coverage import Coverage
from agent.spool.records import Lane, Segment
from agent.spool.segment import Frame
from agent.spool.survey import EVERY, Survey
from agent.wire import body
from agent.wire.types import MessageType

LostRange = tuple[int, int, str, str]  # from, to, class, reason: a row of a gap record
UNKNOWN = "unknown"  # class of a number that no damaged place explains


@dataclass(slots=True)
class Account:
    """The books over the segments that were read; `enter` them newest first."""

    known: dict[bytes, Coverage] = field(default_factory=dict)  # intact records
    declared: dict[bytes, Coverage] = field(default_factory=dict)  # by gap records that are still here
    ends: dict[bytes, int] = field(default_factory=dict)  # highest number of a record or mark
    suspects: dict[bytes, list[tuple[int, int, str]]] = field(default_factory=dict)
    _oldest: dict[tuple[bytes, Lane], int] = field(default_factory=dict)  # first number of the oldest segment read

    def enter(self, survey: Survey) -> None:
        """Take in one segment."""
        segment = survey.segment
        for run, held in survey.held().items():
            self._know(run, held.ranges())
        for run, seq in survey.marked.items():
            self.ends[run] = max(self.ends.get(run, 0), seq)
        for record in survey.records:
            self._declare(record)
        if survey.broken_grave:
            self.ends[segment.run] = max(self.ends.get(segment.run, 0), segment.first_seq)
        end = self._oldest.get((segment.run, segment.lane), 0) - 1
        for first, last in survey.suspects:
            self.suspects.setdefault(segment.run, []).append((first, last or end, segment.lane.label))
        self.see(segment)

    def see(self, segment: Segment) -> None:
        """A segment that needs no reading: where the older one of its lane ends."""
        self._oldest[segment.run, segment.lane] = segment.first_seq

    def lost(self, run: bytes, last_seq: int, acknowledged: Coverage, *, floor: int = 1) -> list[LostRange]:
        """Numbers from `floor` to the run's last that are nowhere, with class and reason."""
        settled = Coverage(self.known.get(run, Coverage()).ranges(), most=EVERY)
        for other in (acknowledged, self.declared.get(run, Coverage())):
            for first, last in other.ranges():
                settled.add(first, last)
        rows: list[LostRange] = []
        for low, high, label in self.suspects.get(run, ()):
            for first, last in settled.missing(max(low, floor), min(high, last_seq) if high > 0 else last_seq):
                rows.append((first, last, label, "damaged"))
                settled.add(first, last)
        rows.extend((first, last, UNKNOWN, "missing") for first, last in settled.missing(floor, last_seq))
        return sorted(rows)

    def floor(self, unread: Iterable[Segment], last_seq: int) -> int:
        """Below this number an unread segment may hold what looks missing."""
        lanes = {(segment.run, segment.lane) for segment in unread}
        return max((self._oldest.get(lane, last_seq + 1) for lane in lanes), default=1)

    def _know(self, run: bytes, ranges: list[tuple[int, int]]) -> None:
        known = self.known.setdefault(run, Coverage(most=EVERY))
        for first, last in ranges:
            known.add(first, last)
        self.ends[run] = max(self.ends.get(run, 0), known.highest)

    def _declare(self, record: Frame) -> None:
        for run, rows in told(record).items():
            declared = self.declared.setdefault(run, Coverage(most=EVERY))
            for first, last, *_ in rows:
                declared.add(first, last)


def told(record: Frame) -> dict[bytes, list[LostRange]]:
    """Run -> what a gap record says is lost; nothing for other records, and for one that nobody will understand."""
    if record.type != MessageType.GAP:
        return {}
    try:
        _, content = body.decode(MessageType.GAP, record.body)
    except WireError:
        return {}
    return {content["run"]: [(first, last, label, reason) for first, last, label, reason in content["ranges"]]}
