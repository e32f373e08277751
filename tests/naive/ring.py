"""The slow twin of the walk over rings, written from linux/if_packet.h: block after block, frame after frame."""

import struct
from collections.abc import Iterator
from heapq import merge
from typing import NamedTuple


class Told(NamedTuple):
    """One frame, and where it came from."""

    time_ns: int
    leg: int
    caplen: int
    wirelen: int
    vlan: int
    taken: int
    octets: bytes


def blocks(memory: bytes, base: int, size: int, count: int) -> Iterator[int]:
    """Where the ready blocks of a ring stand, as far as they follow each other from its beginning."""
    for number in range(count):
        at = base + number * size
        if not struct.unpack_from("=I", memory, at + 8)[0] & 1:
            return
        yield at


def frames(memory: bytes, at: int, size: int, leg: int) -> Iterator[Told]:
    """The frames of one block; the block ends where a header cannot be."""
    number, first = struct.unpack_from("=2I", memory, at + 12)
    place = at + first
    lowest = at + 48
    for _ in range(number):
        if place < lowest or place % 8 or place + 68 > at + size:
            return
        step, seconds, rest, caplen, wirelen, status = struct.unpack_from("=6I", memory, place)
        mac = struct.unpack_from("=H", memory, place + 24)[0]
        tci = struct.unpack_from("=I", memory, place + 32)[0]
        kind = memory[place + 58]
        start = place + mac
        if kind != 4 and mac >= 68 and start + caplen <= at + size:
            tagged = bool(status & 0x10)
            yield Told(
                seconds * 10**9 + min(rest, 999_999_999),
                leg,
                caplen,
                max(wirelen, caplen),
                tci & 0xFFFF if tagged else 0,
                4 if tagged else 0,
                memory[start : start + caplen],
            )
        lowest = place + 68
        place += step


def walk(memory: bytes, size: int, count: int, legs: int) -> list[Told]:
    """All frames of all ready blocks, oldest first, of two at the same time the lower leg's."""

    def of_leg(leg: int) -> Iterator[Told]:
        for at in blocks(memory, leg * size * count, size, count):
            yield from frames(memory, at, size, leg)

    return list(merge(*map(of_leg, range(legs)), key=lambda told: told.time_ns))
