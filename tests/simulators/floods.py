"""Floods made of memory: a forged frame, stamped with columns of octets, in bursts as a leg would give them.

A table is (frames, octets of each); a million frames take a moment, where forging them one by one takes a minute.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from agent.tap.records import BURST_FRAMES_MAX, FRAME, Burst
from tests.forge.pcap import EN10MB

Table = npt.NDArray[np.uint8]

# Where fields begin in an untagged Ethernet frame without IP options.
DST_MAC, SRC_MAC = 0, 6
IP4_ID, IP4_SRC, IP4_DST, IP4_SRC_PORT, IP4_DST_PORT, TCP4_SEQ = 18, 26, 30, 34, 36, 38
IP6_SRC, IP6_DST = 22, 38


def octets_of(values: Sequence[int] | npt.NDArray[np.integer], width: int) -> Table:
    """Each number as `width` octets in network order."""
    words = np.asarray(values, np.uint64).astype(">u8").view(np.uint8).reshape(-1, 8)
    return words[:, 8 - width :]


def drawn(rng: np.random.Generator, count: int, width: int) -> Table:
    """Random octets."""
    return rng.integers(0, 256, (count, width), np.uint8)


def stamped(template: bytes, count: int, columns: Mapping[int, Table]) -> Table:
    """`count` copies of a frame, with other octets from each offset on."""
    table = np.tile(np.frombuffer(template, np.uint8), (count, 1))
    for at, octets in columns.items():
        table[:, at : at + octets.shape[1]] = octets
    return table


def stacked(frames: Sequence[bytes], repeats: int = 1) -> Table:
    """Frames of any lengths, padded to the longest as Ethernet pads; in turn, `repeats` times."""
    longest = max(map(len, frames))
    return np.tile(np.frombuffer(b"".join(f.ljust(longest, b"\0") for f in frames), np.uint8), repeats).reshape(
        -1, longest
    )


def bursts(table: Table, start_ns: int, span_ns: int, *, leg: int = 0) -> Iterator[Burst]:
    """The frames of a table, spread evenly over a span of time."""
    count, length = table.shape
    frames = np.zeros(count, FRAME)
    frames["time_ns"] = start_ns + np.arange(count, dtype=np.int64) * span_ns // max(count, 1)
    frames["caplen"], frames["wirelen"], frames["link"], frames["leg"] = length, length, EN10MB, leg
    for start in range(0, count, BURST_FRAMES_MAX):
        part = frames[start : start + BURST_FRAMES_MAX]
        part["offset"] = np.arange(len(part), dtype=np.int64) * length
        yield Burst(part, len(part), table[start : start + len(part)].reshape(-1).copy())
