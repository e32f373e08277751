"""Classic BPF as the kernel runs it (Documentation/networking/filter.rst), and the hash of addresses by its rule."""

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from agent.tap.packet_socket import BpfProgram

WORD = 0xFFFFFFFF
PROTOCOL = 0xFFFFF000
ETHERNET, TAG = 14, 4
TAGS = (0x8100, 0x88A8, 0x9100)


def untagged(frame: bytes) -> bytes:
    """As the kernel hands a frame on: its outermost tag is not in it."""
    if struct.unpack(">H", frame[12:14].ljust(2, b"\0"))[0] in {0x8100, 0x88A8}:
        return frame[:12] + frame[12 + TAG :]
    return frame


def run(program: BpfProgram, frame: bytes, start: int) -> int:
    """What a program answers about a frame; `start`: where its offset 0 is."""
    heard = untagged(frame)
    protocol = struct.unpack(">H", heard[12:14].ljust(2, b"\0"))[0]
    octets, a, x, memory, at = heard[start:], 0, 0, [0] * 16, 0
    while True:
        code, then, otherwise, k = program[at]
        at += 1
        if code in {0x20, 0x28, 0x40}:
            place, size = k + (x if code == 0x40 else 0), 2 if code == 0x28 else 4
            if k == PROTOCOL:
                a = protocol
            elif place + size > len(octets):
                return 0
            else:
                a = int.from_bytes(octets[place : place + size])
        elif code in {0x06, 0x16}:
            return k if code == 0x06 else a
        elif code == 0x05:
            at += k
        elif code == 0x15:
            at += then if a == k else otherwise
        else:
            a, x = _calculated(code, k, a, x, memory)


def _calculated(code: int, k: int, a: int, x: int, memory: list[int]) -> tuple[int, int]:
    """A and X after a step that neither reads the frame nor jumps."""
    if code == 0x02:
        memory[k] = a
    results: dict[int, tuple[int, int]] = {
        0x00: (k, x),
        0x01: (a, k),
        0x02: (a, x),
        0x60: (memory[k & 15], x),
        0x61: (a, memory[k & 15]),
        0xA4: (a ^ k, x),
        0xAC: (a ^ x, x),
        0x24: (a * k & WORD, x),
        0x94: (a % k if k else 0, x),
        0x74: (a >> (k & 31), x),
    }
    return results[code]


def number_of(addresses: Sequence[str | Any], key: int) -> int:
    """The hash of two addresses, by its definition."""
    mixed = key
    for address in addresses:
        octets = ip_address(address).packed
        for at in range(0, len(octets), 4):
            mixed ^= int.from_bytes(octets[at : at + 4])
    mixed = mixed * 0x9E3779B1 & WORD
    mixed ^= mixed >> 16
    return (mixed * 0x85EBCA6B & WORD) >> 16
