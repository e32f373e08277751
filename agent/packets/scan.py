"""A search in a payload's octets, for kernels that look at payloads."""

import numpy as np

from agent.jit import leaf
from agent.packets.cursor import u32
from agent.tap.records import Octets


@leaf
def find(octets: Octets, at: int, end: int, first: int, second: int) -> int:
    """Where two four-octet words stand, one after the other, in [at, end); -1 when nowhere."""
    for i in range(at, end - 7):
        if np.int64(octets[i]) == first >> 24 and u32(octets, i) == first and u32(octets, i + 4) == second:
            return i
    return -1


@leaf
def holds(octets: Octets, at: int, end: int, first: int, second: int) -> bool:
    """Whether two four-octet words stand in this order, one after the other, in [at, end)."""
    return find(octets, at, end, first, second) >= 0
