"""Edges whose device had no sure role yet: they are judged when it gets one, not forgotten."""

from typing import Final

import numpy as np
import numpy.typing as npt

from agent.devices.records import EDGE, EdgeGate
from agent.findings.contract_table import Rows
from agent.findings.records import DeviceView

HELD_MAX: Final = 8192  # 0.7 MB; the oldest are overwritten
_WORTH: Final = np.uint8(EdgeGate.HANDSHAKE | EdgeGate.TWO_WAY_DATA | EdgeGate.EXCHANGED)


class HeldEdges:
    """A ring of edges that wait for a role."""

    def __init__(self) -> None:
        self._rows = np.zeros(HELD_MAX, dtype=EDGE)  # protocol 0: free
        self._next = 0
        self._roles = np.zeros(0, dtype=np.int16)

    def hold(self, edges: Rows, waiting: npt.NDArray[np.bool_]) -> None:
        """Keep those of the waiting edges in which something happened."""
        worth = edges[np.flatnonzero(waiting & ((edges["gates"] & _WORTH) != 0))[-HELD_MAX:]]
        where = (self._next + np.arange(worth.shape[0])) % HELD_MAX
        self._rows[where] = worth
        self._next = (self._next + worth.shape[0]) % HELD_MAX

    def release(self, devices: DeviceView, roles: npt.NDArray[np.int16], everything: bool) -> Rows:
        """Edges of devices whose role changed since the last call, or all; they are held no longer.

        A slot may belong to another device by now: an edge that began before its device was first seen is dropped.
        """
        known = min(roles.shape[0], self._roles.shape[0])
        changed = np.ones(roles.shape[0], dtype=np.bool_)
        changed[:known] = roles[:known] != self._roles[:known]
        self._roles = roles.copy()
        device = self._rows["device"]
        ready = (self._rows["protocol"] != 0) & (device < roles.shape[0])
        if not everything:
            ready &= changed[np.minimum(device, max(0, roles.shape[0] - 1))] if roles.shape[0] else False
        chosen = np.flatnonzero(ready)
        rows: Rows = self._rows[chosen].copy()
        self._rows["protocol"][chosen] = 0
        if rows.shape[0] == 0:
            return rows
        slots, inverse = np.unique(rows["device"], return_inverse=True)
        born = np.array([devices.first_ns(int(slot)) for slot in slots], dtype=np.int64)
        kept: Rows = rows[rows["last_ns"] >= born[inverse]]
        return kept
