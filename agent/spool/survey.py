"""One segment read once: the numbers it holds, what its marks promise, and what a damaged place must have held."""

from collections.abc import Iterable

from agent.spool.coverage import Coverage
from agent.spool.records import Segment
from agent.spool.segment import GRAVE_BYTES, Damage, Frame, Kind, frames, read_segment

EVERY = 1 << 20  # intervals of one segment or run: every record may stand alone


class Survey:
    """`records` holds the bodies and is for whoever asked; `forget` lets them go, the numbers stay."""

    def __init__(self, segment: Segment) -> None:
        """Read it; OSError when that is not possible."""
        self.segment = segment
        self.records: list[Frame] = []
        self.damage: list[Damage] = []
        self.marked: dict[bytes, int] = {}
        for item in frames(read_segment(segment.path)):
            if isinstance(item, Damage):
                self.damage.append(item)
            elif item.kind is Kind.MARK:
                self.marked[item.run] = max(self.marked.get(item.run, 0), item.seq)
            elif item.kind is Kind.RECORD:
                self.records.append(item)
        self.suspects = list(self._suspects())

    @property
    def broken_grave(self) -> bool:
        """Of what was durable here the name is the last witness, and says one number.

        By its size: a record that was torn before it was durable is no witness of anything.
        """
        return bool(self.damage) and not self.records and self.segment.size_bytes == GRAVE_BYTES

    def forget(self) -> None:
        """Let the bodies go."""
        self.records = []

    def held(self) -> dict[bytes, Coverage]:
        """Run -> numbers of the intact records; a frame says itself whose it is, whatever the file is called."""
        found: dict[bytes, Coverage] = {}
        for record in self.records:
            found.setdefault(record.run, Coverage(most=EVERY)).add(record.seq, record.seq)
        return found

    def _suspects(self) -> Iterable[tuple[int, int]]:
        """Between which intact neighbours damage lies: its numbers are among these. Last 0: up to the segment's end."""
        own = [record for record in self.records if record.run == self.segment.run]
        for damage in self.damage:
            before = max((record.seq for record in own if record.end <= damage.start), default=0)
            after = min((record.seq for record in own if record.start >= damage.end), default=1)
            yield max(before + 1, self.segment.first_seq), after - 1
