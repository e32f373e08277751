"""Days of a ward in minutes: exchanges are forged once, frame by frame, and heard again at times of their own.

A strip is what the mirror port hears of one exchange (a lease, a session, a poll and its answer), made by the ward's
own behaviours. A routine is when strips are heard: a period with jitter, within the windows in which its device is
there. A burst is then only a table of times and places in one store of octets, so that a week of a hundred devices is
cheap to make - and every frame of it is decoded, metered and judged as any other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agent.tap.records import BURST_FRAMES_MAX, FRAME, Burst
from tests.forge.octets import mac
from tests.forge.pcap import EN10MB, Frame
from tests.simulators.medium import Behaviour, Medium, S

Times = npt.NDArray[np.int64]
Scene = Callable[[Medium], Behaviour]
Window = tuple[float, float]  # seconds since the start, half open
ALWAYS: Window = (0.0, 1e12)
DAY_S, HOUR_S = 86_400, 3_600
STRIP_NS_MAX = 4 * 3600 * S  # a behaviour that runs for longer is none that ends
FULL = (1.0,) * 24


class Strip(NamedTuple):
    """Frames of one exchange: when each comes after the first moment, and where its octets stand in the store."""

    waits_ns: Times
    offsets: Times
    lengths: Times


@dataclass(slots=True)
class Store:
    """Octets of all strips."""

    octets: bytearray = field(default_factory=bytearray)
    _frozen: npt.NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))

    def frozen(self) -> npt.NDArray[np.uint8]:
        """All octets as they are now; copied only when there are more than the last time."""
        if self._frozen.size != len(self.octets):
            self._frozen = np.frombuffer(bytes(self.octets), np.uint8)
        return self._frozen

    def strip(self, ward: Medium, *scenes: Scene) -> Strip:
        """What the mirror port hears while the scenes run, one after the other, in a ward that does nothing else."""
        quiet = Medium(ward.prefix, ward.gateway, ward.start_ns, hosts=ward.hosts)
        for scene in scenes:
            quiet.queue.clear()
            quiet.add(scene(quiet), quiet.now_ns)
            quiet.run(STRIP_NS_MAX)
        return self.keep(quiet.frames, ward.start_ns)

    def keep(self, frames: Sequence[Frame], start_ns: int) -> Strip:
        """Frames that somebody else made; their times count from `start_ns`."""
        offsets = np.zeros(len(frames), np.int64)
        for number, frame in enumerate(frames):
            offsets[number] = len(self.octets)
            self.octets += frame.octets
        waits = np.array([frame.time_ns - start_ns for frame in frames], np.int64)
        return Strip(waits, offsets, np.array([len(frame.octets) for frame in frames], np.int64))


@dataclass(slots=True)
class Routine:
    """Strips in turn, every `period_s`, as long as a window is open; frames outside every window are not sent."""

    strips: tuple[Strip, ...]
    period_s: float
    windows: tuple[Window, ...] = (ALWAYS,)
    jitter: float = 0.05  # of the period, each way
    active: tuple[float, ...] = FULL  # by hour of the day: the chance that an occurrence happens

    def heard(self, span: Window, rng: np.random.Generator, shift_s: float) -> list[tuple[Times, Strip]]:
        """When each strip begins within a span (ns since the start); `shift_s` is what local time is ahead."""
        found = []
        first, last = int(span[0] // self.period_s), int(span[1] // self.period_s)
        numbers = np.arange(first, last + 1, dtype=np.int64)
        spread = rng.uniform(-self.jitter, self.jitter, numbers.size) + 0.5
        times = (numbers + spread) * self.period_s
        hours = ((times + shift_s) // HOUR_S % 24).astype(np.int64)
        kept = (times >= span[0]) & (times < span[1]) & (rng.random(numbers.size) < np.take(self.active, hours))
        kept &= within(times, self.windows)
        times, numbers = times[kept], numbers[kept]
        for turn, strip in enumerate(self.strips):
            mine = times[numbers % len(self.strips) == turn]
            if mine.size:
                found.append(((mine * S).astype(np.int64), strip))
        return found


class Once(NamedTuple):
    """A strip that is heard at one moment."""

    at_s: float
    strip: Strip


def within(times_s: npt.NDArray[np.float64], windows: Sequence[Window]) -> npt.NDArray[np.bool_]:
    """Which moments lie in one of the windows (which are in order and do not overlap)."""
    starts, stops = np.array([w[0] for w in windows]), np.array([w[1] for w in windows])
    if not starts.size:
        return np.zeros(times_s.shape, np.bool_)
    place = np.searchsorted(starts, times_s, "right") - 1
    inside: npt.NDArray[np.bool_] = (place >= 0) & (times_s < stops[np.maximum(place, 0)])
    return inside


def both(some: Sequence[Window], others: Sequence[Window]) -> tuple[Window, ...]:
    """What two lists of windows have in common."""
    found = [(max(a, c), min(b, d)) for a, b in some for c, d in others if max(a, c) < min(b, d)]
    return tuple(sorted(found))


def without(windows: Sequence[Window], gaps: Sequence[Window]) -> tuple[Window, ...]:
    """Windows with gaps cut out."""
    left, edge = [], 0.0
    for start, stop in sorted(gaps):
        if start > edge:
            left.append((edge, start))
        edge = max(edge, stop)
    return both(windows, [*left, (edge, ALWAYS[1])])


@dataclass(slots=True)
class Reel:
    """All routines of a ward, and the bursts that they make."""

    seed: int
    start_ns: int
    store: Store = field(default_factory=Store)
    routines: list[Routine] = field(default_factory=list)
    moments: list[tuple[Once, tuple[Window, ...]]] = field(default_factory=list)
    summer_ends_s: float = ALWAYS[1]  # from here on clocks are an hour behind what they were
    missed: float = 0.0  # share of frames that the mirror port never gives, and nobody knows of
    mute: list[tuple[str, Window]] = field(default_factory=list)  # cards that send nothing for a time
    dark: list[tuple[str, Window]] = field(default_factory=list)  # nor is anything sent to them
    chunk_s: int = HOUR_S
    _late: list[npt.NDArray[np.void]] = field(default_factory=list)

    def again(
        self, strips: Strip | Sequence[Strip], period_s: float, windows: Sequence[Window], **more: object
    ) -> None:
        """Add a routine."""
        strips = (strips,) if isinstance(strips, Strip) else tuple(strips)
        self.routines.append(Routine(strips, period_s, tuple(windows), **more))  # type: ignore[arg-type]

    def once(self, at_s: float, strip: Strip, windows: Sequence[Window] = (ALWAYS,)) -> None:
        """Add a moment; what of it lies outside the windows is not sent."""
        self.moments.append((Once(at_s, strip), tuple(windows)))

    def chunks(self, start_s: float, stop_s: float) -> Iterator[npt.NDArray[np.void]]:
        """FRAME rows in order of time, an hour at a time."""
        at = start_s
        while at < stop_s:
            until = min(at + self.chunk_s, stop_s)
            yield self._chunk((at, until))
            at = until

    def _chunk(self, span: Window) -> npt.NDArray[np.void]:
        tables = [*self._late]
        shift_s = -HOUR_S if span[0] >= self.summer_ends_s else 0
        for number, routine in enumerate(self.routines):
            if not any(start < span[1] and stop > span[0] for start, stop in routine.windows):
                continue
            rng = np.random.default_rng((self.seed, number, int(span[0])))
            for times, strip in routine.heard(span, rng, shift_s):
                tables.append(self._rows(times, strip, routine.windows))
        for once, windows in self.moments:
            if span[0] <= once.at_s < span[1]:
                tables.append(self._rows(np.array([int(once.at_s * S)]), once.strip, windows))
        rows = np.concatenate(tables) if tables else np.zeros(0, FRAME)
        rows = rows[np.argsort(rows["time_ns"], kind="stable")]
        cut = np.searchsorted(rows["time_ns"], self.start_ns + int(span[1] * S))
        self._late = [rows[cut:]]
        rows = self._audible(rows[:cut], span)
        if self.missed:
            rng = np.random.default_rng((self.seed, 1 << 32, int(span[0])))
            rows = rows[rng.random(len(rows)) >= self.missed]
        return rows

    def _audible(self, rows: npt.NDArray[np.void], span: Window) -> npt.NDArray[np.void]:
        """Without what cards that are mute would have sent, and what dark ones would have been sent."""
        places = [(card, window, 6) for card, window in self.mute + self.dark]
        places += [(card, window, 0) for card, window in self.dark]
        places = [(card, window, at) for card, window, at in places if window[0] < span[1] and window[1] > span[0]]
        if not places:
            return rows
        octets = self.store.frozen()
        times = (rows["time_ns"] - self.start_ns) / S
        kept = np.ones(len(rows), np.bool_)
        for card, window, at in places:
            cards = octets[rows["offset"][:, None] + np.arange(at, at + 6)]
            about = (cards == np.frombuffer(mac(card), np.uint8)).all(axis=1)
            kept &= ~(about & within(times, [window]))
        return rows[kept]

    def _rows(self, begins_ns: Times, strip: Strip, windows: Sequence[Window]) -> npt.NDArray[np.void]:
        times = (begins_ns[:, None] + strip.waits_ns).reshape(-1)
        rows = np.zeros(times.size, FRAME)
        rows["time_ns"], rows["link"] = times + self.start_ns, EN10MB
        rows["offset"], rows["caplen"] = np.tile(strip.offsets, begins_ns.size), np.tile(strip.lengths, begins_ns.size)
        rows["wirelen"] = rows["caplen"]
        return rows if windows == (ALWAYS,) else rows[within(times / S, windows)]

    def bursts(self, rows: npt.NDArray[np.void]) -> Iterator[Burst]:
        """As a leg would give them."""
        octets = self.store.frozen()
        for start in range(0, len(rows), BURST_FRAMES_MAX):
            part = rows[start : start + BURST_FRAMES_MAX].copy()
            yield Burst(part, len(part), octets)
