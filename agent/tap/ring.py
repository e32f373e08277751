"""The live backend of Linux: one TPACKET_V3 ring for each leg, walked in place, merged in order of time.

A burst is valid while the next BURSTS_AHEAD - 1 are read; the reading thread is the only one that touches a ring.
"""

from agent.clock import Clock, SystemClock
from agent.errors import InputError
from agent.tap.records import BURSTS_AHEAD, Burst, LegCounts, frame_buffers
from agent.tap.ring_reader import NS_PER_MS
from agent.tap.rings import Rings
from agent.tap.watch import LOOK_EVERY_NS

SILENCE_NS = 100 * NS_PER_MS  # silent legs give the turn back this often, so that the clock goes on


class RingLive:
    """Live legs through their rings; an empty burst when nothing came for SILENCE_NS."""

    live = True

    def __init__(
        self, legs: list[str], buffer_bytes: int = 32 << 20, capture_filter: str = "", clock: Clock | None = None
    ) -> None:
        """`buffer_bytes`: of each leg's ring. `capture_filter`: in libpcap's language; empty passes everything."""
        self.faults = list[InputError]()  # always empty: what a leg lacks stands in its counts
        self._clock = clock or SystemClock()
        self._rings = Rings(legs, buffer_bytes, capture_filter, self._clock)
        (self._reader,) = self._rings.readers
        self._buffers = frame_buffers()
        self._hears = False
        self._next_look_ns = 0

    def next_burst(self) -> Burst | None:
        """Frames of all legs in order of time. Never None: a leg that breaks is waited for. The first call begins."""
        if not self._hears:
            self._hears = True
            self._rings.hear()
        self._reader.release(max(0, self._reader.in_use - BURSTS_AHEAD + 1))
        now_ns = self._clock.mono_ns()
        if self._reader.failed or now_ns >= self._next_look_ns:
            self._reader.failed = False
            self._next_look_ns = now_ns + LOOK_EVERY_NS
            self._rings.look()
        return self._reader.read(next(self._buffers), SILENCE_NS)

    def legs(self) -> list[LegCounts]:
        """Counters of every leg since takeover."""
        return self._rings.counts()

    def deafen(self) -> None:
        """Hear no more; what was heard can still be read."""
        self._hears = True
        self._rings.deafen()
        self._rings.look()

    def close(self) -> None:
        """Give everything back; the memory goes with the last burst that points into it."""
        self._rings.close()
