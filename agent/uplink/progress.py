"""What the collector acknowledged, kept across restarts: a hint, never needed for correctness.

Lost, rolled back or from the future: records are sent again or their segments go a little later, nothing else.
"""

from pathlib import Path

from agent.durable import write_atomically
from agent.spool.coverage import RUNS_MAX, Coverage, Runs, progress_bytes, read_progress
from agent.wire.delivery import Ack


class Progress:
    """Acknowledged numbers by stream and run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._streams: dict[str, Runs] = read_progress(path)
        self._sent: dict[tuple[str, bytes], int] = {}
        self._dirty = False
        self.write_errors = 0

    def runs(self, stream: str) -> Runs:
        """Of one stream."""
        return self._streams.setdefault(stream, {})

    def sent(self, stream: str, run: bytes, seq: int) -> None:
        """A record of this number left us: an acknowledgement up to here can be true."""
        self._sent[stream, run] = max(self._sent.get((stream, run), 0), seq)

    def acknowledge(self, ack: Ack) -> None:
        """Take in an authentic acknowledgement, but not beyond what was sent.

        A collector that acknowledges records it cannot have would otherwise make us skip them unsent.
        """
        known = self.runs(ack.stream).get(ack.run, Coverage()).highest
        limit = max(known, self._sent.get((ack.stream, ack.run), 0))
        self.add(ack.stream, ack.run, 1, min(ack.upto, limit))
        for first, last in ack.ranges:
            self.add(ack.stream, ack.run, first, min(last, limit))

    def add(self, stream: str, run: bytes, first: int, last: int) -> None:
        """These need not be sent any more."""
        if last < first:
            return
        self.runs(stream).setdefault(run, Coverage()).add(first, last)
        self._dirty = True

    def covers(self, stream: str, run: bytes, first: int, last: int) -> bool:
        """Whether all of them need not be sent any more."""
        coverage = self.runs(stream).get(run)
        return coverage is not None and coverage.covers(first, last)

    def forget_runs(self, stream: str, held: set[bytes]) -> None:
        """Drop runs whose records the spool no longer has, once there are many."""
        runs = self.runs(stream)
        if len(runs) > RUNS_MAX // 2:
            self._streams[stream] = {run: coverage for run, coverage in runs.items() if run in held}

    def save(self) -> None:
        """Write the file if something changed; an error is counted and the next save tries again."""
        if not self._dirty:
            return
        try:
            write_atomically(self.path, progress_bytes(self._streams))
        except OSError:
            self.write_errors += 1
            return
        self._dirty = False
