"""How the tap is, in the word that its uplink keeps at the broker: the way past a disk that takes nothing.

A finding goes through the spool, so it cannot tell that the spool lies on a full disk. This word does: it is signed and
published, and written nowhere. So somebody sees within seconds that records wait in memory.
"""

from collections.abc import Callable
from pathlib import Path

from agent.clock import NS_PER_S, Clock
from agent.errors import InputError
from agent.service import status
from agent.service.pause import is_quiet
from agent.spool.place import refusal
from agent.spool.writer import SpoolWriter

OVER_S = 6.0  # without trouble: what is nearly full is not full and free by turns
LOOK_EVERY_S = 2.0  # the sensor writes its status once a second
PENDING_BYTES = 2 << 20  # of our own records: half of what memory holds


class Lasting:
    """A trouble that comes and goes, as two moments: when it began, and when it has been over for a while."""

    def __init__(self, clock: Clock) -> None:
        self.why = ""
        self._clock, self._over_ns = clock, 0

    def look(self, why: str) -> bool:
        """What is wrong now, or nothing; whether that is worth a line."""
        now_ns = self._clock.mono_ns()
        if why:
            began, self.why, self._over_ns = not self.why, why, now_ns + int(OVER_S * NS_PER_S)
            return began
        ended = bool(self.why) and now_ns >= self._over_ns
        if ended:
            self.why = ""
        return ended


class Condition:
    """Looks at both spools; says in a line when one begins to take nothing, and when that is over."""

    def __init__(self, state: Path, boot: bytes, own: SpoolWriter, clock: Clock, say: Callable[[str], None]) -> None:
        self._state, self._boot, self._own, self._clock, self._say = state, boot, own, clock, say
        self._errors, self._look_ns = -1, 0  # the sensor's, when last looked at
        self._found = False  # the sensor's spool, ever
        self._trouble = Lasting(clock)

    def word(self, *, able: bool) -> str:
        """`blind` while the sensor is quiet because somebody asked; `degraded`, also when not `able`; or `ready`."""
        now_ns = self._clock.mono_ns()
        if is_quiet(self._state, self._boot, now_ns):
            return "blind"
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + int(LOOK_EVERY_S * NS_PER_S)
            if self._trouble.look(self._look()):
                self._say(self._trouble.why or "both spools take records again")
        return "ready" if able and not self._trouble.why else "degraded"

    def _look(self) -> str:
        if self._own.trouble or self._own.backlog_bytes > PENDING_BYTES:
            return f"the uplink's spool takes nothing: {self._own.trouble or 'it is slow'}"
        place = refusal(self._state / "sensor" / "spool")
        self._found = self._found or place != "gone"
        if place and self._found:  # a sensor that was never started has none
            return f"the sensor's spool takes nothing: {place}"
        return self._sensor()

    def _sensor(self) -> str:
        """What the sensor says itself, of a disk that still has room and yet refuses."""
        try:
            found = status.load(status.places(self._state))
        except (InputError, OSError):
            return ""
        if found is None:
            return ""
        spool, before = found[0].spool, self._errors
        self._errors = spool.write_errors
        stuck = spool.pending_bytes > 0 and spool.write_errors > before >= 0
        return "the sensor's spool takes nothing: the disk refuses" if stuck else ""
