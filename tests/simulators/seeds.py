"""`python -m tests.simulators.seeds FIRST COUNT [PROCESSES]`: histories by seed; a failure repeats."""

import sys
import traceback
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.simulators.world import World

CHUNK = 25


def failures(seeds: Iterable[int]) -> list[tuple[int, str]]:
    """Seeds whose history broke an invariant, with the story."""
    found = []
    for seed in seeds:
        try:
            World(seed).run()
        except Exception:  # noqa: BLE001 - whatever it was, the seed is what is needed
            found.append((seed, traceback.format_exc()))
    return found


def sweep(first: int, count: int, processes: int) -> list[tuple[int, str]]:
    """All seeds from `first` on, by several processes."""
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        return [each for found in pool.map(failures, chunks) for each in found]


def main(words: list[str]) -> int:
    """0 when every history held."""
    first, count, processes = (int(word) for word in [*words, *("0", "10000", "2")[len(words) :]])
    found = sweep(first, count, processes)
    for seed, story in found:
        sys.stdout.write(f"seed {seed}:\n{story}\n")
    sys.stdout.write(f"{count} histories, {len(found)} failed: {[seed for seed, _ in found]}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
