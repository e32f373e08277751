"""What two workers carry over one: `python -m tests.bench.workers TRACE.pcap [--packets N] [--runs N]`. No rings.

The trace lies in memory, shared out as the kernel would; readers give its frames as fast as they are asked for. One
worker runs as the sensor runs one, several as it runs several; they take turns in one run. Told: millions of frames a
second of wall clock, the medians' ratio, and - what this machine gives at best - two independent sensors side by side.
"""

import argparse
import statistics
import threading
import time
from collections.abc import Callable  # noqa: TC003 - a dictionary beside it is annotated at run time
from pathlib import Path
from typing import ClassVar

import numpy as np

from agent.clock import SystemClock
from agent.config import Config
from agent.errors import InputError
from agent.packets.decoder import Decoder
from agent.service.batches import Batches
from agent.service.pipeline import Pipeline
from agent.service.together import listen_together
from agent.tap.records import BURST_FRAMES_MAX, FRAME, Burst, LegCounts, Octets, Rows, frame_buffers
from agent.tap.replay import ReplaySource
from tests.service.bench import Kept, parts
from tests.simulators.bursts import SECRET

S = 1_000_000_000
KEY = 0x5EED1234
MIX, MIX_AGAIN = np.uint64(0x9E3779B1), np.uint64(0x85EBCA6B)
WORD = np.uint64(0xFFFFFFFF)


def loaded(path: Path, packets: int) -> tuple[Rows, Octets, Rows]:
    """Frames, what they point into, and their rows."""
    source, decoder, buffer = ReplaySource([path]), Decoder(), Decoder.buffer()
    tables, pieces, rows, at, count = [], [], [], 0, 0
    while count < packets and (burst := source.next_burst()) is not None:
        frames = burst.frames[: burst.count].copy()
        first, last = int(frames["offset"][0]), int(frames["offset"][-1] + frames["caplen"][-1])
        pieces.append(burst.octets[first:last].copy())
        frames["offset"] += at - first
        at += last - first
        tables.append(frames)
        rows.append(decoder.decode(burst, buffer).rows[: burst.count].copy())
        count += burst.count
    return np.concatenate(tables), np.concatenate(pieces), np.concatenate(rows)


def numbers(rows: Rows) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """The fanout program's number of every row, for IPv4."""
    mixed = (rows["src_lo"] ^ rows["dst_lo"]) & WORD ^ np.uint64(KEY)
    mixed = mixed * MIX & WORD
    mixed ^= mixed >> np.uint64(16)
    return (mixed * MIX_AGAIN & WORD) >> np.uint64(16)


class Memory:
    """A reader of frames that lie in memory; times are those of now, so that one clock drives it all."""

    def __init__(self, frames: Rows, octets: Octets) -> None:
        self._frames, self._octets, self._at = frames, octets, 0
        self.known_ns = 0
        self.left = len(frames)
        self.at_end: Callable[[], None] = lambda: None

    def read(self, frames: Rows) -> Burst:
        count = min(self.left, BURST_FRAMES_MAX)
        frames[:count] = self._frames[self._at : self._at + count]
        self._at += count
        self.left -= count
        if not count:
            self.known_ns = 1 << 62  # nothing more comes
            self.at_end()
            time.sleep(0.001)
        return Burst(frames, count, self._octets)

    def release(self, bursts: int) -> None:
        """Nothing is reused."""


class Memories:
    """Legs of such readers; they are over when everything was read."""

    faults: ClassVar[list[InputError]] = []

    def __init__(self, readers: list[Memory]) -> None:
        self.readers, self.stop = readers, threading.Event()
        for reader in readers:
            reader.at_end = self._look_for_more

    def _look_for_more(self) -> None:
        if not any(reader.left for reader in self.readers):
            self.stop.set()

    def hear(self) -> None:
        """They do."""

    def look(self) -> None:
        """Nothing can go."""

    def legs(self) -> list[LegCounts]:
        """None."""
        return []

    def deafen(self) -> None:
        """Nothing comes."""

    def close(self) -> None:
        """Nothing is held."""


def alone(pipeline: Pipeline, reader: Memory) -> float:
    """One worker, as the sensor runs it. Seconds."""
    rows, buffers, second = pipeline.buffer(), frame_buffers(), 0
    began = time.perf_counter()
    while reader.left:
        burst = reader.read(next(buffers))
        now_s = time.time_ns() // S
        if now_s != second:
            second = now_s
            pipeline.advance(now_s)
        pipeline.take_live(burst, rows)
    return time.perf_counter() - began


def together(pipeline: Pipeline, readers: list[Memory]) -> float:
    """Several workers, as the sensor runs them. Seconds."""
    legs = Memories(readers)
    taken, seen = [0.0], [0]
    take = pipeline.take_batches

    def take_and_look(batches: Batches, until: int) -> None:
        take(batches, until)
        if pipeline.table.attributed != seen[0]:
            seen[0], taken[0] = pipeline.table.attributed, time.perf_counter()

    pipeline.take_batches = take_and_look  # type: ignore[method-assign]
    began = time.perf_counter()
    listen_together(legs, pipeline, SystemClock(), legs.stop, lambda: None)
    return taken[0] - began


def made(workers: int) -> Pipeline:
    """A sensor with nothing in its tables, and every kernel in memory."""
    pipeline = Pipeline(Config(), parts(), Kept(), SECRET, workers)
    pipeline._outlet.wants_flows = False  # type: ignore[misc]
    pipeline.load()
    pipeline.load_live()
    pipeline.advance(time.time_ns() // S)
    return pipeline


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trace", type=Path)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    frames, octets, rows = loaded(options.trace, options.packets)
    frames["time_ns"] += time.time_ns() - int(frames["time_ns"][0])
    shares = [frames[numbers(rows) % np.uint64(options.workers) == worker] for worker in range(options.workers)]
    print(f"{len(frames)} frames; shares {[len(share) for share in shares]}")

    def apart() -> float:
        sensors = [(made(1), Memory(share, octets)) for share in shares]
        threads = [threading.Thread(target=alone, args=sensor) for sensor in sensors]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began

    ways: dict[str, Callable[[], float]] = {
        "one": lambda: alone(made(1), Memory(frames, octets)),
        "several": lambda: together(made(options.workers), [Memory(share, octets) for share in shares]),
        "apart": apart,
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, way in ways.items():
            spent[name].append(way())
    for name, seconds in spent.items():
        rate = len(frames) / statistics.median(seconds) / 1e6
        ratios = sorted(one / other for one, other in zip(spent["one"], seconds, strict=True))
        fast = [statistics.quantiles(runs, n=5)[0] for runs in (spent["one"], seconds)]  # others disturb one way only
        print(
            f"{name:8} {rate:5.2f} million frames a second; over one: {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}), of the fastest fifth {fast[0] / fast[1]:.2f}"
        )


if __name__ == "__main__":
    assert FRAME.itemsize == 32
    main()
