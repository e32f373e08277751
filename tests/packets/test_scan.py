"""A search in octets."""

import numpy as np

from agent.packets.scan import find, holds

OCTETS = np.frombuffer(b"..abcdefgh..abcdefghi", np.uint8)
ABCD, EFGH = 0x61626364, 0x65666768


def test_two_words_in_order_and_within() -> None:
    assert find(OCTETS, 0, len(OCTETS), ABCD, EFGH) == 2
    assert find(OCTETS, 3, len(OCTETS), ABCD, EFGH) == 12
    assert find(OCTETS, 3, 19, ABCD, EFGH) == -1, "it does not end in there"
    assert not holds(OCTETS, 0, len(OCTETS), EFGH, ABCD)
    assert find(OCTETS, 20, 21, ABCD, EFGH) == find(OCTETS, 5, 5, ABCD, EFGH) == -1
