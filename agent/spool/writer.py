"""The sensor's side of the spool: `append` never waits for the disk and never raises because of it.

A thread of its own writes, fsyncs and marks (group commit). What the disk does not take stays in bounded memory and is
tried again; what memory cannot hold is dropped, oldest summaries first, and named in a gap record.
"""

import threading
from collections import deque
from pathlib import Path
from typing import Any, Self

from agent.clock import Clock
from agent.errors import StateError
from agent.spool.coverage import Coverage
from agent.spool.disk import Pending, SpoolDisk
from agent.spool.records import Identity, Lane, SpoolCounts, SpoolLimits, lane_of
from agent.spool.room import GapRange, gap_contents
from agent.spool.segment import HEAD_BYTES
from agent.wire.chain import Chain
from agent.wire.types import MessageType

FLUSH_TIMEOUT_S = 10.0


class SpoolWriter:
    """The one owner of a spool folder. Made by `open`; safe to use from several threads."""

    def __init__(self, folder: Path, identity: Identity, clock: Clock, limits: SpoolLimits, progress: Path) -> None:
        self._limits = limits
        self._condition = threading.Condition(threading.RLock())
        self._queues: dict[Lane, deque[Pending]] = {lane: deque() for lane in Lane}
        self._writing: list[Pending] = []
        self._queued_bytes = 0
        self._dropped: dict[str, Coverage] = {}
        self._flushes = 0
        self._closing = self._refused = False
        self._disk = SpoolDisk(folder, identity, limits, progress, self._declare)
        found = self._disk.found
        self._stream, self.run = identity.stream, self._disk.run
        self._chain = Chain(
            agent=identity.agent,
            site=identity.site,
            stream=identity.stream,
            boot=identity.boot,
            run=self.run,
            before_run=found.run,
            before_seq=found.last_seq,
            clock=clock,
        )
        if found.lost:
            self._declare(found.lost)
        self._thread = threading.Thread(target=self._work, name=f"spool-{identity.stream}", daemon=True)
        self._start()

    @classmethod
    def open(
        cls,
        folder: Path,
        identity: Identity,
        clock: Clock,
        limits: SpoolLimits | None = None,
        progress: Path | None = None,
    ) -> Self:
        """Own a folder and continue in it with a new run.

        `progress` is the uplink's file of acknowledged positions, by default where the state directory has it.
        StateError when another process owns the folder or it can be neither made nor read; a folder that only refuses
        writing is no error: records wait in memory until it takes them.
        """
        place = progress or folder.parent.parent / "uplink" / "progress.json"
        return cls(folder, identity, clock, limits or SpoolLimits(), place)

    def _start(self) -> None:
        self._thread.start()

    def append(self, kind: MessageType, content: dict[str, Any]) -> int:
        """The record's seq; durable 50 ms (findings) or 1 s (summaries) later. WireError for bad content."""
        with self._condition:
            if self._closing:
                raise StateError("the spool is closed")
            return self._append(kind, content)

    def flush(self, timeout_s: float = FLUSH_TIMEOUT_S) -> bool:
        """Wait until all that was appended is durable or dropped; False when the disk did not take it in time."""
        with self._condition:
            target = self._chain.seq
            self._flushes += 1
            self._condition.notify_all()
            try:
                return self._condition.wait_for(lambda: self._oldest_waiting() > target, timeout_s)
            finally:
                self._flushes -= 1

    def close(self, timeout_s: float = FLUSH_TIMEOUT_S) -> bool:
        """Flush, stop the thread, give the folder back; False when something could not be made durable."""
        done = self.flush(timeout_s) if not self._closing else True
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._disk.close()
        return done

    @property
    def bytes_used(self) -> int:
        """Octets of all segments of the folder."""
        return self._disk.bytes_used

    @property
    def backlog_bytes(self) -> int:
        """Octets in memory that are not durable; a replay that outruns the disk calls `flush` when this grows."""
        return self._queued_bytes

    @property
    def trouble(self) -> str:
        """Why the disk takes nothing just now; empty while it does."""
        return self._disk.counts.last_error if self._refused else ""

    @property
    def counts(self) -> SpoolCounts:
        """What happened since `open`."""
        return self._disk.counts

    def _append(self, kind: MessageType, content: dict[str, Any]) -> int:
        seq, body = self._chain.next(kind, content)
        record = Pending(seq, lane_of(kind), kind, body)
        self._queues[record.lane].append(record)
        self._queued_bytes += _size(record)
        self._disk.counts.appended += 1
        self._bound_memory()
        self._condition.notify_all()
        return seq

    def _bound_memory(self) -> None:
        while self._queued_bytes > self._limits.pending_bytes:
            record = self._oldest_to_drop()
            if record is None:
                return  # all of it is being written just now
            self._queued_bytes -= _size(record)
            self._disk.counts.dropped += 1
            self._dropped.setdefault(record.lane.label, Coverage(most=1 << 16)).add(record.seq, record.seq)

    def _oldest_to_drop(self) -> Pending | None:
        """Summaries first; never a gap record: what it tells would be lost without a word."""
        for lane in (Lane.BULK, Lane.URGENT):
            queue = self._queues[lane]
            for at, record in enumerate(queue):
                if record.kind != MessageType.GAP:
                    del queue[at]
                    return record
        return None

    def _declare(self, ranges: dict[bytes, list[GapRange]]) -> int:
        """Put gap records into the stream; the seq of the last one."""
        with self._condition:
            for content in gap_contents(self._stream, ranges):
                self._append(MessageType.GAP, content)
            return self._chain.seq

    def _work(self) -> None:
        while batch := self._gather():
            done = self._disk.commit(batch)
            with self._condition:
                self._settle(batch, done)
                if not done and self._condition.wait_for(lambda: self._closing, self._limits.retry_s):
                    return

    def _gather(self) -> list[Pending]:
        """The next batch; empty when the spool is closing and nothing waits."""
        with self._condition:
            self._condition.wait_for(lambda: self._closing or any(self._queues.values()))
            if not self._queues[Lane.URGENT]:
                self._condition.wait_for(
                    lambda: self._hurry() or bool(self._queues[Lane.URGENT]), self._limits.gather_bulk_s
                )
            if self._queues[Lane.URGENT]:
                self._condition.wait_for(self._hurry, self._limits.gather_urgent_s)
            return self._take_waiting()

    def _take_waiting(self) -> list[Pending]:
        with self._condition:
            self._writing = [record for queue in self._queues.values() for record in queue]
            for queue in self._queues.values():
                queue.clear()
            return self._writing

    def _hurry(self) -> bool:
        return self._closing or self._flushes > 0 or self._queued_bytes > self._limits.pending_bytes // 4

    def _settle(self, batch: list[Pending], done: bool) -> None:
        self._writing, self._refused = [], not done
        if done:
            self._queued_bytes -= sum(map(_size, batch))
            self._tell_dropped()
        else:
            for record in reversed(batch):
                self._queues[record.lane].appendleft(record)
            self._bound_memory()
        self._condition.notify_all()

    def _tell_dropped(self) -> None:
        """The disk works again: say what memory could not hold."""
        dropped, self._dropped = self._dropped, {}
        rows: list[GapRange] = []
        for label, coverage in dropped.items():
            rows.extend((first, last, label, "memory") for first, last in coverage.ranges())
        if rows:
            self._declare({self.run: rows})

    def _oldest_waiting(self) -> int:
        waiting = [queue[0].seq for queue in self._queues.values() if queue]
        waiting.extend(record.seq for record in self._writing)
        return min(waiting, default=self._chain.seq + 1)


def _size(record: Pending) -> int:
    return HEAD_BYTES + len(record.kind) + len(record.body)
