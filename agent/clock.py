"""The only place that asks the time.

A `Clock` gives monotonic and wall nanoseconds and says how good the wall time is. Code takes a Clock as a parameter,
so a test or a replay passes its own.
"""

import ctypes
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from agent.errors import PermissionNeeded, StateError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
ClockState = Literal["none", "floor", "holdover", "synced"]
NS_PER_S = 1_000_000_000
ISO, FOR_PEOPLE = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"
# struct timex of 64-bit Linux (linux/timex.h): int modes, long offset, freq, maxerror, esterror, int status.
_TIMEX_BYTES, _TIMEX_MAXERROR, _TIMEX_STATUS = 208, 24, 40
_TIME_ERROR, _STA_UNSYNC = 5, 0x40


def utc_text(time_ns: int, form: str = ISO) -> str:
    """UTC to the second; `?` for a time that no calendar has."""
    try:
        return datetime.fromtimestamp(time_ns // NS_PER_S, UTC).strftime(form)
    except (OverflowError, ValueError, OSError):
        return "?"


class Clock(Protocol):
    """What the rest of the program may know about time."""

    def mono_ns(self) -> int:
        """Nanoseconds since boot, never backwards (CLOCK_BOOTTIME where there is one)."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC, never below the floor."""

    def state(self) -> tuple[ClockState, int]:
        """How good the wall time is, and its error bound in nanoseconds (-1: unknown)."""

    def sleep(self, seconds: float) -> None:
        """Wait; a simulated clock advances instead."""


def boot_id(path: Path = BOOT_ID) -> bytes:
    """The kernel's id of this boot, 16 octets; StateError where there is none."""
    try:
        return bytes.fromhex(path.read_text("ascii").strip().replace("-", ""))
    except (OSError, ValueError) as error:
        raise StateError("the kernel does not say which boot this is", where=str(path)) from error


class Discipline(NamedTuple):
    """What the kernel says of how its wall clock is kept (adjtimex(2))."""

    synced: bool
    error_ns: int  # an upper bound, by whoever keeps it


def discipline() -> Discipline | None:
    """Whether something keeps the wall clock right; None where the kernel does not say. Asks nobody else."""
    held = (ctypes.c_int * (_TIMEX_BYTES // 4))()  # modes = 0: nothing is set
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(held)
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    error_us = ctypes.c_long.from_buffer(held, _TIMEX_MAXERROR).value
    status = ctypes.c_int.from_buffer(held, _TIMEX_STATUS).value
    return Discipline(state != _TIME_ERROR and not status & _STA_UNSYNC, error_us * 1000)


def set_wall(wall_ns: int) -> None:
    """Set the machine's clock; PermissionNeeded without the capability."""
    try:
        time.clock_settime_ns(time.CLOCK_REALTIME, wall_ns)
    except OSError as error:
        raise PermissionNeeded(f"the clock cannot be set: {error.strerror}", todo="it needs CAP_SYS_TIME") from error


def process_age_s() -> float:
    """Seconds since this process was started, by the kernel's own account (to a hundredth); 0 where it gives none."""
    try:
        fields = Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def stopwatch_s() -> float:
    """Seconds of a clock for measuring how long something took."""
    return time.perf_counter()


@dataclass(slots=True)
class SystemClock:
    """The machine's clocks; wall time never goes below `floor_ns` (build, kit, last persisted, newest signed epoch)."""

    floor_ns: int = 0
    synced: bool = False

    def mono_ns(self) -> int:
        """Nanoseconds since boot, suspend included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC, or the floor when the clock says earlier."""
        return max(time.time_ns(), self.floor_ns)

    def state(self) -> tuple[ClockState, int]:
        """`floor` while the clock is behind the floor, else `synced` or `holdover` with an unknown bound."""
        if time.time_ns() < self.floor_ns:
            return "floor", -1
        return ("synced", NS_PER_S) if self.synced else ("holdover", -1)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(slots=True)
class CaptureClock:
    """The time inside a capture: `advance` is called with each burst; wall and monotonic time are the file's."""

    now_ns: int = 0

    def advance(self, now_ns: int) -> None:
        """Time as of the newest frame; a capture that jumps backwards does not move it."""
        self.now_ns = max(self.now_ns, now_ns)

    def mono_ns(self) -> int:
        """The capture's time."""
        return self.now_ns

    def wall_ns(self) -> int:
        """The capture's time."""
        return self.now_ns

    def state(self) -> tuple[ClockState, int]:
        """A file's clock cannot be checked."""
        return "none", -1

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.now_ns += int(seconds * NS_PER_S)
