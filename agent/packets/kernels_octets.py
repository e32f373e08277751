"""Reads of a payload's octets, for the kernels that look at payloads. The caller has checked that they are there."""

import numpy as np

from agent.jit import leaf
from agent.tap.records import Octets

U64, U32 = np.uint64, np.uint32
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices: see packets/cursor.py


@leaf
def word_at(octets: Octets, at: int) -> int:
    """Four octets, network order."""
    i = U64(at)
    high = (U32(octets[i]) << U32(24)) | (U32(octets[i + ONE]) << U32(16))
    return np.int64(high | (U32(octets[i + TWO]) << U32(8)) | U32(octets[i + THREE]))


@leaf
def half_at(octets: Octets, at: int) -> int:
    """Two octets, network order."""
    i = U64(at)
    return (np.int64(octets[i]) << 8) | np.int64(octets[i + ONE])


@leaf
def find(octets: Octets, at: int, end: int, first: int, second: int) -> int:
    """Where two four-octet words stand, one after the other, in [at, end); -1 when nowhere."""
    for i in range(at, end - 7):
        if np.int64(octets[i]) == first >> 24 and word_at(octets, i) == first and word_at(octets, i + 4) == second:
            return i
    return -1


@leaf
def holds(octets: Octets, at: int, end: int, first: int, second: int) -> bool:
    """Whether two four-octet words stand in this order, one after the other, in [at, end)."""
    return find(octets, at, end, first, second) >= 0
