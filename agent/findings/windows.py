"""Counts of edges over the last minutes, from interval rows: bounded, and forgotten when they are old."""

from collections import OrderedDict
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Final, NamedTuple

import numpy as np

from agent.findings.case import Case, Mask
from agent.findings.records import Rows

EDGES_MAX: Final = 2048  # of one detector
ROWS_MAX: Final = 2048  # of an interval that are looked at
_KEY: Final = ("direction", "protocol", "port", "peer_hi", "peer_lo")
_COUNTS: Final = ("flows", "packets_out", "packets_in", "octets_out", "octets_in", "last_ns")


class EdgeKey(NamedTuple):
    """One edge, by its device's MAC."""

    mac: int
    direction: int
    protocol: int
    port: int
    peer_hi: int
    peer_lo: int


class Count(NamedTuple):
    """What an edge did in one interval."""

    end_ns: int
    flows: int
    packets_out: int
    packets_in: int
    octets_out: int
    octets_in: int
    last_ns: int


# Both from a row of values, as thousands are made in an interval: calling the class is a function of Python's.
_AS_KEY: Final = partial(tuple.__new__, EdgeKey)
_AS_COUNT: Final = partial(tuple.__new__, Count)


class EdgeWindows:
    """The counts of chosen edges, newest last."""

    def __init__(self, window_ns: int, intervals_max: int = 64) -> None:
        """`window_ns`: older counts are forgotten; at most `intervals_max` are kept of one edge."""
        self._window_ns, self._most = window_ns, intervals_max
        self._held: OrderedDict[EdgeKey, list[Count]] = OrderedDict()

    def take(self, case: Case, rows: Rows, fits: Mask, least: int = 1) -> list[tuple[np.void, EdgeKey, list[Count]]]:
        """Take in an interval's rows; gives those with at least so many counts in the window, in a fixed order."""
        chosen = np.flatnonzero(fits)[:ROWS_MAX]
        now_ns, found = case.turn.now_ns, []
        macs = case.turn.devices.macs()[rows["device"][chosen]].tolist()
        keys = map(_AS_KEY, zip(macs, *(rows[name][chosen].tolist() for name in _KEY), strict=True))
        counts = map(_AS_COUNT, zip(repeat(now_ns), *(rows[name][chosen].tolist() for name in _COUNTS)))
        kept, too_old_ns = self._held, now_ns - self._window_ns
        for key, index, count in zip(keys, chosen.tolist(), counts, strict=True):
            held = kept.pop(key, None)
            if held is None:
                kept[key] = held = [count]
            else:
                while held and (held[0].end_ns <= too_old_ns or len(held) >= self._most):
                    del held[0]
                held.append(count)
                kept[key] = held
            if len(held) >= least:
                found.append((key, index, held))
        while len(self._held) > EDGES_MAX:
            self._held.popitem(last=False)
        found.sort(key=itemgetter(0))
        return [(rows[index], key, held) for key, index, held in found]
