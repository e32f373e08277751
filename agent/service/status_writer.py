"""Writes the status file on a thread of its own: capture hands over a status and never waits for a disk or a board.

One status waits at most. When the next one comes while it does, the older is skipped and counted; so is what the disk
refuses. The file is whole whenever it is read, and is not synced: after a power cut nobody wants it.
"""

import os
from functools import partial
from pathlib import Path

from agent.clock import Clock
from agent.durable import write_atomically
from agent.service.board import ROOT, temperature_mc, throttle
from agent.service.intervals import memory_bytes
from agent.service.saver import SaveThread
from agent.service.status import BoardStatus, Status

CLOSE_TIMEOUT_S = 2.0


class StatusWriter:
    """The one owner of a status file."""

    def __init__(self, path: Path, clock: Clock, root: Path = ROOT) -> None:
        self.path = path
        self.failed = 0
        self.skipped = 0
        self.last_error = ""
        self._clock, self._root = clock, root
        self._cpu_s, self._cpu_ns = sum(os.times()[:2]), clock.mono_ns()  # a start is no load
        self._thread = SaveThread("status", CLOSE_TIMEOUT_S)

    def offer(self, status: Status) -> None:
        """Hand over; returns at once."""
        self.skipped += self._thread.put(self, partial(self._write, status))

    def close(self) -> None:
        """Write what waits and end; a disk that does not answer is not waited for."""
        self._thread.close()

    def _write(self, status: Status) -> None:
        try:
            write_atomically(self.path, status._replace(board=self._board()).to_json(), durable=False)
        except OSError as error:
            self.failed += 1
            self.last_error = error.strerror or type(error).__name__

    def _board(self) -> BoardStatus:
        now_ns, cpu_s = self._clock.mono_ns(), sum(os.times()[:2])
        busy_ns, span_ns = int((cpu_s - self._cpu_s) * 1e9), max(1, now_ns - self._cpu_ns)
        self._cpu_s, self._cpu_ns = cpu_s, now_ns
        return BoardStatus(
            memory_bytes=memory_bytes(),
            cpu_permille=busy_ns * 1000 // span_ns,
            temperature_mc=temperature_mc(self._root),
            throttle=throttle(self._root),
            status_failed=self.failed,
            status_skipped=self.skipped,
        )
