"""The walks over capture files, called as the source calls them."""

import struct

import numpy as np
import pytest

from agent.tap import kernels
from agent.tap.records import FRAME
from tests.forge.pcap import Frame, Pcap, pcapng
from tests.tap.files import block, enhanced, interface, section

FRAMES = [Frame(1_500_000_123, b"abcdef"), Frame(2_000_000_000, b""), Frame(3_000_000_000, b"xyz", 1500)]


def words(octets: bytes) -> np.ndarray:  # type: ignore[type-arg]
    """The array type that every kernel is compiled for: writable."""
    return np.frombuffer(bytearray(octets), np.uint8)


def walk(octets: bytes, room: int = 8) -> tuple[int, int, int]:
    """A classic walk over little-endian microseconds after the file header."""
    return kernels.walk_pcap(words(octets), 24, np.zeros(room, FRAME), False, 1000, 1)


def walk_ng(octets: bytes, room: int = 8) -> tuple[int, int, int]:
    """A pcapng walk from the start."""
    interfaces = np.zeros((kernels.INTERFACES_MAX, 4), np.int64)
    return kernels.walk_pcapng(words(octets), 0, np.zeros(room, FRAME), np.zeros(3, np.int64), interfaces)


@pytest.mark.parametrize("room", [1, 2, 3])
def test_full_table_is_resumed_where_it_stopped(room: int) -> None:
    octets, frames = words(Pcap().octets(FRAMES)), np.zeros(room, FRAME)
    at, told, status = 24, [], kernels.FULL
    while status == kernels.FULL:
        count, at, status = kernels.walk_pcap(octets, at, frames, False, 1000, 1)
        told += [(int(f["time_ns"]), int(f["caplen"]), int(f["wirelen"])) for f in frames[:count]]
    assert status == kernels.END
    assert told == [(1_500_000_000, 6, 6), (2_000_000_000, 0, 0), (3_000_000_000, 3, 1500)]


def test_pcapng_is_resumed_with_its_interfaces() -> None:
    octets, frames = words(pcapng(FRAMES)), np.zeros(1, FRAME)
    state, interfaces = np.zeros(3, np.int64), np.zeros((kernels.INTERFACES_MAX, 4), np.int64)
    at, told, status = 0, [], kernels.FULL
    while status == kernels.FULL:
        count, at, status = kernels.walk_pcapng(octets, at, frames, state, interfaces)
        told += frames["time_ns"][:count].tolist()
    assert (status, told) == (kernels.END, [1_500_000_123, 2_000_000_000, 3_000_000_000])


@pytest.mark.parametrize("caplen", [kernels.CAPLEN_MAX + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_absurd_length_ends_a_classic_walk(caplen: int) -> None:
    good = Pcap().octets(FRAMES[:1])
    bad = good + struct.pack("<IIII", 1, 1, caplen, caplen) + b"x" * 40
    assert walk(bad) == (1, len(good), kernels.NOT_A_RECORD)


def test_length_beyond_the_file_is_a_cut() -> None:
    good = Pcap().octets(FRAMES[:1])
    assert walk(good + struct.pack("<IIII", 1, 1, 41, 41) + b"x" * 40) == (1, len(good), kernels.CUT_FRAME)
    assert walk(good + b"\0" * 15) == (1, len(good), kernels.CUT_HEADER)


@pytest.mark.parametrize("length", [0, 4, 8, 11, 13, 14, 15, (kernels.CAPLEN_MAX << 4) + 4, 0xFFFFFFFC])
def test_block_length_that_cannot_be(length: int) -> None:
    start = section() + interface()
    assert walk_ng(start + struct.pack("<II", 6, length) + bytes(64)) == (0, len(start), kernels.NOT_A_RECORD)


def test_captured_length_beyond_its_block() -> None:
    start = section() + interface()
    lie = block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"1234")
    assert walk_ng(start + lie) == (0, len(start), kernels.NOT_A_RECORD)
    assert walk_ng(start + block(6, bytes(16))) == (0, len(start), kernels.NOT_A_RECORD), "no room for its own fields"


def test_section_without_byte_order() -> None:
    assert walk_ng(section()[:8] + b"\1\2\3\4" + bytes(16)) == (0, 0, kernels.NOT_A_RECORD)


def test_more_interfaces_than_are_kept() -> None:
    octets = section() + interface() * (kernels.INTERFACES_MAX + 3)
    octets += enhanced(b"last", number=kernels.INTERFACES_MAX - 1) + enhanced(b"beyond", number=kernels.INTERFACES_MAX)
    assert walk_ng(octets)[0] == 1
