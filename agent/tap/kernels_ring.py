"""The kernel's rings (TPACKET_V3), walked in place: ready blocks of all legs -> FRAME rows in order of time, no copy.

Before: `words` is the memory in which the rings of all legs lie one behind the other, `legs` has a row of the columns
below for each. After: `frames[:count]` point into that memory; a block stays ours until `give_back`. Total: every
header and length is held against its block, and what cannot be is counted. Cost: one pass over headers.

Order: the legs of a full-duplex tap hear the two halves of one conversation, and blocks become ready at different
times. So while a leg has no ready block, the other legs' frames younger than `wait_ns` are held: longer than that the
kernel keeps no frame back while its timer runs on time. Where the block that it fills holds frames all the same (a
processor that was taken away from it), they are held LATE times as long. Nothing is held when a quarter of a ring
waits: order is worth less than a loss.
Source of all offsets: linux/if_packet.h.
"""

import numpy as np

from agent.jit import Memory, Words, fence, kernel, leaf
from agent.tap.records import Rows

# Columns of `legs`. The source sets the first five, the rest begin at 0.
BASE = 0  # offset of the ring in the memory
BLOCK = 1  # octets of a block
BLOCKS = 2  # of the ring
SHARE = 3  # blocks that one burst may begin, so that bursts in use never hold most of a ring
LINK = 4  # link type (LINKTYPE_*)
DONE = 5  # blocks that were walked to their end; the next one stands at DONE % BLOCKS
LEFT = 6  # frames left in the open block, 0 when none is open
AT = 7  # offset of the next frame's header
END = 8  # where the open block ends
TIME = 9  # of the next frame
FRAMES = 10  # given out
OWN = 11  # sent by this machine and passed over (a kernel older than 4.20 does not leave them out)
DAMAGED = 12  # could not be where their block said
GIVEN = 13  # blocks that were given back
UNTIL = 14  # the burst begins no block from here on
COLUMNS = 15

# struct tpacket_block_desc
STATUS, FRAME_COUNT, FIRST, BLOCK_HEADER = 8, 12, 16, 48
USER = 1  # TP_STATUS_USER: the block is ours
# struct tpacket3_hdr, and the struct sockaddr_ll behind it
NEXT, SECONDS, NANOSECONDS, CAPLEN, WIRELEN, FLAGS, MAC, TCI, KIND, HEADER = 0, 4, 8, 12, 16, 20, 24, 32, 56, 68
VLAN_VALID = 0x10  # TP_STATUS_VLAN_VALID
TAG_OCTETS = 4
OUTGOING = 4  # PACKET_OUTGOING
ALIGNMENT = 8  # V3_ALIGNMENT of net/packet/af_packet.c
S, NS_MAX = 1_000_000_000, 999_999_999
LATE = 16  # a virtual machine's processor is away for tenths of a second; a second would be felt by the judge


@leaf
def _word(words: Memory, at: int) -> int:
    """32 bits at an offset that was checked."""
    return np.int64(words[np.uint64(at >> 2)])


@leaf
def _block(leg: Words, ahead: int) -> int:
    """Where the block stands that is `ahead` of the next one."""
    return leg[BASE] + (leg[DONE] + ahead) % leg[BLOCKS] * leg[BLOCK]


@leaf
def _is_ready(words: Memory, leg: Words, ahead: int) -> bool:
    """Whether the kernel has handed over that block."""
    return _word(words, _block(leg, ahead) + STATUS) & USER != 0


@leaf
def _is_filling(words: Memory, leg: Words) -> bool:
    """Whether the block that the kernel has open holds frames (it counts them as it writes them)."""
    return _word(words, _block(leg, 0) + FRAME_COUNT) != 0


@leaf
def _finish(leg: Words) -> None:
    """No frame of the open block is left; whatever could not be found counts as damaged."""
    leg[DAMAGED] += leg[LEFT]
    leg[LEFT] = 0
    leg[DONE] += 1


