"""What is worth a reader's time: payloads that were not seen before, in order, within a budget for each second.

The rows of all workers come here, so that the budget and the memory are one, however many there are.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from agent.jit import Words
from agent.packets import kernels_payload
from agent.packets.records import PACKET, HintKind, Rows
from agent.tap.records import FRAME, Octets

HINTS_PER_SECOND = 256  # a ward that boots after a power cut says less; a flood of names costs no more than this
HINTS_PER_SOURCE = 12  # of one kind, from one MAC, in a second
SEEN_SLOTS = 1 << 16  # remembered payloads
SOURCE_SLOTS = 1 << 12


class Hint(NamedTuple):
    """A payload that was not seen before."""

    kind: HintKind
    source: int  # MAC of the frame
    destination: int
    time_ns: int
    payload: bytes


class Heard(NamedTuple):
    """Decoded rows, the frames they were made of, and what the offsets of both point into."""

    frames: Rows
    rows: Rows
    octets: Octets


class News:
    """Rows to hints."""

    def __init__(self, secret: tuple[int, int], wanted: Iterable[HintKind]) -> None:
        self._secret = np.array(secret, np.uint64)
        self._wanted = np.zeros(max(HintKind) + 1, np.uint8)
        self._wanted[list(wanted)] = 1
        self._seen = np.zeros(SEEN_SLOTS, np.uint64)
        self._per_source = np.zeros(SOURCE_SLOTS, np.int64)
        self._budget = np.array([HINTS_PER_SECOND, HINTS_PER_SOURCE, 0, 0], np.int64)
        self._chosen = np.zeros((HINTS_PER_SECOND, 3), np.int64)
        self._second = -1

    def load(self) -> None:
        """Bring the kernel into memory, with no rows."""
        nothing = Heard(np.zeros(1, FRAME), np.zeros(1, PACKET), np.zeros(1, np.uint8))
        self._select(nothing, np.zeros(0, np.int64))

    def tell(self, heard: Heard, places: Words, second: int, tell: Callable[[Hint], None]) -> None:
        """Give `tell` the news among the rows at `places`, within the budget of this second of capture time."""
        if second != self._second:
            self._second = second
            self._budget[kernels_payload.LEFT] = HINTS_PER_SECOND
            self._per_source[:] = 0
        for index, at, size in self._chosen[: self._select(heard, places)].tolist():
            row = heard.rows[index]
            tell(
                Hint(
                    HintKind(int(row["hint"])),
                    int(row["src_mac"]),
                    int(row["dst_mac"]),
                    int(row["time_ns"]),
                    heard.octets[at : at + size].tobytes(),
                )
            )

    def _select(self, heard: Heard, places: Words) -> int:
        """How many of these rows are news; which: `_chosen`."""
        return kernels_payload.select_hints(
            heard.frames, heard.rows, places, heard.octets, self._wanted, self._seen, self._per_source, self._secret,
            self._budget, self._chosen,
        )  # fmt: skip

    @property
    def skipped(self) -> int:
        """News that were over the budget."""
        return int(self._budget[kernels_payload.SKIPPED])
