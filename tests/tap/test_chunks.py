"""Chunks: every octet of a stream once, in order, whatever the stream gives at a time and whatever is kept."""

import random
from collections.abc import Callable

import pytest

from agent.tap.chunks import CHUNK_MAX_BYTES, Chunks
from agent.tap.records import BURSTS_AHEAD

SIZE = 64


def dripping(octets: bytes, most: int) -> Callable[[memoryview], int]:
    """A stream that gives up to `most` octets a read, as a pipe does."""
    left = bytearray(octets)

    def read(room: memoryview) -> int:
        part = left[: min(most, len(room))]
        room[: len(part)] = part
        del left[: len(part)]
        return len(part)

    return read


@pytest.mark.parametrize("most", [1, 7, 64, 1000])
def test_all_octets_in_order(most: int) -> None:
    octets, dice, out = random.Random(most).randbytes(1500), random.Random(1), bytearray()
    chunks, taken = Chunks(dripping(octets, most), SIZE), 0
    while chunks.refill(taken, handed_out=bool(out)):
        assert octets[chunks.base :].startswith(chunks.octets.tobytes()), "base is the stream offset"
        taken = dice.randrange(len(chunks.octets) + 1)
        out += chunks.octets[:taken].tobytes()
    assert bytes(out + chunks.octets.tobytes()) == octets


def test_a_chunk_stays_while_bursts_point_into_it() -> None:
    chunks = Chunks(dripping(bytes(range(200)) * 10, 1000), SIZE)
    chunks.refill(0, handed_out=False)
    held = [(chunks.octets, chunks.octets.tobytes())]
    for _ in range(12):
        chunks.refill(len(chunks.octets), handed_out=True)
        held.append((chunks.octets, chunks.octets.tobytes()))
        for octets, before in held[-(BURSTS_AHEAD - 1) :]:
            assert octets.tobytes() == before


def test_a_chunk_of_which_nothing_was_handed_out_is_filled_again() -> None:
    chunks = Chunks(dripping(bytes(1000), 1000), SIZE)
    chunks.refill(0, handed_out=False)
    first = chunks.octets
    chunks.refill(SIZE, handed_out=False)
    assert chunks.octets.ctypes.data == first.ctypes.data


def test_a_block_longer_than_a_chunk_is_kept_whole() -> None:
    octets = random.Random(5).randbytes(1000)
    chunks = Chunks(dripping(octets, 1000), SIZE)
    while chunks.refill(0, handed_out=False):
        assert octets.startswith(chunks.octets.tobytes())
    assert chunks.octets.tobytes() == octets


def test_no_block_makes_a_chunk_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.tap.chunks.CHUNK_MAX_BYTES", 4 * SIZE)
    chunks = Chunks(len, SIZE)
    grown = [len(chunks.octets) for _ in range(10) if chunks.refill(0, handed_out=False)]
    assert grown
    assert len(chunks.octets) <= 4 * SIZE
    assert not chunks.refill(0, handed_out=False)
    assert CHUNK_MAX_BYTES >= 2 * (1 << 20 << 4), "the longest block that walk_pcapng takes"


def test_the_end() -> None:
    chunks = Chunks(dripping(b"abc", 3), SIZE)
    assert chunks.refill(0, handed_out=False)
    assert not chunks.refill(1, handed_out=True)
    assert (chunks.octets.tobytes(), chunks.base) == (b"bc", 1)
    assert not Chunks(dripping(b"", 1), SIZE).refill(0, handed_out=False)
