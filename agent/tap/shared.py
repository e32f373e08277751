"""The live backend for several workers: the rings of every leg shared out, a reader for each worker."""

from agent.clock import Clock, SystemClock
from agent.errors import InputError
from agent.tap.records import Burst, LegCounts, Rows
from agent.tap.ring_reader import NS_PER_MS, RingReader
from agent.tap.rings import Rings

# A worker that hears nothing says so this often: until it does, others' frames may wait for its own.
SILENCE_NS = 25 * NS_PER_MS


class SharedReader:
    """One worker's share of the legs; it gives the turn back at every end of a second, when all workers meet."""

    def __init__(self, reader: RingReader) -> None:
        self._reader = reader

    def read(self, frames: Rows) -> Burst:
        """The next frames."""
        self._reader.failed = False  # the legs are looked at once a second anyway
        return self._reader.read(frames, SILENCE_NS, by_second=True)

    def release(self, bursts: int) -> None:
        """The oldest bursts that had frames are over."""
        self._reader.release(bursts)

    @property
    def known_ns(self) -> int:
        """Every frame that came before was given out."""
        return self._reader.known_ns


class SharedLive:
    """Live legs, shared out to several workers."""

    live = True

    def __init__(
        self, legs: list[str], workers: int, buffer_bytes: int = 32 << 20, capture_filter: str = "",
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.faults = list[InputError]()
        self._rings = Rings(legs, buffer_bytes, capture_filter, clock or SystemClock(), workers)
        self.readers = [SharedReader(reader) for reader in self._rings.readers]

    @property
    def grouped(self) -> list[bool]:
        """Of each leg: whether the kernel shares it out, and not a filter of every ring."""
        return [leg.grouped for leg in self._rings.legs]

    def hear(self) -> None:
        """From here on frames come in."""
        self._rings.hear()

    def look(self) -> None:
        """See to the interfaces, while no worker reads or holds a burst."""
        self._rings.look()

    def legs(self) -> list[LegCounts]:
        """Counters of every leg since takeover, of all workers together."""
        return self._rings.counts()

    def read_by_worker(self) -> list[int]:
        """Frames that each worker has read."""
        return [sum(frames for frames, _ in reader.counted()) for reader in self._rings.readers]

    def deafen(self) -> None:
        """Hear no more; what was heard can still be read."""
        self._rings.deafen()

    def close(self) -> None:
        """Give everything back."""
        self._rings.close()
