"""The octets of a capture stream in a few large buffers, filled in turn.

A file is copied, not mapped: the copy costs half of what a mapping's page faults and cache misses cost (measured, see
docs/decisions/0011), a pipe and a gzip stream are read the same way without a temporary file, and a file that is cut
while it is read is a short read instead of a SIGBUS.
"""

from collections.abc import Callable

import numpy as np

from agent.tap.records import BURSTS_AHEAD, Octets

CHUNK_BYTES = 1 << 22
CHUNK_MAX_BYTES = 64 << 20  # far above the longest block that the walkers accept

Read = Callable[[memoryview], int]  # fills the front of a buffer, says how much; 0 at the end


class Chunks:
    """`octets` is what is in memory now, `base` the stream offset of its first one.

    Bursts point into the buffers: one is filled again only when BURSTS_AHEAD - 1 further bursts were handed out.
    """

    def __init__(self, read: Read, chunk_bytes: int = CHUNK_BYTES) -> None:
        self._read = read
        whole = np.zeros(BURSTS_AHEAD * chunk_bytes, np.uint8)  # one allocation: numpy asks for huge pages
        self._buffers: list[Octets] = np.split(whole, BURSTS_AHEAD)
        self._turn = 0
        self.octets: Octets = self._buffers[0][:0]
        self.base = 0

    def refill(self, at: int, *, handed_out: bool) -> bool:
        """Keep octets[at:] and read on behind them. False when the stream has ended and nothing came.

        `handed_out`: a burst points into the present buffer, so the next one is taken.
        """
        kept = self.octets[at:]
        if handed_out:
            self._turn = (self._turn + 1) % len(self._buffers)
        buffer = self._buffers[self._turn]
        if len(kept) * 2 > len(buffer):  # a block that is longer than a chunk
            if len(buffer) * 2 > CHUNK_MAX_BYTES:
                return False
            buffer = np.zeros(len(buffer) * 2, np.uint8)
            self._buffers[self._turn] = buffer
        buffer[: len(kept)] = kept
        end = self._filled(buffer, len(kept))
        self.base += at
        self.octets = buffer[:end]
        return end > len(kept)

    def _filled(self, buffer: Octets, end: int) -> int:
        """Read until the buffer is full or the stream has ended: a pipe gives a little at a time."""
        room = buffer.data
        while end < len(buffer) and (size := self._read(room[end:])):
            end += size
        return end
