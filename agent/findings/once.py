"""Inventory facts are said once: a bounded memory of what was."""

from typing import Final

import numpy as np

from agent.findings.case import Case, Mask
from agent.findings.records import Rows

KEPT_MAX: Final = 4096  # facts; the oldest may be said again, and the ledger folds it
LOOKED_AT_MAX: Final = 1024  # rows of an interval
SAID_MAX: Final = 32  # in an interval; the others' turn comes with the next


class Once:
    """Which (device, fact) was said."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, int], None] = {}

    def rows(self, case: Case, rows: Rows, fits: Mask, fact: str) -> list[np.void]:
        """Rows that fit and whose device was not said with this column's value, at most SAID_MAX."""
        fresh: list[np.void] = []
        for row in case.oldest(rows, fits, LOOKED_AT_MAX):
            key = (case.turn.devices.mac(int(row["device"])), int(row[fact]))
            if len(fresh) < SAID_MAX and key not in self._said:
                self._said[key] = None
                fresh.append(row)
        while len(self._said) > KEPT_MAX:
            del self._said[next(iter(self._said))]
        return fresh
