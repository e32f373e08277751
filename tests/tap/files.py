"""Capture files read through the real source, and pcapng blocks that `forge.pcap` has no use for."""

import struct
from pathlib import Path
from typing import NamedTuple

from agent.errors import InputError
from agent.tap.replay import ReplaySource


class Read(NamedTuple):
    """One frame as the source gave it."""

    time_ns: int
    octets: bytes
    wirelen: int
    link: int


def read(*paths: Path) -> tuple[list[Read], list[InputError]]:
    """Every frame of the files, and what was wrong with them."""
    source = ReplaySource(list(paths))
    found = []
    while (burst := source.next_burst()) is not None:
        octets = burst.octets.tobytes()
        for frame in burst.frames[: burst.count]:
            at, size = int(frame["offset"]), int(frame["caplen"])
            assert at + size <= len(octets)
            found.append(Read(int(frame["time_ns"]), octets[at : at + size], int(frame["wirelen"]), int(frame["link"])))
    assert source.legs()[0].frames == len(found)
    source.close()
    return found, source.faults


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block around its body."""
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    """A section header block of unknown length."""
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int = 1, snaplen: int = 0, resolution: int | None = None, order: str = "<") -> bytes:
    """An interface description block; `resolution` is the octet of if_tsresol."""
    options = b"" if resolution is None else struct.pack(f"{order}HHB3xHH", 9, 1, resolution, 0, 0)
    return block(1, struct.pack(f"{order}HHI", link, 0, snaplen) + options, order)


def enhanced(octets: bytes, ticks: int = 0, number: int = 0, order: str = "<") -> bytes:
    """An enhanced packet block."""
    head = struct.pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    return block(6, head + octets, order)


def simple(octets: bytes, wirelen: int | None = None, order: str = "<") -> bytes:
    """A simple packet block: no time, no interface, no captured length."""
    return block(3, struct.pack(f"{order}I", len(octets) if wirelen is None else wirelen) + octets, order)


def obsolete(octets: bytes, ticks: int = 0, number: int = 0, order: str = "<") -> bytes:
    """The packet block that was replaced by the enhanced one."""
    head = struct.pack(f"{order}HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    return block(2, head + octets, order)
