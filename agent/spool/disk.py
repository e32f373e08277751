"""One owner's folder: makes its run durable, writes batches, makes room. No thread of its own.

`commit` says yes or no and never raises an OSError: what the disk refuses is counted, left with the caller, and the
next try goes to fresh files.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from agent.clock import NS_PER_S, SystemClock
from agent.durable import fsync_folder
from agent.errors import StateError
from agent.spool.coverage import Coverage, read_progress
from agent.spool.place import has_names
from agent.spool.records import Identity, Lane, Segment, SpoolCounts, SpoolLimits
from agent.spool.recovery import RUN_SUFFIX, examine, run_file
from agent.spool.room import GapRange, Need, Victim, choose, victim_ranges
from agent.spool.segment import GRAVE_BYTES, Kind, frame, list_segments
from agent.spool.store import FILE_MODE, LaneLog, bury

FOLDER_MODE = 0o750
OWNER_FILE = "owner"
RELIEF_EVERY_S = 10.0  # a disk that others fill: one unacknowledged segment given up at most this often
BULK_PERCENT = 75  # of the limit: summaries never take the room in which a finding can still be kept
SEGMENTS_MIN = 4  # with fewer nothing could ever be given up
FRESH_FILES_MAX = 3  # tries in new files within one commit before waiting
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_GONE = frozenset({errno.ENOENT, errno.ESTALE})

Declare = Callable[[dict[bytes, list[GapRange]]], int]


class Pending(NamedTuple):
    """A record that is not durable yet."""

    seq: int
    lane: Lane
    kind: str
    body: bytes


class SpoolDisk:
    """`declare` takes what is given up (run -> ranges), puts a gap record into the stream and returns its seq."""

    def __init__(self, folder: Path, identity: Identity, limits: SpoolLimits, progress: Path, declare: Declare) -> None:
        self.folder, self.limits = folder, limits
        self.counts = SpoolCounts()
        self._stream, self._progress, self._declare = identity.stream, progress, declare
        self._lock = _own(folder)
        try:
            self.found = examine(folder, self._acknowledged())
        except OSError as error:
            os.close(self._lock)
            raise StateError(f"the spool cannot be read: {error.strerror}", where=str(folder)) from error
        self.run = os.urandom(16)
        self._lane_bytes = _by_lane(self.found.segments)
        self.counts.damaged_regions, self.counts.damaged_bytes = self.found.damaged_regions, self.found.damaged_bytes
        self.counts.foreign_files = self.found.foreign_files
        self._logs: dict[Lane, LaneLog] = {}
        self._ready = self._rescued = False
        self._doomed: list[tuple[Victim, int]] = []  # goes once the gap record with this seq (0: it is) is durable
        self._relieved_ns = -int(RELIEF_EVERY_S * NS_PER_S)
        self._pace = SystemClock()

    def commit(self, batch: Sequence[Pending]) -> bool:
        """Make a batch durable, its marks written; False when the disk would not, nothing is promised then."""
        for _ in range(FRESH_FILES_MAX):
            try:
                self._prepare()
                self._write(batch)
            except OSError as error:
                if not self._recover(error):
                    return False
                continue
            self._delete_declared(batch)
            self._make_room()
            return True
        return False

    def close(self) -> None:
        """Give the folder back."""
        for log in self._logs.values():
            log.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def bytes_used(self) -> int:
        """Octets of all segments."""
        return sum(self._lane_bytes.values())

    def _acknowledged(self) -> dict[bytes, Coverage]:
        return read_progress(self._progress).get(self._stream, {})

    def _prepare(self) -> None:
        """Before the first record: unmarked records of the run before written again, this run's file durable."""
        if self._ready:
            return
        self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if not self._rescued:
            self._rescue()
            self._rescued = True
        name, content = run_file(self.found.generation + 1, self.run, self.found.run, self.found.last_seq)
        path = self.folder / name
        path.unlink(missing_ok=True)  # ours, of a try that failed
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
        try:
            if os.write(descriptor, content) < len(content):
                raise OSError(errno.ENOSPC, "a run's file was cut short")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fsync_folder(self.folder)
        generation, size = self.found.generation + 1, self.limits.segment_bytes
        self._logs = {lane: LaneLog(self.folder, lane, generation, self.run, size) for lane in Lane}
        for log in self._logs.values():
            log.follow(list_segments(self.folder)[0])
        self._ready = True
        self._forget_old_runs(generation)

    def _rescue(self) -> None:
        for lane, held in self.found.unmarked.items():
            log = LaneLog(self.folder, lane, self.found.generation, self.found.run, self.limits.segment_bytes)
            log.follow(list_segments(self.folder)[0])
            try:
                for seq in sorted(held):
                    log.append(seq, frame(Kind.RECORD, seq, self.found.run, held[seq].type, held[seq].body))
                log.sync()
            except OSError:
                log.abandon()
                raise
            log.close()
            self.counts.recovered += len(held)
            held.clear()

    def _forget_old_runs(self, generation: int) -> None:
        """Run files older than the run before, but for those that say where a run ended of which something is here."""
        told = {segment.generation + 1 for segment in list_segments(self.folder)[0]}
        for path in self.folder.glob(f"*{RUN_SUFFIX}"):
            number = path.name.partition("-")[0]
            if number.isascii() and number.isdigit() and _is_old(int(number[:18]), generation, told):
                try:
                    path.unlink()
                except OSError:
                    continue

    def _write(self, batch: Sequence[Pending]) -> None:
        for record in batch:
            octets = frame(Kind.RECORD, record.seq, self.run, record.kind, record.body)
            self._logs[record.lane].append(record.seq, octets)
            self._lane_bytes[record.lane] += len(octets)
        for lane, log in self._logs.items():
            self._lane_bytes[lane] += log.sync()
        self.counts.committed += len(batch)

    def _recover(self, error: OSError) -> bool:
        """After a refusal: abandon the files it touched; whether trying again at once makes sense."""
        self.counts.write_errors += 1
        self.counts.last_error = f"{errno.errorcode.get(error.errno or 0, 'OSError')}: {error.strerror or error}"
        for log in self._logs.values():
            log.abandon()
        self.counts.fresh_segments_after_error += 1
        if error.errno in _GONE:
            return self._found_again()
        if error.errno in _NO_SPACE:
            return self._relieve()
        return error.errno == errno.EIO

    def _found_again(self) -> bool:
        """The folder itself may be gone: take a new one."""
        self._ready = False
        try:
            lock = _own(self.folder, held=self._lock)
        except StateError:
            return False
        if lock != self._lock:
            os.close(self._lock)
            self._lock = lock
        return True

    def _relieve(self) -> bool:
        """Full before our limit: acknowledged segments go, or now and then one of summaries; never findings."""
        try:
            victims = self._choose(Need(self.limits.segment_bytes))
        except OSError:
            return False
        victim = next((each for each in victims if each.segment.size_bytes > GRAVE_BYTES), None)
        if victim is None:
            return False
        if victim.acknowledged:
            return self._delete(victim)
        if not has_names(self.folder):
            return False  # a grave keeps its name: whatever was given up would be given up for nothing
        now_ns = self._pace.mono_ns()
        if victim.segment.lane is Lane.URGENT or now_ns - self._relieved_ns < RELIEF_EVERY_S * NS_PER_S:
            return False
        self._relieved_ns = now_ns
        return self._bury(victim)

    def _bury(self, victim: Victim) -> bool:
        """Its gap record has no room before it is gone; the mark that stays says as much until then.

        Begun is given up: what an error leaves of the file is declared and goes all the same.
        """
        left_bytes = victim.segment.size_bytes
        try:
            left_bytes = bury(victim.segment)
        except OSError:
            self.counts.write_errors += 1
        segment = replace(victim.segment, size_bytes=left_bytes)
        self._lane_bytes[segment.lane] -= victim.segment.size_bytes - left_bytes
        self._doomed.append((Victim(segment, victim.given_up), self._declare(victim_ranges([victim], "disk-full"))))
        return left_bytes < victim.segment.size_bytes

    def _choose(self, need: Need) -> list[Victim]:
        segments, self.counts.foreign_files = list_segments(self.folder)
        self._lane_bytes = _by_lane(segments)
        keep = [log.active for log in self._logs.values()] + [victim.segment.path for victim, _ in self._doomed]
        keep += self._ends(segments)
        durable = {(self.run, lane): log.durable_seq for lane, log in self._logs.items()}
        return choose(segments, keep, self._acknowledged(), need, durable)

    def _ends(self, segments: Sequence[Segment]) -> list[Path]:
        """The newest durable segment of each lane of our run: without them nobody could say where it ended.

        Before our run is durable, all of the run before: its end is not written down yet, nor its unmarked records.
        """
        if not self._ready:
            return [segment.path for segment in segments if segment.run == self.found.run]
        newest: dict[Lane, Path] = {}
        for segment in segments:
            if segment.run == self.run and segment.first_seq <= self._logs[segment.lane].durable_seq:
                newest[segment.lane] = segment.path
        return list(newest.values())

    def _make_room(self) -> None:
        """Keep one segment's worth free below the limit, and the summaries within theirs."""
        limit = max(self.limits.limit_bytes, SEGMENTS_MIN * self.limits.segment_bytes)
        self._shrink((Lane.BULK,), limit * BULK_PERCENT // 100)
        self._shrink(tuple(Lane), limit)

    def _shrink(self, lanes: tuple[Lane, ...], limit_bytes: int) -> None:
        """The gap record first, the segment when that is durable."""
        spoken_for = sum(victim.segment.size_bytes for victim, _ in self._doomed if victim.segment.lane in lanes)
        used = sum(self._lane_bytes[lane] for lane in lanes)
        need_bytes = used + self.limits.segment_bytes - limit_bytes - spoken_for
        if need_bytes <= 0:
            return
        try:
            victims = self._choose(Need(need_bytes, lanes))
        except OSError:
            return
        for victim in victims:
            if victim.acknowledged:
                self._delete(victim)
            else:
                self._doomed.append((victim, self._declare(victim_ranges([victim], "full"))))

    def _delete_declared(self, batch: Sequence[Pending]) -> None:
        durable = {record.seq for record in batch if record.lane is Lane.URGENT}
        still: list[tuple[Victim, int]] = []
        for victim, gap_seq in self._doomed:
            told = not gap_seq or gap_seq in durable
            if not told or not self._delete(victim):
                still.append((victim, 0 if told else gap_seq))
        self._doomed = still

    def _delete(self, victim: Victim) -> bool:
        try:
            victim.segment.path.unlink(missing_ok=True)
        except OSError:
            self.counts.write_errors += 1
            return False
        lane = victim.segment.lane
        self._lane_bytes[lane] = max(0, self._lane_bytes[lane] - victim.segment.size_bytes)
        if victim.acknowledged:
            self.counts.acknowledged_segments_deleted += 1
        else:
            self.counts.given_up += sum(
                last - first + 1 for held in victim.given_up.values() for first, last in held.ranges()
            )
        return True


def _is_old(number: int, generation: int, told: set[int]) -> bool:
    return number < generation - 1 and number not in told


def _by_lane(segments: Iterable[Segment]) -> dict[Lane, int]:
    used = dict.fromkeys(Lane, 0)
    for segment in segments:
        used[segment.lane] += segment.size_bytes
    return used


def _own(folder: Path, held: int = -1) -> int:
    """The folder's exclusive lock, on the directory itself: a read-only folder can be owned too."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        if not folder.is_dir():
            raise StateError(f"the spool folder cannot be made: {error.strerror}", where=str(folder)) from error
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StateError(f"the spool folder cannot be opened: {error.strerror}", where=str(folder)) from error
    if held >= 0 and os.path.sameopenfile(descriptor, held):
        os.close(descriptor)
        return held
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StateError(
            f"another process owns this spool{_owner(folder)}",
            where=str(folder),
            todo="only one may write it; stop the other",
        ) from error
    _sign_in(folder)
    return descriptor


def _owner(folder: Path) -> str:
    try:
        text = (folder / OWNER_FILE).read_text("ascii", "replace")[:16].strip()
    except OSError:
        return ""
    return f" (process {text})" if text.isdigit() else ""


def _sign_in(folder: Path) -> None:
    """Say who owns the folder, for the message of whoever is refused; not needed for anything else."""
    try:
        (folder / OWNER_FILE).write_text(f"{os.getpid()}\n", "ascii")
    except OSError:
        return
