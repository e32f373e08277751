"""The spool's writer without its thread: a test says when it works, so that a run repeats itself exactly."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from agent.spool.writer import SpoolWriter

if TYPE_CHECKING:
    from agent.spool.disk import Pending
    from agent.spool.room import Victim

Key = tuple[bytes, int]  # run, seq
TURNS_MAX = 12


class HandWriter(SpoolWriter):
    """`turn` is what the thread does with one batch; `drop` is what the kernel does when the process ended."""

    def __init__(self, *settings: Any) -> None:
        self.written: dict[Key, Pending] = {}
        self.promised: set[Key] = set()
        self.buried: set[Key] = set()  # on a full disk; the process may have ended before it could say so
        super().__init__(*settings)
        bury = self._disk._bury

        def watched(victim: Victim) -> bool:
            for run, held in victim.given_up.items():
                self.buried.update((run, seq) for first, last in held.ranges() for seq in range(first, last + 1))
            return bury(victim)

        self._disk._bury = watched  # type: ignore[method-assign]

    def _start(self) -> None:
        """No thread."""

    def turn(self) -> bool:
        """One batch; False when the disk would not take it."""
        batch = self._take_waiting()
        if not batch:
            return True
        done = self._disk.commit(batch)
        if done:
            self.promised.update((self.run, record.seq) for record in batch)
        with self._condition:
            self._settle(batch, done)
        return done

    def flush(self, timeout_s: float = 0.0) -> bool:
        """Work until nothing waits, a bounded number of turns."""
        return any(self.turn() and not any(self._queues.values()) for _ in range(TURNS_MAX))

    def close(self, timeout_s: float = 0.0) -> bool:
        """Flush and give the folder back."""
        done = self._closing or self.flush()
        self.drop()
        return done

    def drop(self) -> None:
        """Descriptors and lock are gone, nothing else happens."""
        self._closing = True
        for log in self._disk._logs.values():
            for file in {id(each): each for each in [*log._touched, *([log._active] if log._active else [])]}.values():
                file.close()
        if self._disk._lock >= 0:
            with contextlib.suppress(OSError):
                os.close(self._disk._lock)
            self._disk._lock = -1

    def _bound_memory(self) -> None:
        """Also the place where a new record is the last of its queue."""
        for queue in self._queues.values():
            if queue:
                self.written.setdefault((self.run, queue[-1].seq), queue[-1])
        super()._bound_memory()
