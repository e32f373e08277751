"""What is worth a reader's time: payloads that were not seen before, in order, within a budget for each second.

The rows of all workers come here, so that the budget and the memory are one, however many there are.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from agent.jit import Words
from agent.packets import budgets, kernels_join, kernels_news
from agent.packets.records import PACKET, HintKind, Rows
from agent.tap.records import FRAME, Octets

SEEN_SLOTS = 1 << 16  # remembered payloads
SOURCE_SLOTS = 1 << 12
NOBODY = np.zeros(0, np.int64)


class Hint(NamedTuple):
    """A payload that was not seen before."""

    kind: HintKind
    source: int  # MAC of the frame
    destination: int
    time_ns: int
    payload: bytes
    sender: int = 0  # address of the packet that carried it, 128 bits, IPv4 mapped; 0 for a frame without IP
    receiver: int = 0

    def __repr__(self) -> str:
        """No octet of the payload: whoever prints a hint by mistake prints no patient."""
        return f"Hint({self.kind.name}, {len(self.payload)} octets)"


def _hint(kind: HintKind, row: np.void, payload: bytes) -> Hint:
    """What a row carried, and between whom. An ARP row's addresses are those it speaks of: it has no packet's."""
    ends = (int(row[f"{end}_hi"]) << 64 | int(row[f"{end}_lo"]) if row["ip_version"] else 0 for end in ("src", "dst"))
    return Hint(kind, int(row["src_mac"]), int(row["dst_mac"]), int(row["time_ns"]), payload, *ends)


class Heard(NamedTuple):
    """Decoded rows, the frames they were made of, and what the offsets of both point into."""

    frames: Rows
    rows: Rows
    octets: Octets

    def __repr__(self) -> str:
        """No octet of a frame, for the same reason."""
        return f"Heard({len(self.rows)} rows)"


class News:
    """Rows to hints."""

    def __init__(self, secret: tuple[int, int], wanted: Iterable[HintKind]) -> None:
        self._secret = np.array(secret, np.uint64)
        self._wanted = np.zeros(max(HintKind) + 1, np.uint8)
        self._wanted[list(wanted)] = 1
        self._seen = np.zeros(SEEN_SLOTS, np.uint64)
        self._per_source = np.zeros(SOURCE_SLOTS, np.int64)
        self._per_kind = np.zeros((max(HintKind) + 1, budgets.PER_KIND_SIZE), np.int64)
        self._budget = np.zeros(budgets.BUDGET_SIZE, np.int64)
        self._budget[budgets.PER_SOURCE_MAX] = budgets.HINTS_PER_SOURCE
        self._budget[budgets.PER_KIND_MAX] = budgets.HINTS_PER_KIND
        self._budget[budgets.LOOKS_PER_KIND_MAX] = budgets.LOOKS_PER_KIND
        self._chosen = np.zeros((budgets.HINTS_PER_SECOND, 3), np.int64)
        self._flows = np.zeros(kernels_join.SLOTS, np.uint64)
        self._flows_before = self._flows.copy()  # of messages that were unfinished a second ago
        self._parts = np.zeros((kernels_join.SLOTS, kernels_join.PARTS_SIZE), np.int64)
        self._store = np.zeros(kernels_join.SLOTS * budgets.HINT_OCTETS_MAX, np.uint8)
        self._second = -1

    def load(self) -> None:
        """Bring the kernels into memory, with no rows."""
        nothing = Heard(np.zeros(1, FRAME), np.zeros(1, PACKET), np.zeros(1, np.uint8))
        self._select(nothing, NOBODY)
        self._join(nothing, NOBODY)
        kernels_join.is_joining(self._flows)

    @property
    def waits(self) -> bool:
        """Whether a message is unfinished: then rows without a hint matter too."""
        return kernels_join.is_joining(self._flows)

    def tell(self, heard: Heard, places: Words, second: int, tell: Callable[[Hint], None]) -> None:
        """Give `tell` the news among the rows at `places`, within the budget of this second of capture time."""
        if second != self._second:
            self._begin(second)
        for index, at, size in self._chosen[: self._select(heard, places)].tolist():
            row = heard.rows[index]
            kind = HintKind(int(row["hint"]))
            payload = heard.octets[at : at + size].tobytes()
            if kind is HintKind.TCP_SYN:
                payload = bytes((int(row["ttl"]),)) + payload
            tell(_hint(kind, row, payload))
        if not self._budget[budgets.JOINABLE] and not self.waits:
            return
        for index, slot, size in self._chosen[: self._join(heard, places)].tolist():
            row, at = heard.rows[index], slot * budgets.HINT_OCTETS_MAX
            kind = HintKind(int(self._parts[slot, kernels_join.KIND]))
            payload = self._store[at : at + size].tobytes()
            self._parts[slot, kernels_join.WHOLE] = 0
            tell(_hint(kind, row, payload))

    def _begin(self, second: int) -> None:
        """A new second: a new budget; a message that is not whole after a whole second will not be."""
        self._second = second
        self._budget[budgets.LEFT] = budgets.HINTS_PER_SECOND
        self._budget[budgets.LOOKS_LEFT] = budgets.LOOKS_PER_SECOND
        self._per_source[:] = 0
        self._per_kind[:] = 0
        self._flows[self._flows == self._flows_before] = 0
        self._flows_before[:] = self._flows

    def _select(self, heard: Heard, places: Words) -> int:
        """How many of these rows are news; which: `_chosen`."""
        return kernels_news.select_hints(
            heard.frames, heard.rows, places, heard.octets, self._wanted, self._seen, self._per_source, self._per_kind,
            self._secret, self._budget, self._chosen,
        )  # fmt: skip

    def _join(self, heard: Heard, places: Words) -> int:
        """How many messages in several segments are whole by now, and news; which: `_chosen`."""
        return kernels_join.join_segments(
            heard.rows, places, heard.octets, self._wanted, self._flows, self._parts, self._store, self._seen,
            self._per_kind, self._secret, self._budget, self._chosen,
        )  # fmt: skip

    @property
    def skipped(self) -> int:
        """Hints that were over the budget: news, and in a storm what was not even compared with what was heard."""
        return int(self._budget[budgets.SKIPPED] + self._budget[budgets.UNSEEN])
