"""`python -m tests.simulators.seeds FIRST COUNT [PROCESSES]`: histories by seed; a failure repeats."""

import sys
import traceback
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.simulators.world import World

CHUNK = 25


def failures(seeds: Iterable[int], totals: Counter[str] | None = None) -> list[tuple[int, str]]:
    """Seeds whose history broke an invariant, with the story; what was counted is added to `totals`."""
    found = []
    for seed in seeds:
        try:
            world = World(seed)
            world.run()
            if totals is not None:
                totals.update(world.totals)
        except Exception:  # noqa: BLE001 - whatever it was, the seed is what is needed
            found.append((seed, traceback.format_exc()))
    return found


def _chunk(seeds: range) -> tuple[list[tuple[int, str]], Counter[str]]:
    totals: Counter[str] = Counter()
    return failures(seeds, totals), totals


def sweep(first: int, count: int, processes: int) -> tuple[list[tuple[int, str]], Counter[str]]:
    """All seeds from `first` on, by several processes: failures and totals."""
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    found, totals = [], Counter[str]()
    with ProcessPoolExecutor(processes) as pool:
        for failed, counted in pool.map(_chunk, chunks):
            found.extend(failed)
            totals.update(counted)
    return found, totals


def main(words: list[str]) -> int:
    """0 when every history held."""
    first, count, processes = (int(word) for word in [*words, *("0", "10000", "2")[len(words) :]])
    found, totals = sweep(first, count, processes)
    for seed, story in found:
        sys.stdout.write(f"seed {seed}:\n{story}\n")
    sys.stdout.write("".join(f"{name}: {number}\n" for name, number in sorted(totals.items())))
    sys.stdout.write(f"{count} histories, {len(found)} failed: {[seed for seed, _ in found]}\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
