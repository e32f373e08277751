"""Frames are counted by verdict and leg; each row once."""

import numpy as np

from agent.packets import kernels_count
from agent.packets.records import PACKET, VERDICTS, Application, PacketFlag, Verdict
from agent.tap.records import LEGS_MAX


def test_against_numpy() -> None:
    dice, count = np.random.default_rng(3), 5000
    rows = np.zeros(count, PACKET)
    rows["verdict"] = dice.integers(0, VERDICTS, count)
    rows["leg"] = dice.integers(0, LEGS_MAX, count)
    rows["wire_octets"] = dice.integers(0, 1 << 32, count)
    rows["flags"] = dice.integers(0, 256, count)
    rows["application"] = dice.integers(0, 50, count)
    verdicts, frames = np.zeros(VERDICTS, np.int64), np.zeros(LEGS_MAX, np.int64)
    octets, totals = np.zeros(LEGS_MAX, np.int64), np.zeros(kernels_count.TOTALS, np.int64)
    for part in np.array_split(rows, 3):
        kernels_count.count_frames(part, len(part), verdicts, frames, octets, totals)
    assert verdicts.tolist() == np.bincount(rows["verdict"], minlength=VERDICTS).tolist()
    assert frames.tolist() == np.bincount(rows["leg"], minlength=LEGS_MAX).tolist()
    exact = [int(rows["wire_octets"][rows["leg"] == leg].astype(object).sum()) for leg in range(LEGS_MAX)]
    assert octets.tolist() == exact
    assert totals[kernels_count.CUT] == np.count_nonzero(rows["flags"] & PacketFlag.CUT)
    assert totals[kernels_count.UNSEEN] == np.count_nonzero(rows["application"] == Application.CAPWAP)


def test_no_rows_no_counts() -> None:
    verdicts, totals = np.zeros(VERDICTS, np.int64), np.zeros(kernels_count.TOTALS, np.int64)
    legs = np.zeros((2, LEGS_MAX), np.int64)
    kernels_count.count_frames(np.zeros(0, PACKET), 0, verdicts, legs[0], legs[1], totals)
    assert not verdicts.any()
    assert Verdict.METERED == 0
