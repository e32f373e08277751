"""Guarded reads and the three ways in which octets can be missing."""

import numpy as np
import pytest

from agent.packets import cursor as c
from agent.packets.records import Verdict


def test_numbers_are_in_network_order() -> None:
    octets = np.frombuffer(bytearray(b"\x00\x81\x02\x83\x04\x85\x06\x87\x08"), np.uint8)
    assert c.u16(octets, 1) == 0x8102
    assert c.u32(octets, 1) == 0x81028304
    assert c.u48(octets, 1) == 0x810283048506
    assert int(c.u64(octets, 1)) == 0x8102830485068708


@pytest.mark.parametrize(
    ("at", "end", "wire_end", "asked", "wanted"),
    [
        (0, 20, 20, 20, Verdict.METERED), (0, 20, 20, 21, Verdict.MALFORMED), (0, 20, 40, 21, Verdict.TRUNCATED),
        (0, 20, 40, 40, Verdict.TRUNCATED), (0, 20, 40, 41, Verdict.MALFORMED), (30, 20, 25, 1, Verdict.MALFORMED),
        (5, 20, 20, 15, Verdict.METERED), (5, 20, 20, 16, Verdict.MALFORMED),
    ],
)  # fmt: skip
def test_have(at: int, end: int, wire_end: int, asked: int, wanted: Verdict) -> None:
    place = np.zeros(c.CURSOR_SIZE, np.int64)
    place[c.AT], place[c.END], place[c.WIRE_END] = at, end, wire_end
    assert c.have(place, asked) == wanted


def test_kinds_of_what_comes_next_do_not_overlap() -> None:
    """EtherTypes have 16 bits, protocol numbers 8."""
    assert c.TRANSPORT > 0xFFFF
    assert c.TRANSPORT + 0xFF < c.ETHERNET_INSIDE
    assert c.MORE < 0
