"""A burst's way through time: the rows at which a second of its own begins."""

import numpy as np
import numpy.typing as npt

from agent.clock import NS_PER_S


def seconds_of(times_ns: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """(row, second) where each second of a burst's own time begins; time that runs backwards begins none."""
    first = int(times_ns[0]) // NS_PER_S
    if int(times_ns.max()) // NS_PER_S == first:
        return [(0, first)]
    seconds = np.maximum.accumulate(times_ns) // NS_PER_S
    starts = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist()]
    return list(zip(starts, seconds[starts].tolist(), strict=True))
