"""What time it is, how sure that is, and what it can never be earlier than.

The floor is the newest of: the files of this release, what an enrolment kit or an earlier run wrote down, and the
newest bell that the collector signed - never past the end of the trust table. What an unsigned time server says is
used, but never becomes a floor: one false answer would hold the appliance in the future for good. While the machine's
clock is behind, time goes on from the floor by the monotonic clock, slowed by the most that such a clock may drift.

    none      nobody has told us the time: the clock says what it says
    floor     the clock is behind the floor
    holdover  nothing keeps the clock right now; the error grows from the last time that something did
    synced    the kernel says that something keeps it right, and how well
"""

import json
from collections.abc import Callable
from pathlib import Path

from agent.clock import NS_PER_S, Clock, ClockState, Discipline, SystemClock, discipline
from agent.durable import write_atomically

FILE_NAME = "time.json"
_BYTES_MAX = 256
LOOK_EVERY_NS = 60 * NS_PER_S  # the uplink writes it down once a minute; the sensor reads it
ASK_EVERY_NS = NS_PER_S
DRIFT_PPM = 500  # the most that the kernel lets a clock be slewed; a crystal without help drifts by a tenth of it
SLACK_NS = 5 * NS_PER_S  # a bell's clock may be a little ahead of one that is right
TIME_NS_MAX = (1 << 63) - 1


def built_ns() -> int:
    """When this release's files were laid, by the same clock; 0 where that is not known."""
    try:
        return Path(__file__).stat().st_mtime_ns
    except OSError:
        return 0


class KeptTime:
    """A clock with a floor in a file. `raw` gives the machine's own times, so a test gives others."""

    def __init__(
        self, path: Path, raw: Clock | None = None, kept: Callable[[], Discipline | None] = discipline,
        built: Callable[[], int] = built_ns,
    ) -> None:  # fmt: skip
        self._path, self._raw, self._kept = path, raw or SystemClock(), kept
        self._built_ns = built()
        self._told_ns = 0  # by somebody who signed it, or who brought the kit
        self._floor_ns = self._floor_mono_ns = 0
        self._synced_mono_ns, self._synced_error_ns = -1, -1
        self._asked: tuple[ClockState, int] = ("none", -1)
        self._ask_ns = self._look_ns = -LOOK_EVERY_NS
        self._raise(self._built_ns)
        self._look()

    def mono_ns(self) -> int:
        """As the machine has it."""
        return self._raw.mono_ns()

    def wall_ns(self) -> int:
        """The machine's, or from the floor on when that is later."""
        return max(self._raw.wall_ns(), self.floor_ns)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._raw.sleep(seconds)

    @property
    def floor_ns(self) -> int:
        """The earliest that it can be now: the floor, and the time since it was set."""
        since_ns = self._raw.mono_ns() - self._floor_mono_ns
        return self._floor_ns + since_ns - since_ns * DRIFT_PPM // 1_000_000

    @property
    def told_ns(self) -> int:
        """The newest time that somebody vouched for; 0 for none."""
        return self._told_ns

    def state(self) -> tuple[ClockState, int]:
        """As of the last second: see above; the error in nanoseconds, -1 when nobody can say."""
        now_ns = self._raw.mono_ns()
        if now_ns - self._look_ns >= LOOK_EVERY_NS:
            self._look()
        if now_ns - self._ask_ns >= ASK_EVERY_NS:
            self._ask_ns, self._asked = now_ns, self._judge(now_ns)
        return self._asked

    def tell(self, wall_ns: int, most_ns: int) -> None:
        """Somebody signed this time; it counts up to the end of the trust table."""
        bounded = min(wall_ns, most_ns, TIME_NS_MAX)
        if bounded > self._told_ns:
            self._told_ns = bounded
            self._raise(bounded)
            self._ask_ns = -LOOK_EVERY_NS

    def correct(self, set_wall: Callable[[int], None]) -> int:
        """Set the machine's clock to the floor when it is behind; by how many nanoseconds it was moved."""
        behind_ns = self.floor_ns - self._raw.wall_ns()
        if behind_ns <= SLACK_NS:
            return 0
        set_wall(self.floor_ns)
        return behind_ns

    def keep(self) -> None:
        """Write the newest told time down; OSError when the disk refuses, and then it is told again by a later bell."""
        write_atomically(self._path, json.dumps({"told_ns": self._told_ns}).encode())

    def _look(self) -> None:
        """What another run, or the other program, wrote down; a file that is none says nothing."""
        self._look_ns = self._raw.mono_ns()
        try:
            with self._path.open("rb") as file:
                told_ns = json.loads(file.read(_BYTES_MAX))["told_ns"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return
        if type(told_ns) is int and 0 < told_ns <= TIME_NS_MAX:
            self.tell(told_ns, TIME_NS_MAX)

    def _raise(self, floor_ns: int) -> None:
        """Never lower than it has become meanwhile."""
        if floor_ns > self.floor_ns or not self._floor_ns:
            self._floor_ns, self._floor_mono_ns = floor_ns, self._raw.mono_ns()

    def _judge(self, now_ns: int) -> tuple[ClockState, int]:
        if self._raw.wall_ns() + SLACK_NS < self.floor_ns:
            return "floor", -1
        kept = self._kept()
        if kept is not None and kept.synced:
            self._synced_mono_ns, self._synced_error_ns = now_ns, kept.error_ns
            return "synced", max(0, kept.error_ns)
        if self._synced_mono_ns >= 0:
            drift_ns = (now_ns - self._synced_mono_ns) * DRIFT_PPM // 1_000_000
            return "holdover", max(0, self._synced_error_ns) + drift_ns
        return ("holdover", -1) if self._told_ns else ("none", -1)
