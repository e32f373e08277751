"""What a spool folder still holds when its owner starts: read only, bounded, and never a reason not to start.

Only the newest run matters here: it says where this process's chain continues, and it may have records that no mark
covers yet (its process died between fsync and mark, or before the fsync). Those are handed to the writer, which writes
them again. Runs before it went through this at an earlier start.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.spool.coverage import Coverage
from agent.spool.records import Lane, Segment
from agent.spool.segment import Damage, Frame, Kind, frame, frames, list_segments, read_segment

SCAN_BYTES_MAX = (
    64 * 1024 * 1024
)  # newest first; 64 MiB take 0.4 s on a PC and are far more than one run's unmarked tail
RUN_SUFFIX = ".run"


@dataclass(slots=True)
class Found:
    """The state of a folder: where the next run continues, what must be written again, what was lost."""

    generation: int = 0  # of the newest run; 0 when there is none
    run: bytes = b""
    last_seq: int = 0
    unmarked: dict[Lane, dict[int, Frame]] = field(default_factory=lambda: {lane: {} for lane in Lane})
    lost: list[tuple[int, int, str]] = field(default_factory=list)  # from, to, class: certainly damaged
    damaged_regions: int = 0
    damaged_bytes: int = 0
    foreign_files: int = 0
    segments: list[Segment] = field(default_factory=list)


def examine(folder: Path, acknowledged: dict[bytes, Coverage]) -> Found:
    """Look at a folder. OSError only when it cannot be listed."""
    found = Found()
    found.segments, found.foreign_files = list_segments(folder)
    runs = run_files(folder)
    runs.update({segment.generation: segment.run for segment in found.segments if segment.generation not in runs})
    if not runs:
        return found
    found.generation = max(runs)
    found.run = runs[found.generation]
    held = acknowledged.get(found.run, Coverage())
    scans = [_Scan(segment) for segment in _newest(found)]
    marks = {lane: max((scan.marked for scan in scans if scan.segment.lane is lane), default=0) for lane in Lane}
    known = Coverage(most=1 << 20)  # every record of the scan may stand alone
    for scan in scans:
        found.damaged_regions += len(scan.damage)
        found.damaged_bytes += sum(damage.end - damage.start for damage in scan.damage)
        for record in scan.records:
            known.add(record.seq, record.seq)
            if record.seq > marks[scan.segment.lane]:
                found.unmarked[scan.segment.lane].setdefault(record.seq, record)
    found.last_seq = max(known.highest, *marks.values(), held.highest)
    found.lost = list(_lost(scans, known, held, found.last_seq))
    return found


def newest_generation(folder: Path, segments: Iterable[Segment]) -> int:
    """Number of the newest run of a folder, 0 when there is none."""
    return max(max(run_files(folder), default=0), max((segment.generation for segment in segments), default=0))


def run_files(folder: Path) -> dict[int, bytes]:
    """Generation -> run, of the run files that can be read."""
    runs: dict[int, bytes] = {}
    for path in folder.glob(f"*{RUN_SUFFIX}"):
        generation, _, run = path.stem.partition("-")
        if generation.isascii() and generation.isdigit() and len(generation) <= 18 and _is_run(run):
            runs[int(generation)] = bytes.fromhex(run)
    return runs


def _is_run(text: str) -> bool:
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def run_file(generation: int, run: bytes, before_run: bytes, before_seq: int) -> tuple[str, bytes]:
    """Name and content of the file that makes a run durable before its first record."""
    return f"{generation:08d}-{run.hex()}{RUN_SUFFIX}", frame(Kind.RUN, before_seq, run, "", before_run)


def _newest(found: Found) -> Iterator[Segment]:
    """Segments of the newest run, newest first, within the scan's bound."""
    budget = SCAN_BYTES_MAX
    for segment in reversed(found.segments):
        if segment.generation == found.generation:
            budget -= segment.size_bytes
            if budget < 0:
                return
            yield segment


class _Scan:
    """One segment, read once."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.records: list[Frame] = []
        self.damage: list[Damage] = []
        self.marked = 0
        try:
            data = read_segment(segment.path)
        except OSError:
            data = b""
        for item in frames(data):
            if isinstance(item, Damage):
                self.damage.append(item)
            elif item.run != segment.run:
                continue
            elif item.kind is Kind.MARK:
                self.marked = max(self.marked, item.seq)
            elif item.kind is Kind.RECORD:
                self.records.append(item)


def _lost(scans: list[_Scan], known: Coverage, held: Coverage, last_seq: int) -> Iterator[tuple[int, int, str]]:
    """Numbers a damaged region must have held: between intact neighbours, in no other file, not acknowledged."""
    for scan in scans:
        newer = [other.segment.first_seq for other in scans if other.segment.lane is scan.segment.lane]
        end = min((first - 1 for first in newer if first > scan.segment.first_seq), default=last_seq)
        for damage in scan.damage:
            before = max((record.seq for record in scan.records if record.end <= damage.start), default=0)
            after = min((record.seq for record in scan.records if record.start >= damage.end), default=end + 1)
            first = max(before + 1, scan.segment.first_seq)
            for low, high in known.missing(first, after - 1):
                for lost_from, lost_to in held.missing(low, high):
                    yield lost_from, lost_to, scan.segment.lane.label
