"""Order: what several workers did at the same time, put back into the order in which it happened.

Before: spans of rows or events, each in ascending order of the numbers that `orders` holds for them (times of live
legs, places in a file). After: `places` lists them lowest first. Cost: a look at every span whenever the turn changes.
"""

import numpy as np

from agent.jit import Words, brief
from agent.packets.records import Rows

AT, STOP = 0, 1  # columns of `spans`
LAST = np.int64((1 << 63) - 1)
U64 = np.uint64


@brief
def order_frames(frames: Rows, count: int, least: int, orders: Words) -> int:
    """`orders[:count]` become the times of frames[:count], none before another that came first. Returns the last."""
    last = least
    for i in range(count):
        last = max(last, int(frames[i]["time_ns"]))
        orders[i] = last
    return last


@brief
def merge_orders(orders: Words, spans: Words, until: int, places: Words) -> int:
    """List what comes at or before `until`; rows of `spans` move on to what is left. Equal ones: the first span first.

    `spans` is (spans, 2): the next place and where it ends. Returns how many are in `places`; stops when that is full.
    """
    n = 0
    while n < len(places):
        best, first, next_best, second = -1, LAST, -1, LAST
        for number in range(len(spans)):
            if spans[number, AT] >= spans[number, STOP]:
                continue
            order = orders[U64(spans[number, AT])]
            if best < 0 or order < first:
                next_best, second, best, first = best, first, number, order
            elif next_best < 0 or order < second:
                next_best, second = number, order
        if best < 0 or first > until:
            break
        at, stop = spans[best, AT], min(spans[best, STOP], spans[best, AT] + len(places) - n)
        last = min(second - np.int64(0 <= next_best < best), until)  # of equal ones it goes on only before a later span
        while at < stop and orders[U64(at)] <= last:
            places[n] = at
            at += 1
            n += 1
        spans[best, AT] = at
    return n
