"""The flow caches of all workers, as one: what is due of any of them, in one order, and their counts added up.

A flow lies in the cache of the worker that its packets came to. Where it lies there is chance; so what leaves together
is told in the order in which it fell silent, which is the same over one cache or several.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from agent.flows.cache import EVENTS_PER_CALL, WAYS_ROWS_MAX, FlowCache, Ways
from agent.flows.records import Rows
from agent.jit import Words

KEY = ("key_ports", "key_hi_lo", "key_lo_lo", "last_ns")  # np.lexsort: the last one counts first


class Leaving(NamedTuple):
    """Events, and their places in the order in which they are told: rows of 192 octets are not moved for it."""

    events: Rows
    places: Words


def in_order(events: Rows) -> Words:
    """The events' places in order of their last packet; those of the same nanosecond in order of their keys."""
    times = events["last_ns"]
    order = np.argsort(times, kind="stable")
    times = times[order]
    same = np.flatnonzero(times[1:] == times[:-1])
    if same.size:
        tied = np.union1d(same, same + 1)  # whole runs of equal times: sorted among themselves they keep their places
        among = order[tied]
        order[tied] = among[np.lexsort([events[name][among] for name in KEY])]
    return order


def _joined(parts: list[Rows]) -> Rows:
    """Rows behind each other, copied as plain words: numpy copies rows field by field, in fifteen times the time."""
    words = np.concatenate([np.ascontiguousarray(rows).view(np.uint64) for rows in parts])
    joined: Rows = words.view(parts[0].dtype)
    return joined


class FlowCaches:
    """One cache for each worker."""

    def __init__(self, caches: Sequence[FlowCache]) -> None:
        self._caches = caches

    def expire(self, now_s: int, *, forced: bool = False) -> Iterator[Leaving]:
        """As a cache does: events of flows that end."""
        return self._together([cache.expire(now_s, forced=forced) for cache in self._caches])

    def update(self) -> Iterator[Leaving]:
        """As a cache does: events of living flows that have moved."""
        return self._together([cache.update() for cache in self._caches])

    @staticmethod
    def _together(tellers: list[Iterator[Rows]]) -> Iterator[Leaving]:
        """What each tells at the same time, in one order; at most EVENTS_PER_CALL at once."""
        for told in zip_longest(*tellers):
            parts = [rows for rows in told if rows is not None]
            events = parts[0] if len(parts) == 1 else _joined(parts)
            order = in_order(events)
            for start in range(0, len(order), EVENTS_PER_CALL):
                yield Leaving(events, order[start : start + EVENTS_PER_CALL])

    def next_deadline_s(self) -> int | None:
        """No flow ends before this second; None when none is open."""
        deadlines = [second for cache in self._caches if (second := cache.next_deadline_s()) is not None]
        return min(deadlines, default=None)

    @property
    def metered(self) -> int:
        """Packets that were counted in flows."""
        return sum(cache.metered for cache in self._caches)

    @property
    def evicted(self) -> int:
        """Flows that left for lack of room."""
        return sum(cache.evicted for cache in self._caches)

    @property
    def exported(self) -> int:
        """Records that left for good."""
        return sum(cache.exported for cache in self._caches)

    @property
    def open(self) -> int:
        """Flows in the tables."""
        return sum(cache.open for cache in self._caches)

    def tcp_ways(self, most: int = WAYS_ROWS_MAX) -> Ways:
        """Of at most `most` open flows, evenly over the tables."""
        told = [cache.tcp_ways(most // len(self._caches)) for cache in self._caches]
        return Ways(*(sum(column) for column in zip(*told, strict=True)))

    def conserved(self) -> bool:
        """Every packet and octet that was metered has left in a record or is still in a table."""
        return all(cache.conserved() for cache in self._caches)
