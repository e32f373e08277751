"""How much edges of each role send in an interval, pooled over its devices and told apart by the hour of the day.

What a role does every night at two is usual then and odd at noon. Kept as counts by powers of two, so that neither one
large transfer nor an hour of nothing moves a limit, and so that it never grows.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.findings.words import NS_PER_S

HOURS: Final = 24
BINS: Final = 64  # octets by their power of two
COUNT_MAX: Final = 1 << 40  # of one kept count: sums of all stay far below 2^63, and no tap hears so much in a century
SAMPLES_MIN: Final = 2000  # edge intervals of a role before its pool says anything
SHARE: Final = 1000  # one edge interval in so many is as large as the usual limit's base
TIMES_MIN: Final = 3  # intervals of a size that make it one the role is known to reach: one transfer, not a slip
FACTOR: Final = 4  # times what is usual, or what was ever reached
DAY_NS: Final = 24 * 3600 * NS_PER_S
HOUR_NS: Final = 3600 * NS_PER_S

Counts = npt.NDArray[np.int64]
Octets = npt.NDArray[np.float64]


class Limits(NamedTuple):
    """Octets an edge may send in an interval of this hour, by role index; endless while the pool is too small."""

    usual: Octets  # FACTOR times what one edge interval in SHARE reaches
    most: Octets  # FACTOR times what was reached TIMES_MIN times


class Sample(NamedTuple):
    """One count of a role's pool, as it is kept."""

    hour: int  # of the day, UTC
    power: int  # octets below 2 to it
    intervals: int  # of edges


class Volumes:
    """The pools of all roles. A clock that goes on with the capture's own time."""

    def __init__(self, roles: int) -> None:
        """Nothing is known of any of so many roles."""
        self._counts: Counts = np.zeros((roles, HOURS, BINS), np.int64)
        self._began_ns = 0
        self.changed = False  # since they were saved last

    def learn(self, roles: npt.NDArray[np.int16], octets: npt.NDArray[np.uint64], now_ns: int) -> None:
        """Edges of an interval: the role of each, and what it sent."""
        self._began_ns = self._began_ns or now_ns
        self.changed |= roles.size > 0
        bins = np.minimum(np.log2(octets.astype(np.float64) + 1).astype(np.int64), BINS - 1)
        np.add.at(self._counts[:, now_ns // HOUR_NS % HOURS], (roles, bins), 1)

    def samples(self, role: int) -> list[Sample]:
        """What outlives a restart of a role's pool: its counts, without what is nought."""
        hours, bins = np.nonzero(self._counts[role])
        counts = np.minimum(self._counts[role][hours, bins], COUNT_MAX)
        return list(map(Sample, hours.tolist(), bins.tolist(), counts.tolist()))

    def resume(self, role: int, samples: Sequence[Sample]) -> None:
        """A role's pool goes on with what it had before the restart."""
        for hour, power, intervals in samples:
            self._counts[role, hour, power] = intervals

    def heard_a_day(self, now_ns: int) -> bool:
        """Whether each hour of the day was heard once by this run: after a restart every peer looks like today's."""
        return self._began_ns > 0 and now_ns - self._began_ns >= DAY_NS

    def limits(self, now_ns: int) -> Limits:
        """Of the hour and those beside it, or of the whole day for a role that has too little in them."""
        hour = now_ns // HOUR_NS % HOURS
        near = self._counts[:, [hour - 1, hour, (hour + 1) % HOURS]].sum(axis=1)
        whole = self._counts.sum(axis=1)
        pool = np.where((near.sum(axis=1) >= SAMPLES_MIN)[:, None], near, whole)
        counts = pool.sum(axis=1)
        above = np.cumsum(pool[:, ::-1], axis=1)[:, ::-1]  # samples of this bin and larger ones
        usual = (above * SHARE >= np.maximum(counts, 1)[:, None]).sum(axis=1)
        most = (above >= TIMES_MIN).sum(axis=1)
        enough = counts >= SAMPLES_MIN
        return Limits(*(np.where(enough, FACTOR * 2.0**bins, np.inf) for bins in (usual, most)))
