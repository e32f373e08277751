"""The uplink's side of the spool: durable records in order, whatever happened to the files. It never writes.

A record is handed out when a mark says it is durable, or when its run is over (its successor made the rest durable
before it began). Duplicates are possible after a disk error - the writer wrote a record again - and are the courier's
to ignore.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

from agent.spool.records import Lane, Position, Segment, SpoolRecord
from agent.spool.recovery import newest_generation
from agent.spool.segment import Damage, Frame, Kind, frames, list_segments, parse_name, read_segment

POLL_MAX = 256  # records per poll


@dataclass(slots=True)
class ReaderCounts:
    """Damage met while reading."""

    records: int = 0
    damaged_regions: int = 0
    damaged_bytes: int = 0
    unreadable_segments: int = 0
    foreign_files: int = 0


Covered = Callable[[bytes, int, int], bool]


class LaneReader:
    """One lane: the segments by age, each read once up to what is durable.

    `covered(run, first, last)` may say that nobody needs these records: such segments are passed over unread.
    """

    def __init__(self, folder: Path, stream: str, lane: Lane, covered: Covered | None = None) -> None:
        self.folder, self.stream, self.lane, self.counts = folder, stream, lane, ReaderCounts()
        self._covered = covered
        self._order: tuple[int, int, int] = (-1, -1, -1)  # of the segment being read
        self._offset = 0
        self._seen: tuple[Path, int, int, bool] | None = None  # what the last look found nothing new in
        self._ready: Iterator[SpoolRecord] = iter(())
        self._durable: dict[bytes, int] = {}  # run -> highest mark seen

    def rewind(self) -> None:
        """Start again at the oldest record."""
        self._order, self._offset, self._seen, self._ready = (-1, -1, -1), 0, None, iter(())

    def resume(self, after: Position) -> None:
        """Start behind a record; at the next segment when its own is gone."""
        self.rewind()
        segment = parse_name(Path(after.segment))
        if segment is not None:
            self._order, self._offset = segment.order, after.offset

    def poll(self, most: int) -> list[SpoolRecord]:
        """The next durable records, at most `most`."""
        found = list(islice(self._ready, max(0, most)))
        while len(found) < most and self._advance():
            found.extend(islice(self._ready, most - len(found)))
        self.counts.records += len(found)
        return found

    def _advance(self) -> bool:
        """One step: records made ready, or on to the next segment; False when there is nothing new."""
        try:
            every, self.counts.foreign_files = list_segments(self.folder)
            newest = newest_generation(self.folder, every)
        except OSError:
            return False
        mine = [segment for segment in every if segment.lane is self.lane and segment.order >= self._order]
        if not mine:
            return False
        here, later = mine[0], mine[1:]
        if here.order != self._order:
            self._order, self._offset = here.order, 0
        if self._pass_over(here, later):
            return self._go_to(later[0])
        look = (here.path, here.size_bytes, len(later), here.generation < newest)
        if look == self._seen:
            return False
        try:
            data = read_segment(here.path, self._offset)
        except OSError as error:
            self.counts.unreadable_segments += not isinstance(error, FileNotFoundError)
            return bool(later) and self._go_to(later[0])
        records, left = self._take(here, data, later, over=here.generation < newest)
        self._ready = iter(records)
        if records:
            return True
        if later and not left:
            return self._go_to(later[0])
        self._seen = look if not left else None
        return False

    def _pass_over(self, here: Segment, later: list[Segment]) -> bool:
        """Whether everything in an unread segment is known to be at the collector.

        By names, and only where the next goes on where this one ends: after a refusal or a death while records were
        written again (another attempt) the next may begin inside this one, and what is behind that is still here only.
        """
        if self._covered is None or self._offset or not later or later[0].generation != here.generation:
            return False
        if later[0].attempt != here.attempt:
            return False
        return self._covered(here.run, here.first_seq, max(here.first_seq, later[0].first_seq - 1))

    def _go_to(self, segment: Segment) -> bool:
        self._order, self._offset, self._seen = segment.order, 0, None
        return True

    def _take(self, here: Segment, data: bytes, later: list[Segment], *, over: bool) -> tuple[list[SpoolRecord], bool]:
        """Records that may be handed out, the offset moved behind them; whether intact ones are left."""
        items = list(frames(data))
        self._note_marks(items)
        records: list[SpoolRecord] = []
        damage: list[Damage] = []
        start = self._offset
        for item in items:
            if isinstance(item, Damage):
                damage.append(item)
                continue
            if item.kind is Kind.RECORD:
                if not over and not self._is_durable(item, here, later):
                    return records, True
                records.append(self._record(here, item, start))
            self._offset = start + item.end
            self._count(damage)
        if later:
            self._count(damage)  # nothing will be appended here any more
            self._offset = start + len(data)
        return records, False

    def _count(self, damage: list[Damage]) -> None:
        self.counts.damaged_regions += len(damage)
        self.counts.damaged_bytes += sum(item.end - item.start for item in damage)
        damage.clear()

    def _note_marks(self, items: list[Frame | Damage]) -> None:
        for item in items:
            if isinstance(item, Frame) and item.kind is Kind.MARK:
                self._durable[item.run] = max(self._durable.get(item.run, 0), item.seq)

    def _is_durable(self, record: Frame, here: Segment, later: list[Segment]) -> bool:
        """Covered by a mark here or, when the marks here are damaged or missing, in a later segment of the run."""
        if record.seq <= self._durable.get(record.run, 0):
            return True
        for segment in later:
            if segment.generation != here.generation:
                break
            try:
                self._note_marks(list(frames(read_segment(segment.path))))
            except OSError:
                continue
            if record.seq <= self._durable.get(record.run, 0):
                return True
        return False

    def _record(self, here: Segment, item: Frame, start: int) -> SpoolRecord:
        return SpoolRecord(
            run=item.run,
            stream=self.stream,
            seq=item.seq,
            type=item.type,
            body=item.body,
            lane=self.lane,
            position=Position(here.path.name, start + item.end),
        )


class SpoolReader:
    """Reads one spool folder, both lanes, urgent first. `poll` remembers where it was."""

    def __init__(self, folder: Path, stream: str = "sensor") -> None:
        self.folder, self.stream = folder, stream
        self._lanes = [LaneReader(folder, stream, lane) for lane in Lane]

    def poll(self, most: int = POLL_MAX) -> list[SpoolRecord]:
        """Records that became durable since the last call, at most `most`; empty while the folder is not there."""
        found: list[SpoolRecord] = []
        for reader in self._lanes:
            found.extend(reader.poll(most - len(found)))
        return found

    def records(self, after: Position | None = None) -> Iterator[SpoolRecord]:
        """Everything durable behind `after`, each lane in order, by a walk of its own; all of it when `after` is None.

        A position belongs to one lane: only that lane's records follow it.
        """
        place = parse_name(Path(after.segment)) if after else None
        for lane in Lane:
            walk = LaneReader(self.folder, self.stream, lane)
            if after and place and place.lane is not lane:
                continue
            if after:
                walk.resume(after)
            while batch := walk.poll(POLL_MAX):
                yield from batch

    @property
    def counts(self) -> ReaderCounts:
        """Of both lanes."""
        return total_counts(self._lanes)


def total_counts(readers: list[LaneReader]) -> ReaderCounts:
    """The sum over several lanes; foreign files are the folder's and counted once."""
    total = ReaderCounts()
    for field in fields(ReaderCounts):
        values = [getattr(reader.counts, field.name) for reader in readers]
        setattr(total, field.name, max(values, default=0) if field.name == "foreign_files" else sum(values))
    return total
