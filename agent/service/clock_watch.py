"""What can be known of the wall clock's worth, asked once a second, for the judge."""

from collections.abc import Callable

from agent.clock import Clock, Discipline, discipline
from agent.findings.records import ClockNote

ASK_EVERY_NS = 60 * 1_000_000_000  # the kernel, whether something keeps the clock: a library call


class ClockWatch:
    """Compares the wall clock with the one that nobody can set."""

    def __init__(self, clock: Clock, ask: Callable[[], Discipline | None] = discipline) -> None:
        """`ask` says how the kernel keeps the clock; None where it may not be asked, as under the shipped unit."""
        self._clock, self._ask = clock, ask
        self._before_ns: int | None = None
        self._asked_ns: int | None = None
        self._kept: bool | None = None

    def look(self) -> ClockNote:
        """How the clock is now, and by how much it was set since the last look."""
        mono_ns = self._clock.mono_ns()
        ahead_ns = self._clock.wall_ns() - mono_ns
        stepped_ns = 0 if self._before_ns is None else ahead_ns - self._before_ns
        self._before_ns = ahead_ns
        if self._asked_ns is None or mono_ns - self._asked_ns >= ASK_EVERY_NS:
            self._asked_ns = mono_ns
            held = self._ask()
            self._kept = held.synced if held is not None else None
        return ClockNote(self._clock.state()[0] == "floor", self._kept, stepped_ns)
