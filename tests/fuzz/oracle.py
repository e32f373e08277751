"""The decoder's kernel and its slow twin over the same frames: every field the same, nothing written, nothing read."""

from collections.abc import Iterable

import numpy as np

from tests.naive import decode as twin
from tests.naive.compare import differences
from tests.simulators.bursts import MARGIN, Heard, as_dicts, burst_of, decode


def told(frame: Heard) -> dict[str, int]:
    """What the twin says of a frame."""
    return twin.decode(
        frame.octets, link=frame.link, wirelen=frame.wirelen, time_ns=frame.time_ns, leg=frame.leg, ring_vlan=frame.vlan
    )


def compare(heard: Iterable[Heard]) -> int:
    """Decode in one burst and compare row by row; the number of frames."""
    heard = list(heard)
    burst = burst_of(heard)
    before = burst.octets.copy()
    at = MARGIN
    for frame, row in zip(heard, as_dicts(decode(burst)), strict=True):
        wrong = differences(told(frame), row, at)
        assert not wrong, f"(twin, kernel) {wrong} of {frame.octets[:120].hex()} {frame[1:]}"
        assert row["payload"] + row["payload_caplen"] <= at + len(frame.octets)
        at += len(frame.octets)
    assert np.array_equal(before, burst.octets), "a kernel never writes into the capture"
    return len(heard)
