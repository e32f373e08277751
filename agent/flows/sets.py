"""Where a flow is or will be: the sets of the cache, who makes room in one, and asking for its lines ahead. Leaves.

Before: hashed rows. A set is WAYS slots, their tags, and one cache line of deadlines and ranks.
"""

import numpy as np

from agent.flows.lifecycle import yields
from agent.flows.records import Rows
from agent.jit import LINE, Seconds, Tags, fetch_line, leaf

WAYS = 8  # one cache line of 16-bit tags holds four sets
FAR, NEAR = 16, 6  # rows between asking for a set's lines, for a slot's, and reading them
# A set has one cache line that says when each of its flows is due to end and, from RANK on, who gives way first.
DUE = np.dtype([("due_s", "<u4", (2 * WAYS,))])
RANK = WAYS
U64, U16 = np.uint64, np.uint16


@leaf
def find(slots: Rows, tags: Tags, base: int, tag: np.uint16, key: tuple[np.uint64, ...]) -> int:
    """The slot that holds this key, or -1."""
    for way in range(WAYS):
        if tags[base + way] == tag:
            flow = slots[base + way]
            if (
                flow["key_ports"] == key[4]
                and flow["key_lo_lo"] == key[1]
                and flow["key_hi_lo"] == key[3]
                and flow["key_lo_hi"] == key[0]
                and flow["key_hi_hi"] == key[2]
            ):
                return base + way
    return -1


@leaf
def room(tags: Tags, due_s: Seconds, base: int, now_ns: int) -> int:
    """A free slot of the set, or the one to give up: the least worthy, the longest silent of those."""
    chosen, soonest, place = base, np.int64(-1), U64(base // WAYS)
    for way in range(WAYS):
        if tags[base + way] == 0:
            return base + way
        soon = yields(np.int64(due_s[place, U64(RANK + way)]), now_ns)
        if soon > soonest:
            chosen, soonest = base + way, soon
    return chosen


@leaf
def fetch_set(rows: Rows, i: int, tags: Tags, due_s: Seconds) -> None:
    """Ask for the lines of a row's set."""
    place = rows[i]["flow"] & U64(len(due_s) - 1)
    fetch_line(tags, place * U64(WAYS), 0)
    fetch_line(due_s, place, 0)


@leaf
def fetch_slot(rows: Rows, i: int, slots: Rows, tags: Tags, due_s: Seconds) -> None:
    """Ask for the lines of a row's flow, or of whoever will make room for it; its set's were asked for before."""
    digest = rows[i]["flow"]
    base, tag = np.int64(digest & U64(len(due_s) - 1)) * WAYS, U16(digest >> U64(48)) | U16(1)
    found = -1
    for way in range(WAYS):
        found = base + way if tags[base + way] == tag else found
    if found < 0:
        found = room(tags, due_s, base, np.int64(rows[i]["time_ns"]))
        fetch_line(slots, found, 2 * LINE)
    fetch_line(slots, found, 0)
    fetch_line(slots, found, LINE)


@leaf
def fetch_first(rows: Rows, start: int, count: int, slots: Rows, tags: Tags, due_s: Seconds) -> None:
    """What the loop asks for while it works on the rows before, for its first rows."""
    for i in range(start, min(start + FAR, count)):
        fetch_set(rows, i, tags, due_s)
    for i in range(start, min(start + NEAR, count)):
        fetch_slot(rows, i, slots, tags, due_s)
