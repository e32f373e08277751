"""A burst through this room: decode, recognise, find duplicates - block by block, so that rows stay in the first cache.

Before: FRAME rows and octets. After: PACKET rows, their verdicts counted. Each block's rows are written once and read
twice while they are near: three passes over a whole burst would bring them from afar each time (measured: 35 ns a
frame).
"""

import numpy as np

from agent.jit import Hashes, Words, kernel
from agent.packets.cursor import Cursor
from agent.packets.kernels import AHEAD, decode_burst
from agent.packets.kernels_mirror import mark_duplicates
from agent.packets.kernels_payload import recognise_burst
from agent.packets.records import PacketFlag, Rows
from agent.tap.records import Octets

F_FRAGMENT = int(PacketFlag.FRAGMENT)
BLOCK = 128  # rows: 16 KiB, half a first-level cache


@kernel
def take_burst(
    frames: Rows, count: int, octets: Octets, rows: Rows, verdicts: Words, cursor: Cursor, scratch: Rows, recent: Hashes
) -> tuple[int, int]:
    """`frames[:count]` -> `rows[:count]`, as the kernels would one after the other: (rows with a hint, fragments).

    Without `recent` (no slots) duplicates stay unmarked: what they are compared with is another thread's.
    """
    hints, fragments = 0, 0
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        block = rows[start:stop]
        decode_burst(frames[start : stop + AHEAD], stop - start, octets, block, verdicts, cursor, scratch)
        hints += recognise_burst(block, stop - start, octets)
        if len(recent):
            mark_duplicates(block, stop - start, recent, verdicts)
        for i in range(stop - start):
            fragments += np.int64(block[i]["flags"] & F_FRAGMENT != 0)
    return hints, fragments
