"""The overload ladder: how closely frames are looked at, so that a tap that cannot keep up still counts every frame.

Three levels: full; headers only (no payload is recognised or read); totals only (frames and octets of each leg,
exactly, and nothing else: no flows). Up when the kernel drops frames or the rings fill, down after a calm that grows
with every relapse. Only live legs have it: a file waits. The level of an interval stands in its summary, and what was
only counted stands there as ignored by the reason `overload`.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from agent.tap.records import LegCounts

RISE_LOOKS: Final = 2  # looks (one a second) in a row: one may be a hiccup of the machine
DROPPED_PERMILLE: Final = 1  # of what came since the last look; where capture-loss begins to warn
BACKLOG_SHARE: Final = 0.25  # of what came in the last second waits in the rings: a quarter of a second behind
BACKLOG_MIN: Final = 20_000  # frames: less is what two blocks may hold
CALM_LOOKS: Final = 7  # before the next finer level is tried
CALM_LOOKS_MAX: Final = 28  # two levels down take less than a minute
RELAPSE_LOOKS: Final = 60  # a rise so soon after a fall: the finer level was too much, wait longer next time


class Detail(IntEnum):
    """How closely frames are looked at."""

    FULL = 0
    HEADERS = 1
    TOTALS = 2

    @property
    def word(self) -> str:
        """As it stands in summaries and findings."""
        return ("full", "headers-only", "totals-only")[self]


class Load(NamedTuple):
    """What the kernel counted on all legs since takeover."""

    received: int = 0  # with those it dropped and those that wait
    dropped: int = 0  # for want of room in the rings; what the card lost no ladder can help
    waiting: int = 0  # in the rings now

    @classmethod
    def of(cls, legs: Sequence[LegCounts]) -> "Load":
        """Of the newest counts of the legs; a backend that does not count what it received knows of no backlog."""
        received = dropped = waiting = 0
        for leg in legs:
            lost = leg.dropped - leg.nic_lost
            read = leg.frames + lost
            received += max(leg.received, read)
            dropped += lost
            waiting += max(leg.received - read, 0)
        return cls(received, dropped, waiting)

    def strains(self, before: "Load") -> bool:
        """Whether the tap fell behind since the look before."""
        received, dropped = self.received - before.received, self.dropped - before.dropped
        behind = self.waiting >= BACKLOG_MIN and self.waiting >= BACKLOG_SHARE * received
        return behind or (dropped > 0 and dropped * 1000 >= DROPPED_PERMILLE * received)


class OverloadLadder:
    """One step at a time, with a memory of the last fall. Pure: it is told what was counted, and asks nobody."""

    def __init__(self) -> None:
        self.detail = Detail.FULL
        self._before = Load()
        self._strained = self._calm = 0  # looks in a row
        self._patience = CALM_LOOKS
        self._since_fall = RELAPSE_LOOKS

    def look(self, legs: Sequence[LegCounts]) -> Detail:
        """Once a second: the level from here on."""
        load = Load.of(legs)
        strained = load.strains(self._before)
        self._before = load
        self._since_fall += 1
        self._strained = self._strained + 1 if strained else 0
        self._calm = 0 if strained else self._calm + 1
        if self._strained >= RISE_LOOKS and self.detail is not Detail.TOTALS:
            self._step(Detail(self.detail + 1))
        elif self._calm >= self._patience and self.detail is not Detail.FULL:
            self._step(Detail(self.detail - 1))
        return self.detail

    def _step(self, to: Detail) -> None:
        if to < self.detail:
            self._since_fall = 0
        elif self._since_fall < RELAPSE_LOOKS:
            self._patience = min(2 * self._patience, CALM_LOOKS_MAX)
        else:
            self._patience = CALM_LOOKS
        self.detail = to
        self._strained = self._calm = 0
