"""Counts of frames: slice by slice, leg by leg, interval by interval."""

from collections.abc import Sequence

import numpy as np

from agent.packets.counts import FrameCounts
from agent.packets.records import IGNORED_REASONS, PACKET, Application, PacketFlag, Rows, Verdict


def rows(verdicts: Sequence[int], legs: Sequence[int], octets: int = 100) -> Rows:
    """Rows with these verdicts and legs; every second one is cut."""
    table = np.zeros(len(verdicts), PACKET)
    table["verdict"], table["leg"], table["wire_octets"] = verdicts, legs, octets
    table["flags"][::2] = PacketFlag.CUT | PacketFlag.PORTS
    return table


def test_every_verdict_is_counted_once() -> None:
    counts = FrameCounts()
    counts.add(rows([*Verdict, Verdict.METERED], [0] * (len(Verdict) + 1)))
    assert counts.frames == len(Verdict) + 1
    assert (counts.metered, counts.processed, counts.duplicates) == (2, 3, 1)
    assert set(counts.ignored()) == set(IGNORED_REASONS.values())
    assert counts.processed + sum(counts.ignored().values()) == counts.frames
    assert counts.cut == -(-counts.frames // 2)
    assert counts.octets == 100 * counts.frames


def test_what_cannot_be_looked_into_is_counted_beside_what_was_processed() -> None:
    counts, table = FrameCounts(), rows([0, 0, 0], [0, 0, 0])
    table["application"][1:] = Application.CAPWAP, Application.DNS
    counts.add(table)
    before = counts.copy()
    counts.add(table)
    assert (counts.unseen, counts.processed, counts.minus(before).unseen) == (2, 6, 1)


def test_legs_are_kept_apart() -> None:
    counts = FrameCounts()
    counts.add(rows([0, 0, 1, 2], [0, 1, 1, 3]))
    counts.add(rows([0], [0], 0xFFFFFFFF))
    assert counts.leg_frames.tolist() == [2, 2, 0, 1]
    assert counts.leg_octets.tolist() == [100 + 0xFFFFFFFF, 200, 0, 100]


def test_differences_between_snapshots() -> None:
    counts = FrameCounts()
    counts.add(rows([0, 4, 1], [0, 2, 0]))
    before = counts.copy()
    assert counts.minus(before).frames == 0
    counts.add(rows([7, 0], [1, 1]))
    since = counts.minus(before)
    assert (since.frames, since.duplicates, since.cut, since.octets) == (2, 1, 1, 200)
    assert since.leg_frames.tolist() == [0, 2, 0, 0]
    assert since.ignored() == {"duplicate": 1}
    assert (before.frames, counts.frames) == (3, 5), "a snapshot does not move"


def test_nothing_is_nothing() -> None:
    counts = FrameCounts()
    counts.add(rows([], []))
    assert (counts.frames, counts.octets, counts.ignored()) == (0, 0, {})
