"""Edges whose device had no sure role yet: they are judged when it gets one, not forgotten."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EDGE, NO_SLOT, EdgeGate
from agent.findings.records import NO_ROWS, DeviceView, Rows

HELD_MAX: Final = 8192  # 0.8 MB; the oldest are overwritten
_WORTH: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.TWO_WAY_DATA | EdgeGate.EXCHANGED)
_FREE: Final = NO_SLOT  # in the list of owners: nothing waits here


class HeldEdges:
    """A ring of edges that wait for a role.

    Whose edge each one is stands apart: looking for those of a device touches 32 kB, not the rows.
    """

    def __init__(self) -> None:
        self._rows = np.zeros(HELD_MAX, dtype=EDGE)
        self._words = self._rows.view(np.uint64).reshape(HELD_MAX, -1)  # the same, as plain words
        self._owners = np.full(HELD_MAX, _FREE, dtype=np.intp)
        self._next = 0
        self._roles = np.zeros(0, dtype=np.int16)

    def hold(self, edges: Rows, waiting: npt.NDArray[np.intp]) -> None:
        """Keep those of the waiting edges in which something happened; by place, in their order."""
        worth = waiting.compress((edges["gates"][waiting] & _WORTH) != 0)[-HELD_MAX:]
        until_end = min(HELD_MAX - self._next, worth.size)
        self._write(self._next, edges, worth[:until_end])
        self._write(0, edges, worth[until_end:])
        self._next = (self._next + worth.size) % HELD_MAX

    def _write(self, start: int, edges: Rows, places: npt.NDArray[np.intp]) -> None:
        """Overwrite neighbours in the ring, as plain words: numpy copies rows field by field."""
        stop = start + places.size
        words = np.ascontiguousarray(edges).view(np.uint64).reshape(-1, self._words.shape[1])
        words.take(places, axis=0, out=self._words[start:stop], mode="clip")  # without a copy in between
        rows = self._rows[start:stop]
        self._owners[start:stop] = np.where(rows["protocol"] != 0, rows["device"], _FREE)

    def release(self, devices: DeviceView, roles: npt.NDArray[np.int16], everything: bool) -> Rows:
        """Edges of devices whose role changed since the last call, or all; they are held no longer.

        A slot may belong to another device by now: an edge that began before its device was first seen is dropped.
        """
        if not everything and np.array_equal(roles, self._roles):
            return NO_ROWS
        chosen = np.flatnonzero(self._due(roles, everything).take(self._owners, mode="clip"))
        self._roles = roles.copy()
        if not chosen.size:
            return NO_ROWS
        rows: Rows = self._rows.take(chosen)
        self._owners[chosen] = _FREE
        slots = rows["device"]
        there = np.zeros(roles.shape[0], dtype=np.bool_)
        there[slots] = True
        born = np.zeros(roles.shape[0], dtype=np.int64)
        for slot in np.flatnonzero(there).tolist():
            born[slot] = devices.first_ns(slot)
        kept: Rows = rows.compress(rows["last_ns"] >= born[slots])
        return kept

    def _due(self, roles: npt.NDArray[np.int16], everything: bool) -> npt.NDArray[np.bool_]:
        """For each slot whether its edges are to be judged now; one more, which never is, for all that do not exist."""
        due = np.ones(roles.shape[0] + 1, dtype=np.bool_)
        due[-1] = False
        if not everything:
            known = min(roles.shape[0], self._roles.shape[0])
            due[:known] = roles[:known] != self._roles[:known]
        return due
