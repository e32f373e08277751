"""The writer's hand on the disk: one open segment per lane, fsync, marks. Failures are OSErrors."""

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from agent.durable import fsync_folder
from agent.spool.records import Lane, Segment
from agent.spool.segment import Damage, Kind, frame, frames, read_segment, segment_name
from agent.spool.survey import Survey

FILE_MODE = 0o640  # the uplink's group may read
ATTEMPTS_MAX = 1000  # names tried for one segment; more leftovers than this is not a disk error
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class SegmentFile:
    """One segment open for appending; never opened again after it was closed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        self._descriptor = os.open(path, _NEW, FILE_MODE)

    def append(self, octets: bytes) -> None:
        """All of it or OSError; a short write (a filling disk) is retried until the system says why."""
        view = memoryview(octets)
        while view:
            written = os.write(self._descriptor, view)
            self.size_bytes += written
            view = view[written:]

    def sync(self) -> None:
        """Durable, and still there: fsync of a file whose name is gone would succeed and save nothing."""
        os.fsync(self._descriptor)
        if os.fstat(self._descriptor).st_nlink == 0:
            raise OSError(errno.ENOENT, "the segment was deleted under us")

    def close(self) -> None:
        """Idempotent; an error here concerns nothing that was promised."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


class LaneLog:
    """The segments of one lane of one run, in order; `append`, then `sync`, then what was appended is durable."""

    def __init__(self, folder: Path, lane: Lane, generation: int, run: bytes, segment_bytes: int) -> None:
        self.folder, self.lane = folder, lane
        self._generation, self._run, self._segment_bytes = generation, run, segment_bytes
        self._active: SegmentFile | None = None
        self._touched: list[SegmentFile] = []
        self._new_names = False
        self._last_seq = self._attempt = 0
        self.durable_seq = 0  # everything of this lane and run up to here is on the disk

    def follow(self, segments: Iterable[Segment]) -> None:
        """Names that sort behind those of the lane that are there: a reader that passed them would not go back."""
        attempts = [one.attempt for one in segments if (one.generation, one.lane) == (self._generation, self.lane)]
        self._attempt = max(attempts, default=-1) + 1

    @property
    def active(self) -> Path | None:
        """The segment that must not be deleted."""
        return self._active.path if self._active else None

    def append(self, seq: int, octets: bytes) -> None:
        """Write one frame, into the next segment when this one is full."""
        file = self._active
        if file is None or (file.size_bytes and file.size_bytes + len(octets) > self._segment_bytes):
            file = self._open(seq)
        if file not in self._touched:
            self._touched.append(file)
        file.append(octets)
        self._last_seq = seq

    def _open(self, first_seq: int) -> SegmentFile:
        for attempt in range(self._attempt, self._attempt + ATTEMPTS_MAX):
            name = segment_name(self._generation, self.lane, first_seq, attempt, self._run)
            try:
                self._active = SegmentFile(self.folder / name)
            except FileExistsError:
                continue
            self._new_names = True
            return self._active
        raise OSError(errno.EEXIST, f"no free name for a segment at {first_seq}")

    def sync(self) -> int:
        """Make everything appended durable, then say so in the files; returns octets of marks written.

        The mark comes after the fsync and is itself not synced: losing it loses nothing, recovery reads the records.
        """
        if not self._touched:
            return 0
        for file in self._touched:
            file.sync()
        if self._new_names:
            fsync_folder(self.folder)
            self._new_names = False
        mark = frame(Kind.MARK, self._last_seq, self._run)
        for file in self._touched:
            file.append(mark)
            if file is not self._active:
                file.close()
        count = len(self._touched)
        self._touched, self.durable_seq = [], self._last_seq
        return count * len(mark)

    def abandon(self) -> None:
        """After any error: nothing beyond a file's last mark is trusted, the next append opens a fresh file.

        After a failed fsync the kernel may have marked the page clean without writing it (ATC'20: five of five
        databases got this wrong), so a second fsync that succeeds proves nothing.
        """
        for file in {id(file): file for file in [*self._touched, *([self._active] if self._active else [])]}.values():
            file.close()
            if file in self._touched:
                _trim(file)
        self._active, self._touched = None, []
        self._attempt += 1  # a name is never used twice: a reader may stand in the middle of the file that had it

    def close(self) -> None:
        """Close the file; the caller has synced."""
        if self._active:
            self._active.close()


def bury(segment: Segment) -> int:
    """Give a segment up on a full disk: a mark with its last number takes its place, in blocks that it has already.

    So nothing vanishes without a word although the gap record has to wait for the room that this makes: whoever starts
    after a crash finds the run's end and misses the rest. What is left in octets; OSError when it could not be done.
    """
    survey = Survey(segment)
    numbers = [coverage.highest for run, coverage in survey.held().items() if run == segment.run]
    last_seq = max([*numbers, survey.marked.get(segment.run, 0)])
    mark = frame(Kind.MARK, last_seq, segment.run)
    descriptor = os.open(segment.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, mark, 0)
        os.fsync(descriptor)
        os.ftruncate(descriptor, len(mark))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return len(mark)


def _trim(file: SegmentFile) -> None:
    """Delete a fresh file that never became durable; leave everything else alone."""
    try:
        marked = any(
            not isinstance(item, Damage) and item.kind is Kind.MARK for item in frames(read_segment(file.path))
        )
        if not marked:
            file.path.unlink()
    except OSError:
        pass
