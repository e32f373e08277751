"""The decoder: owns the row buffers, runs the per-frame kernels, keeps the counts of verdicts."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from agent.jit import aligned_rows
from agent.packets import budgets, kernels, kernels_burst, kernels_fragments, kernels_join, kernels_mirror, kernels_news
from agent.packets.cursor import CURSOR_SIZE, SCRATCH
from agent.packets.records import PACKET, VERDICTS, HintKind, PacketFlag, Rows, Verdict
from agent.tap.records import BURST_FRAMES_MAX, Burst, frame_buffers

SEEN_SLOTS = 1 << 16  # remembered payloads
SOURCE_SLOTS = 1 << 12


class Hint(NamedTuple):
    """A payload that was not seen before."""

    kind: HintKind
    source: int  # MAC of the frame
    destination: int
    time_ns: int
    payload: bytes

    def __repr__(self) -> str:
        """No octet of the payload: whoever prints a hint by mistake prints no patient."""
        return f"Hint({self.kind.name}, {len(self.payload)} octets)"


class Decoded(NamedTuple):
    """A burst and its rows; `rows[:count]` is valid until the decoder is given its buffer again."""

    burst: Burst
    rows: Rows
    count: int  # type: ignore[assignment] # rows, not tuple.count
    hints: int  # rows whose payload may be worth a reader's time


class Decoder:
    """Frames to rows, and rows to news. `verdicts` counts every frame that was decoded."""

    def __init__(self, secret: tuple[int, int], wanted: Iterable[HintKind]) -> None:
        self._secret = np.array(secret, np.uint64)
        self._cursor = np.zeros(CURSOR_SIZE, np.int64)
        self._scratch = np.zeros(SCRATCH, PACKET)
        self._recent = np.zeros((kernels_mirror.SLOTS, kernels_mirror.WORDS), np.uint64)
        self._fragments = np.zeros((kernels_fragments.SLOTS, kernels_fragments.WORDS), np.uint64)
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
        self.verdicts = np.zeros(VERDICTS, np.int64)

    @staticmethod
    def buffer() -> Rows:
        """A row buffer for one burst."""
        return aligned_rows(BURST_FRAMES_MAX, PACKET)

    def decode(self, burst: Burst, rows: Rows) -> Decoded:
        """Fill `rows` from the burst's frames."""
        count = burst.count
        hints, fragments = kernels_burst.take_burst(
            burst.frames, count, burst.octets, rows, self.verdicts, self._cursor, self._scratch, self._recent
        )
        if fragments:
            kernels_fragments.join_fragments(rows, count, self._fragments)
        return Decoded(burst, rows, count, hints)

    def decode_headers(self, burst: Burst, rows: Rows) -> Decoded:
        """As `decode`, but no payload is looked at: nothing is recognised, nothing hinted."""
        count = burst.count
        kernels.decode_burst(burst.frames, count, burst.octets, rows, self.verdicts, self._cursor, self._scratch)
        kernels_mirror.mark_duplicates(rows, count, self._recent, self.verdicts)
        kernels_fragments.join_fragments(rows, count, self._fragments)
        return Decoded(burst, rows, count, 0)

    def pass_over(self, burst: Burst, rows: Rows) -> Decoded:
        """Rows that tell how many frames and octets each leg heard, and no more: not one octet is read."""
        frames, count = burst.frames[: burst.count], burst.count
        taken, whole = rows[:count], np.maximum(frames["wirelen"], frames["caplen"])
        taken["verdict"], taken["application"], taken["leg"] = Verdict.OVERLOAD, 0, frames["leg"]
        taken["wire_octets"] = whole + frames["taken"]
        taken["flags"] = np.where(frames["caplen"] < whole, PacketFlag.CUT, 0)
        self.verdicts[Verdict.OVERLOAD] += count
        return Decoded(burst, rows, count, 0)

    def load_headers(self) -> None:
        """Bring into memory what only an overloaded tap needs."""
        self.pass_over(self._nothing(), rows := self.buffer())
        self.decode_headers(self._nothing(), rows)

    @staticmethod
    def _nothing() -> Burst:
        return Burst(next(frame_buffers()), 0, np.zeros(1, np.uint8))

    def load(self) -> Decoded:
        """Bring every kernel of this room into memory, with a burst of no frames."""
        decoded = self.decode(self._nothing(), self.buffer())
        self._select(decoded, 0, 0)
        self._join(decoded, 0, 0)
        kernels_join.is_joining(self._flows)
        kernels_fragments.join_fragments(decoded.rows, 0, self._fragments)
        return decoded

    def hints(self, decoded: Decoded, start: int, stop: int, second: int, tell: Callable[[Hint], None]) -> None:
        """Give `tell` the news among rows[start:stop], within the budget of this second of capture time."""
        if not decoded.hints and not kernels_join.is_joining(self._flows):
            return
        rows = decoded.rows[start:stop]
        if second != self._second:
            self._second = second
            self._budget[budgets.LEFT] = budgets.HINTS_PER_SECOND
            self._budget[budgets.LOOKS_LEFT] = budgets.LOOKS_PER_SECOND
            self._per_source[:] = 0
            self._per_kind[:] = 0
            self._flows[self._flows == self._flows_before] = 0  # what is not whole by now will not be
            self._flows_before[:] = self._flows
        octets = decoded.burst.octets
        for index, at, size in self._chosen[: self._select(decoded, start, stop)].tolist():
            row = rows[index]
            kind = HintKind(int(row["hint"]))
            payload = octets[at : at + size].tobytes()
            if kind is HintKind.TCP_SYN:
                payload = bytes((int(row["ttl"]),)) + payload
            tell(Hint(kind, int(row["src_mac"]), int(row["dst_mac"]), int(row["time_ns"]), payload))
        for index, slot, size in self._chosen[: self._join(decoded, start, stop)].tolist():
            row, at = rows[index], slot * budgets.HINT_OCTETS_MAX
            kind = HintKind(int(self._parts[slot, kernels_join.KIND]))
            payload = self._store[at : at + size].tobytes()
            self._parts[slot, kernels_join.WHOLE] = 0
            tell(Hint(kind, int(row["src_mac"]), int(row["dst_mac"]), int(row["time_ns"]), payload))

    def _select(self, decoded: Decoded, start: int, stop: int) -> int:
        """How many of these rows are news; which: `_chosen`."""
        return kernels_news.select_hints(
            decoded.burst.frames[start:stop], decoded.rows[start:stop], stop - start, decoded.burst.octets,
            self._wanted, self._seen, self._per_source, self._per_kind, self._secret, self._budget, self._chosen,
        )  # fmt: skip

    def _join(self, decoded: Decoded, start: int, stop: int) -> int:
        """How many messages in several segments are whole by now, and news; which: `_chosen`."""
        return kernels_join.join_segments(
            decoded.rows[start:stop], stop - start, decoded.burst.octets, self._wanted, self._flows, self._parts,
            self._store, self._seen, self._per_kind, self._secret, self._budget, self._chosen,
        )  # fmt: skip

    @property
    def hints_skipped(self) -> int:
        """Hints that were over the budget: news, and in a storm what was not even compared with what was heard."""
        return int(self._budget[budgets.SKIPPED] + self._budget[budgets.UNSEEN])

    @property
    def frames(self) -> int:
        """All frames that were decoded."""
        return int(self.verdicts.sum())
