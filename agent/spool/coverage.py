"""Which records of a run the collector has: intervals of sequence numbers, and the hint file that carries them.

The file is the uplink's; for the spool it is only a hint that says which segments may go first when space is needed.
"""

import json
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

PROGRESS_VERSION = 1
PROGRESS_BYTES_MAX = 1 << 20
RANGES_MAX = 1024  # of one run; what is beyond is forgotten, which only means it is sent again
RUNS_MAX = 256  # of one stream


class Coverage:
    """A set of sequence numbers, kept as disjoint intervals in order."""

    __slots__ = ("_ends", "_most", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = (), *, most: int = RANGES_MAX) -> None:
        self._most = most
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Take in `first` to `last`, both included; nothing when `last` is smaller."""
        if last < first:
            return
        low = bisect_right(self._ends, first - 2)  # an interval that ends at first - 1 is joined
        high = bisect_right(self._starts, last + 1)
        if low < high:
            first = min(first, self._starts[low])
            last = max(last, self._ends[high - 1])
        self._starts[low:high] = [first]
        self._ends[low:high] = [last]
        del self._starts[self._most :], self._ends[self._most :]

    def __contains__(self, seq: int) -> bool:
        return self.covers(seq, seq)

    def covers(self, first: int, last: int) -> bool:
        """Whether every number from `first` to `last` is in the set."""
        at = bisect_right(self._starts, first) - 1
        return at >= 0 and self._ends[at] >= last

    @property
    def upto(self) -> int:
        """The last number of the unbroken beginning 1, 2, 3 ...; 0 when 1 is missing."""
        return self._ends[0] if self._starts and self._starts[0] <= 1 else 0

    @property
    def highest(self) -> int:
        """The largest number in the set, 0 when it is empty."""
        return self._ends[-1] if self._ends else 0

    def ranges(self) -> list[tuple[int, int]]:
        """The intervals, in order."""
        return list(zip(self._starts, self._ends, strict=True))

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """The intervals between `first` and `last` that are not in the set."""
        holes: list[tuple[int, int]] = []
        at = first
        for start, end in self.ranges():
            if end < at:
                continue
            if start > last:
                break
            if start > at:
                holes.append((at, start - 1))
            at = end + 1
        if at <= last:
            holes.append((at, last))
        return holes


Runs = dict[bytes, Coverage]


def read_progress(path: Path) -> dict[str, Runs]:
    """Stream -> run -> coverage as the uplink wrote it. Missing, damaged or odd: empty, because it is only a hint."""
    try:
        with path.open("rb") as file:
            raw = file.read(PROGRESS_BYTES_MAX + 1)
        if len(raw) > PROGRESS_BYTES_MAX:
            return {}
        return _parse(json.loads(raw))
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return {}


def _parse(held: object) -> dict[str, Runs]:
    if not isinstance(held, dict) or held.get("version") != PROGRESS_VERSION:
        return {}
    streams: dict[str, Runs] = {}
    for stream, runs in held["streams"].items():
        streams[str(stream)] = {
            bytes.fromhex(run): Coverage((int(first), int(last)) for first, last in ranges)
            for run, ranges in list(runs.items())[:RUNS_MAX]
        }
    return streams


def progress_bytes(streams: dict[str, Runs]) -> bytes:
    """The file's content."""
    held = {
        stream: {run.hex(): coverage.ranges() for run, coverage in list(runs.items())[-RUNS_MAX:]}
        for stream, runs in streams.items()
    }
    return json.dumps({"version": PROGRESS_VERSION, "streams": held}, separators=(",", ":")).encode()
