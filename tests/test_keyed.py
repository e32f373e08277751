"""SipHash-1-3 over words: against its definition in plain integers, and the reference's own round."""

from random import Random

import numpy as np
import pytest

from agent.keyed import sip1, sip3, sip5
from tests.simulators.bursts import HASHES

pytestmark = HASHES
MASK = 2**64 - 1
U = np.uint64


def rotate(value: int, bits: int) -> int:
    """To the left."""
    return (value << bits | value >> (64 - bits)) & MASK


def sip_round(v: list[int]) -> None:
    """Section 2.2 of Aumasson and Bernstein 2012, as the figure has it."""
    v[0], v[2] = (v[0] + v[1]) & MASK, (v[2] + v[3]) & MASK
    v[1], v[3] = rotate(v[1], 13) ^ v[0], rotate(v[3], 16) ^ v[2]
    v[0] = rotate(v[0], 32)
    v[2], v[0] = (v[2] + v[1]) & MASK, (v[0] + v[3]) & MASK
    v[1], v[3] = rotate(v[1], 17) ^ v[2], rotate(v[3], 21) ^ v[0]
    v[2] = rotate(v[2], 32)


def sip(key: tuple[int, int], words: list[int], compress: int = 1, finish: int = 3) -> int:
    """SipHash-c-d of whole words, without a length."""
    constants = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [constant ^ key[i % 2] for i, constant in enumerate(constants)]
    for word in words:
        v[3] ^= word
        for _ in range(compress):
            sip_round(v)
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(finish):
        sip_round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def test_the_ruler_itself() -> None:
    """The paper's appendix A: SipHash-2-4 of the octets 0 to 14 (0x0f, the length, ends the last word)."""
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert sip(key, [0x0706050403020100, 0x0F0E0D0C0B0A0908], 2, 4) == 0xA129CA6149BE45E5


@pytest.mark.parametrize("seed", range(20))
def test_words(seed: int) -> None:
    rng = Random(seed)
    key = (rng.getrandbits(64), rng.getrandbits(64))
    words = [rng.choice((0, MASK, rng.getrandbits(64))) for _ in range(5)]
    k0, k1, *rest = map(U, (*key, *words))
    assert int(sip1(k0, k1, rest[0])) == sip(key, words[:1])
    assert int(sip3(k0, k1, *rest[:3])) == sip(key, words[:3])
    assert int(sip5(k0, k1, *rest)) == sip(key, words)
