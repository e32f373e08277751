"""Every capture, cut at each length up to 128 and with 100 random flips, through the whole sensor and the slow twin.

The short form takes a part of each file's damage, thrown by the file's name; the long form (WARDTAP_SLOW=1) takes all.
Meant for NUMBA_BOUNDSCHECK=1, where a read beside an array raises; README.md has the commands.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from agent.packets import kernels_count
from agent.packets.records import PACKET, VERDICTS
from agent.tap.records import Burst
from tests.conftest import ROOT
from tests.fuzz.damage import CUT_MOST, FLIPS, captures, dice, file_cuts, flipped, frame_cuts, in_headers
from tests.fuzz.journey import Files, heard, journey
from tests.fuzz.oracle import compare
from tests.simulators.bursts import HASHES, LONG, THIN, Heard, burst_of

CAPTURES = captures()
NAMES = sorted(CAPTURES)
GROUPS = sorted({name.split("/")[0] for name in NAMES})
CHECKED = os.environ.get("NUMBA_BOUNDSCHECK", "0") not in {"", "0"}
BURST = 2048  # frames that are compared at a time
COMPARED = 2000  # frames of one damaged file that the twin is asked about

# Of each file in the short form: how many lengths, frames and flips; more in the step with bounds checks.
FEW_LENGTHS, FEW_FRAMES, FEW_FLIPS = (12, 3, 2) if CHECKED else (4, 1, 1)
FRONT_OCTETS = 1 << 15  # the short form takes the front of what is longer

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]


def whole(name: str) -> bytes:
    """A file's octets."""
    return CAPTURES[name].read_bytes()


def stored(folder: Path, octets: bytes) -> Path:
    """A file with these octets."""
    path = folder / "damaged.pcap"
    path.write_bytes(octets)
    return path


def frames_of(path: Path, most: int | None = None) -> list[Heard]:
    """The frames of a file, or the first of them."""
    return list(islice((frame for burst in Files([path]) for frame in heard(burst)), most))


def through(frames: Iterator[Heard]) -> int:
    """Frames through the sensor and past the twin, burst by burst."""

    def bursts() -> Iterator[Burst]:
        while some := list(islice(frames, BURST)):
            compare(some)
            yield burst_of(some)

    return journey(bursts())


def cut_file(name: str, lengths: list[int], folder: Path) -> None:
    """Files that end early; what is whole of them is heard, and none stops the next."""
    files = Files(file_cuts(whole(name), lengths, folder), most=COMPARED)
    journey(files)
    compare(files.fresh)
    assert len({fault.where.split(":")[0] for fault in files.faults}) <= len(lengths)
    assert all("\n" not in str(fault) for fault in files.faults)


def flip(name: str, raw: bytes, trials: list[list[int]], folder: Path) -> None:
    """Copies of a file with octets changed at the places of each trial."""
    rng = dice(name)
    known = {frame[:3] for frame in frames_of(stored(folder, raw))}
    for places in trials:
        damaged = flipped(raw, places, rng)
        files = Files([stored(folder, damaged)], known, COMPARED)
        try:
            journey(files)
            compare(files.fresh)
        except BaseException:
            print(f"{name} with", {at: f"{raw[at]:02x} -> {damaged[at]:02x}" for at in places})
            raise


def test_there_are_captures() -> None:
    assert NAMES, "the ward of tests/captures is always there"


@pytest.mark.parametrize("name", NAMES)
def test_part_of_the_damage(name: str, tmp_path: Path) -> None:
    rng, raw = dice(name), whole(name)[:FRONT_OCTETS]
    cut_file(name, sorted(rng.sample(range(CUT_MOST + 1), FEW_LENGTHS)), tmp_path)
    frames = frames_of(stored(tmp_path, raw), 1000)
    chosen = rng.sample(frames, min(FEW_FRAMES, len(frames)))
    assert through(frame_cuts(chosen, range(CUT_MOST + 1))) >= len(chosen)
    places = [rng.randrange(len(raw)) for _ in range(FLIPS)]
    trials = [[at] for at in places[:FEW_FLIPS]]
    flip(name, raw, [*trials, places, in_headers(raw, chosen, rng, FLIPS // 4)], tmp_path)


def of_group(group: str) -> list[str]:
    """The captures of one folder."""
    return [name for name in NAMES if name.split("/")[0] == group]


@pytest.mark.slow
@LONG
@pytest.mark.parametrize("group", GROUPS)
def test_every_file_cut_at_each_length(group: str, tmp_path: Path) -> None:
    for name in of_group(group):
        cut_file(name, list(range(CUT_MOST + 1)), tmp_path)


@pytest.mark.slow
@LONG
@pytest.mark.parametrize("group", GROUPS)
def test_every_frame_cut_at_each_length(group: str) -> None:
    for name in of_group(group):
        frames = frames_of(CAPTURES[name])
        assert through(frame_cuts(frames, range(CUT_MOST + 1))) >= len(frames)


@pytest.mark.slow
@LONG
@pytest.mark.parametrize("group", GROUPS)
def test_every_file_flipped(group: str, tmp_path: Path) -> None:
    """A hundred copies with one flip, one copy with a hundred, and ten with a hundred where decoders look."""
    for name in of_group(group):
        rng, raw = dice(name), whole(name)
        places = [rng.randrange(len(raw)) for _ in range(FLIPS)]
        frames = frames_of(CAPTURES[name], 1000)
        trials = [*([at] for at in places), places, *(in_headers(raw, frames, rng, FLIPS) for _ in range(10))]
        flip(name, raw, trials, tmp_path)


def beyond() -> None:
    """Ask a kernel for one row more than there is."""
    rows, words = np.zeros(4, PACKET)[:3], np.zeros(16, np.int64)
    kernels_count.count_frames(rows, 4, np.zeros(VERDICTS, np.int64), words, words, words)


def test_bounds_are_checked_where_it_is_asked_for(tmp_path: Path) -> None:
    """Else a cache of unchecked kernels would make all of this prove little."""
    if CHECKED:
        with pytest.raises(IndexError):
            beyond()
        return
    words = [sys.executable, "-c", "from tests.fuzz.test_cut_and_flipped import beyond; beyond()"]
    told = os.environ | {"NUMBA_BOUNDSCHECK": "1", "XDG_CACHE_HOME": str(tmp_path)}
    told.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert "IndexError" in done.stderr, done.stderr