@leaf
def _stand(words: Memory, leg: Words, at: int, lowest: int) -> None:
    """On to the header at `at`; the block ends where there can be none."""
    if leg[LEFT] < 1 or at < lowest or at + HEADER > leg[END] or at % ALIGNMENT != 0:
        _finish(leg)
        return
    leg[AT] = at
    leg[TIME] = _word(words, at + SECONDS) * S + min(_word(words, at + NANOSECONDS), NS_MAX)


@leaf
def _begin(words: Memory, leg: Words) -> None:
    """Open the next block, which is ready."""
    fence()  # nothing of the block is read before its status
    at = _block(leg, 0)
    leg[END] = at + leg[BLOCK]
    leg[LEFT] = min(_word(words, at + FRAME_COUNT), leg[BLOCK] // HEADER)
    _stand(words, leg, at + _word(words, at + FIRST), at + BLOCK_HEADER)


@leaf
def _take(words: Memory, leg: Words, number: int, row: np.void) -> int:
    """The next frame of a leg into a row, and on to the one after it. 0: it was none to give out."""
    at, made = leg[AT], 0
    start, caplen = at + (_word(words, at + MAC) & 0xFFFF), _word(words, at + CAPLEN)
    leg[LEFT] -= 1
    if start < at + HEADER or start + caplen > leg[END]:
        leg[DAMAGED] += 1
    elif (_word(words, at + KIND) >> 16) & 0xFF == OUTGOING:
        leg[OWN] += 1
    else:
        tagged = _word(words, at + FLAGS) & VLAN_VALID != 0
        row["time_ns"], row["offset"], row["caplen"] = leg[TIME], start, caplen
        row["wirelen"] = max(_word(words, at + WIRELEN), caplen)
        row["link"], row["leg"] = leg[LINK], number
        row["vlan"] = _word(words, at + TCI) & 0xFFFF if tagged else 0
        row["taken"] = TAG_OCTETS if tagged else 0
        leg[FRAMES] += 1
        made = 1
    _stand(words, leg, at + _word(words, at + NEXT), at + HEADER)
    return made


@kernel
def walk_blocks(words: Memory, legs: Words, frames: Rows, now_ns: int, wait_ns: int) -> tuple[int, int]:
    """Ready frames of all legs, oldest first. Returns (frames found, time of the frame that is held, or 0)."""
    count = 0
    for number in range(len(legs)):
        legs[number, UNTIL] = legs[number, DONE] + legs[number, SHARE]
    while count < len(frames):
        best, hold_ns = -1, np.int64(0)
        for number in range(len(legs)):
            leg = legs[number]
            while leg[LEFT] == 0 and _is_ready(words, leg, 0):
                if leg[DONE] >= leg[UNTIL]:
                    return count, 0
                _begin(words, leg)
            if leg[LEFT] == 0:
                hold_ns = max(hold_ns, wait_ns * LATE if _is_filling(words, leg) else wait_ns)
            elif best < 0 or leg[TIME] < legs[best, TIME]:
                best = number
        if best < 0:
            return count, 0
        leg = legs[best]
        # A frame from the future means that the clock was set back: nothing is known of its order.
        if now_ns - hold_ns < leg[TIME] <= now_ns and hold_ns and not _is_ready(words, leg, leg[BLOCKS] >> 2):
            return count, leg[TIME]
        count += _take(words, leg, best, frames[count])
    return count, 0


@kernel
def give_back(words: Memory, legs: Words, done: Words) -> None:
    """Hand the blocks before `done` back to the kernel: no burst in use points into them."""
    fence()  # whatever we read of them was read before
    for number in range(len(legs)):
        leg = legs[number]
        while leg[GIVEN] < done[number]:
            at = leg[BASE] + leg[GIVEN] % leg[BLOCKS] * leg[BLOCK]
            words[np.uint64((at + FRAME_COUNT) >> 2)] = 0  # what the kernel filled it with is no sign of what it fills
            words[np.uint64((at + STATUS) >> 2)] = 0
            leg[GIVEN] += 1
