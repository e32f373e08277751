"""The decoder: owns the row buffers, runs the per-frame kernels, keeps the counts of verdicts."""

from typing import NamedTuple

import numpy as np

from agent.jit import Words, aligned_rows
from agent.packets import kernels, kernels_burst, kernels_fragments, kernels_mirror
from agent.packets.cursor import CURSOR_SIZE, SCRATCH
from agent.packets.records import PACKET, VERDICTS, PacketFlag, Rows, Verdict
from agent.tap.records import BURST_FRAMES_MAX, Burst, frame_buffers


class Decoded(NamedTuple):
    """A burst and its rows; `rows[:count]` is valid until the decoder is given its buffer again."""

    burst: Burst
    rows: Rows
    count: int  # type: ignore[assignment] # rows, not tuple.count
    hints: int  # rows whose payload may be worth a reader's time
    hashed: bool = False  # whether the rows have their flows' digests


class Decoder:
    """Frames to rows. `verdicts` counts every frame that was decoded."""

    def __init__(self) -> None:
        self._cursor = np.zeros(CURSOR_SIZE, np.int64)
        self._scratch = np.zeros(SCRATCH, PACKET)
        self._recent = np.zeros((kernels_mirror.SLOTS, kernels_mirror.WORDS), np.uint64)
        self._fragments = np.zeros((kernels_fragments.SLOTS, kernels_fragments.WORDS), np.uint64)
        self._verdicts = np.zeros(VERDICTS, np.int64)

    @staticmethod
    def buffer() -> Rows:
        """A row buffer for one burst."""
        return aligned_rows(BURST_FRAMES_MAX, PACKET)

    def decode(self, burst: Burst, rows: Rows) -> Decoded:
        """Fill `rows` from the burst's frames."""
        hints, fragments = kernels_burst.take_burst(
            burst.frames, burst.count, burst.octets, rows, self._verdicts, self._cursor, self._scratch, self._recent
        )
        if fragments:
            kernels_fragments.join_fragments(rows, burst.count, self._fragments)
        return Decoded(burst, rows, burst.count, hints)

    @property
    def verdicts(self) -> Words:
        """Frames by verdict."""
        return self._verdicts

    def decode_headers(self, burst: Burst, rows: Rows) -> Decoded:
        """As `decode`, but no payload is looked at: nothing is recognised, nothing hinted."""
        count = burst.count
        kernels.decode_burst(burst.frames, count, burst.octets, rows, self._verdicts, self._cursor, self._scratch)
        kernels_mirror.mark_duplicates(rows, count, self._recent, self._verdicts)
        kernels_fragments.join_fragments(rows, count, self._fragments)
        return Decoded(burst, rows, count, 0)

    def pass_over(self, burst: Burst, rows: Rows) -> Decoded:
        """Rows that tell how many frames and octets each leg heard, and no more: not one octet is read."""
        frames, count = burst.frames[: burst.count], burst.count
        taken, whole = rows[:count], np.maximum(frames["wirelen"], frames["caplen"])
        taken["verdict"], taken["application"], taken["hint"] = Verdict.OVERLOAD, 0, 0
        taken["leg"] = frames["leg"]
        taken["wire_octets"] = whole + frames["taken"]
        taken["flags"] = np.where(frames["caplen"] < whole, PacketFlag.CUT, 0)
        self._verdicts[Verdict.OVERLOAD] += count
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
        kernels_fragments.join_fragments(decoded.rows, 0, self._fragments)
        return decoded

    @property
    def frames(self) -> int:
        """All frames that were decoded."""
        return int(self.verdicts.sum())
