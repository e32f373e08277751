"""Statistics of devices: adding up those of several tables, and what a person is told of one.

Merging is a sum of counts and histograms and a union of distinct values, so it does not matter in which order, or over
how many tables, frames and flows were spread. Two things it cannot know: the gap between two frames that two tables
heard, and distinct values that were hashed with another key (tables of one sensor share theirs).
"""

from math import inf, log, sqrt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.devices.records import EXACT_MAX, GAP_BINS, GAP_FIRST, SIZE_BINS, SIZE_FIRST, Clinical, Rows, Scope
from agent.devices.tallies import DENSE, INDEX_BITS, RANK_MAX

# Columns of DEVICE and STATS that add up.
DEVICE_SUMS = (
    "tx_packets", "rx_packets", "tx_octets", "rx_octets", "group_packets", "flows_started", "flows_answered",
    "flows_failed", "flows_accepted", "arp_requests", "arp_answered",
)  # fmt: skip
STATS_SUMS = (
    "tx", "rx", "announcements", "dns_questions", "dns_failures", "clear_flows", "tls_flows", "sizes", "gaps",
    "clear_octets", "tls_octets",
)  # fmt: skip
DISTINCT = ("peers", "ports")
REGISTERS = 1 << INDEX_BITS
SCALE = REGISTERS**2 / (2 * log(2))  # alpha of infinitely many registers, times their number squared
Words = npt.NDArray[np.uint64]


class Statistics(NamedTuple):
    """DEVICE and STATS rows of the same devices, in the same order."""

    devices: Rows
    stats: Rows


def merge(a: Statistics, b: Statistics) -> Statistics:
    """What one table would hold that had heard what two heard. Identity and addresses are those of `a`."""
    assert (a.devices["mac"] == b.devices["mac"]).all()
    devices, stats = a.devices.copy(), a.stats.copy()
    for column in DEVICE_SUMS:
        devices[column] += b.devices[column]
    devices["first_ns"] = np.minimum(a.devices["first_ns"], b.devices["first_ns"])
    devices["last_ns"] = np.maximum(a.devices["last_ns"], b.devices["last_ns"])
    for column in STATS_SUMS:
        stats[column] += b.stats[column]
    for column in DISTINCT:
        used = f"{column}_used"
        for i in range(len(stats)):
            one, other = (union_part(table.stats[column][i], int(table.stats[used][i])) for table in (a, b))
            stats[column][i], stats[used][i] = _union(one, other)
    return Statistics(devices, stats)


def union_part(words: Words, used: int) -> Words:
    """The values of a distinct count in order, or its registers: two that hold the same are the same."""
    if used == DENSE:
        return registers(words)
    values: Words = np.sort(words[:used])
    return values


def registers(words: Words) -> Words:
    """The registers of a full count, one a word. Register i is the octet i % 8 of word i // 8."""
    shifts = np.arange(0, 64, 8, dtype=np.uint64)
    unpacked: Words = (words[:, None] >> shifts & np.uint64(255)).reshape(-1)
    return unpacked


def _raised(values: Words) -> Words:
    """Registers that have seen some values."""
    raised = np.zeros(REGISTERS, np.uint64)
    for value in values.tolist():
        rest = value & (1 << 64 - INDEX_BITS) - 1
        rank = min(64 - INDEX_BITS - rest.bit_length() + 1, RANK_MAX)
        place = value >> 64 - INDEX_BITS
        raised[place] = max(int(raised[place]), rank)
    return raised


def _union(a: Words, b: Words) -> tuple[Words, int]:
    """Words and `used` of a count of both; each is in the form that `union_part` gives."""
    words = np.zeros(EXACT_MAX, np.uint64)
    if len(a) < REGISTERS and len(b) < REGISTERS:
        both = np.union1d(a, b)
        if len(both) <= EXACT_MAX:
            words[: len(both)] = both
            return words, len(both)
    a, b = (part if len(part) == REGISTERS else _raised(part) for part in (a, b))
    octets = np.maximum(a, b).reshape(EXACT_MAX, 8)
    return (octets << np.arange(0, 64, 8, dtype=np.uint64)).sum(axis=1, dtype=np.uint64), DENSE


