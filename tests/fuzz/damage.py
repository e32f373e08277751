"""Captures, and what becomes of them: cut at every length, octets flipped."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.conftest import ROOT, captures_folder
from tests.simulators.bursts import Heard

CUT_MOST = 128  # octets: every header that is walked ends before
FLIPS = 100  # of one octet each, in one file
SHIPPED = ROOT / "tests" / "captures"


def captures() -> dict[str, Path]:
    """Every capture there is, by its name: the ward that comes with the tests, and the folder of real ones."""
    folders = [folder for folder in (SHIPPED, captures_folder()) if folder is not None]
    return {
        f"{path.parent.name}/{path.name}": path
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if ".pcap" in path.name and path.is_file()
    }


def dice(name: str) -> random.Random:
    """The same throws for the same file, each time."""
    return random.Random(name)


def file_cuts(raw: bytes, lengths: Iterable[int], folder: Path) -> list[Path]:
    """The front of a file, as long as each of the lengths."""
    paths = []
    for length in lengths:
        path = folder / f"cut-{length}.pcap"
        path.write_bytes(raw[:length])
        paths.append(path)
    return paths


def frame_cuts(frames: Iterable[Heard], lengths: Iterable[int]) -> Iterator[Heard]:
    """Frames cut at each of the lengths: by the capture, and as if the wire had had no more."""
    sizes = list(lengths)
    for frame in frames:
        for size in sizes:
            if size > len(frame.octets):
                break
            yield frame._replace(octets=frame.octets[:size])
            yield frame._replace(octets=frame.octets[:size], wirelen=size)


def flipped(raw: bytes, places: Iterable[int], rng: random.Random) -> bytes:
    """A copy with another octet at each of the places: half of them differ in one bit, half are any octet."""
    copy = bytearray(raw)
    for at in places:
        copy[at] ^= 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(1, 256)
    return bytes(copy)


def in_headers(raw: bytes, frames: Iterable[Heard], rng: random.Random, count: int) -> list[int]:
    """Places in the capture's record headers and in the first octets of frames: where a decoder looks."""
    choice = [frame.octets[:CUT_MOST] for frame in frames if len(frame.octets) >= 14]
    places = []
    for _ in range(count if choice else 0):
        start = rng.choice(choice)
        at = raw.find(start)
        if at >= 16:
            places.append(min(at - 16 + rng.randrange(16 + 64), len(raw) - 1))
    return places
