"""What a spool folder still holds when its owner starts: read only, bounded, and never a reason not to start.

The newest run says where this process's chain continues, and it may have records that no mark covers yet (its process
died between fsync and mark, or before the fsync). Those are handed to the writer, which writes them again. Of every run
that is still here it is said which numbers are gone: whoever was to say so may have died before it could.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.spool.account import Account, LostRange
from agent.spool.coverage import Coverage
from agent.spool.records import Lane, Segment
from agent.spool.segment import HEAD_BYTES, Frame, Kind, frame, frames, list_segments, read_segment
from agent.spool.survey import Survey

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
    lost: dict[bytes, list[LostRange]] = field(default_factory=dict)  # run -> what is gone and was never declared
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
    books = Account()
    unread = _read(found, acknowledged, books)
    ends = _ends(folder) | {found.run: 0}
    for run in dict.fromkeys([found.run, *runs.values()]):
        held = acknowledged.get(run, Coverage())
        last_seq = max(ends.get(run, 0), books.ends.get(run, 0), held.highest)
        if run == found.run:
            found.last_seq = last_seq
        floor = books.floor([segment for segment in unread if segment.run == run], last_seq)
        lost = books.lost(run, last_seq, held, floor=floor)
        if lost:
            found.lost[run] = lost
    return found


def _read(found: Found, acknowledged: dict[bytes, Coverage], books: Account) -> list[Segment]:
    """Every segment, newest first, within the scan's bound, into the books; those that the bound left out."""
    budget = SCAN_BYTES_MAX
    marks = dict.fromkeys(Lane, 0)
    following: dict[tuple[bytes, Lane], Segment] = {}
    newest_first = list(reversed(found.segments))
    for at, segment in enumerate(newest_first):
        later = following.get((segment.run, segment.lane))
        following[segment.run, segment.lane] = segment
        if segment.run != found.run and later and _needs_no_reading(segment, later, acknowledged):
            books.see(segment)
            continue
        budget -= segment.size_bytes
        if budget < 0:
            return newest_first[at:]
        try:
            survey = Survey(segment)
        except OSError:
            continue  # what it held is missing, and is said to be
        found.damaged_regions += len(survey.damage)
        found.damaged_bytes += sum(damage.end - damage.start for damage in survey.damage)
        if segment.run == found.run:
            marks[segment.lane] = max(marks[segment.lane], survey.marked.get(found.run, 0))
            _keep_unmarked(found, survey, marks[segment.lane])
        books.enter(survey)
        survey.forget()
    return []


def _needs_no_reading(segment: Segment, later: Segment, acknowledged: dict[bytes, Coverage]) -> bool:
    """By name alone: everything up to the next segment of its lane is at the collector.

    Not so in the newest run: who died while it wrote records again left a next segment that begins inside this one.
    """
    known = acknowledged.get(segment.run)
    return known is not None and known.covers(segment.first_seq, max(segment.first_seq, later.first_seq - 1))


def _keep_unmarked(found: Found, survey: Survey, marked: int) -> None:
    """Records of the newest run beyond every mark of their lane: newer segments were read before this one."""
    held = found.unmarked[survey.segment.lane]
    for record in survey.records:
        if record.run == found.run and record.seq > marked:
            held.setdefault(record.seq, record)


def newest_generation(folder: Path, segments: Iterable[Segment]) -> int:
    """Number of the newest run of a folder, 0 when there is none."""
    return max(max(run_files(folder), default=0), max((segment.generation for segment in segments), default=0))


def run_files(folder: Path) -> dict[int, bytes]:
    """Generation -> run, of the run files that can be read.

    Not of one that was only begun, on a full disk: that run has no record, and while it counted as the run before,
    segments of the real one went, and with a power cut the memory of where it ended.
    """
    runs: dict[int, bytes] = {}
    for path in folder.glob(f"*{RUN_SUFFIX}"):
        generation, _, run = path.stem.partition("-")
        named = generation.isascii() and generation.isdigit() and len(generation) <= 18 and _is_run(run)
        if named and not _is_begun(path):
            runs[int(generation)] = bytes.fromhex(run)
    return runs


def _is_begun(path: Path) -> bool:
    """Whether it was made and never written: empty, zeros, or shorter than any frame."""
    try:
        data = read_segment(path)
    except OSError:
        return False
    return len(data) < HEAD_BYTES or not data.strip(b"\0")


def _is_run(text: str) -> bool:
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def run_file(generation: int, run: bytes, before_run: bytes, before_seq: int) -> tuple[str, bytes]:
    """Name and content of the file that makes a run durable before its first record."""
    return f"{generation:08d}-{run.hex()}{RUN_SUFFIX}", frame(Kind.RUN, before_seq, run, "", before_run)


def _ends(folder: Path) -> dict[bytes, int]:
    """Run -> its last number, as the run after it wrote it down."""
    return {item.body: item.seq for path in folder.glob(f"*{RUN_SUFFIX}") for item in _run_frames(path)}


def _run_frames(path: Path) -> Iterator[Frame]:
    try:
        data = read_segment(path)
    except OSError:
        return
    for item in frames(data):
        if isinstance(item, Frame) and item.kind is Kind.RUN:
            yield item