def _sigma(x: float) -> float:
    """Ertl 2017, algorithm 6: the share of registers that saw nothing."""
    if x == 1:
        return inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x, before = x * x, z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    """Ertl 2017, algorithm 6: the share of registers below their maximum."""
    if x in {0.0, 1.0}:
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x, before = sqrt(x), z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3


def distinct(words: Words, used: int) -> int:
    """How many values were counted: exactly up to EXACT_MAX, then estimated (standard error 4.6 %).

    O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017): no bias in any range, so no
    switch between formulas.
    """
    if used <= EXACT_MAX:
        return used
    counts = np.bincount(registers(words).astype(np.int64), minlength=RANK_MAX + 1).tolist()
    z = REGISTERS * _tau(1 - counts[RANK_MAX] / REGISTERS)
    for count in reversed(counts[1:RANK_MAX]):
        z = 0.5 * (z + count)
    z += REGISTERS * _sigma(counts[0] / REGISTERS)
    return max(round(SCALE / z), DENSE) if z else 1 << 64  # every register is at its end


# Words of the told form, made once: a ward's end tells thousands of devices.
_SCOPES = [scope.name.lower() for scope in Scope]
_PLACES = [(place.name.lower(), int(place)) for place in Clinical]
_SIZES = [str(edge) for edge in (0, *(1 << SIZE_FIRST + i for i in range(SIZE_BINS - 1)))]
_GAPS_US = [str(edge) for edge in (0, *((1 << GAP_FIRST + 2 * i) // 1000 for i in range(GAP_BINS - 1)))]
_FLOWS = ("started", "answered", "failed", "accepted")
_SPOKEN = ("clear_flows", "tls_flows", "clear_octets", "tls_octets")


def told(device: np.void, stat: np.void) -> dict[str, Any]:
    """One device's statistics by name, as plain numbers; bins by their lower edge."""
    return {
        "sent": _by_scope(stat["tx"]),
        "received": _by_scope(stat["rx"]),
        "flows": {name: int(device[f"flows_{name}"]) for name in _FLOWS},
        **{name: distinct(stat[name], int(stat[f"{name}_used"])) for name in DISTINCT},
        "exact": {name: bool(stat[f"{name}_used"] <= EXACT_MAX) for name in DISTINCT},
        "sizes": _bins(stat["sizes"], _SIZES),
        "gaps_us": _bins(stat["gaps"], _GAPS_US),
        "dns": {"questions": int(stat["dns_questions"]), "failures": int(stat["dns_failures"])},
        "clinical": _clinical(stat),
        "arp_requests": int(device["arp_requests"]),
        "announcements": int(stat["announcements"]),
    }


def _by_scope(counts: npt.NDArray[np.uint64]) -> dict[str, dict[str, int]]:
    """Scopes in which anything was counted."""
    pairs = counts.reshape(-1, 2).tolist()
    return {
        scope: {"packets": packets, "octets": octets}
        for scope, (packets, octets) in zip(_SCOPES, pairs, strict=True)
        if packets
    }


def _bins(counts: npt.NDArray[np.uint64], edges: list[str]) -> dict[str, int]:
    """Bins that hold anything, by their lower edge."""
    return {edge: count for edge, count in zip(edges, counts.tolist(), strict=True) if count}


def _clinical(stat: np.void) -> dict[str, dict[str, int]]:
    """Clinical protocols that were spoken, in clear and under TLS."""
    columns = [stat[name].tolist() for name in _SPOKEN]
    spoken = {word: [column[place] for column in columns] for word, place in _PLACES}
    return {word: dict(zip(_SPOKEN, counts, strict=True)) for word, counts in spoken.items() if any(counts)}
