"""Block by block is the same as one kernel after the other."""

from random import Random

import numpy as np
import pytest

from agent.packets import kernels, kernels_burst, kernels_mirror, kernels_payload
from agent.packets.cursor import CURSOR_SIZE, SCRATCH
from agent.packets.records import PACKET, VERDICTS, PacketFlag, Rows, Verdict
from agent.tap.records import Burst
from tests.forge import http
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import TCP, Ipv4
from tests.forge.tcp import Tcp
from tests.simulators.bursts import HASHES, THIN, Heard, burst_of

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"


def frames(count: int, seed: int) -> list[Heard]:
    """Requests, announcements, garbage and second copies, also across the border of two blocks."""
    dice, made = Random(seed), list[Heard]()
    for number in range(count):
        kind, time_ns = dice.randrange(4), number * 1000
        segment = Tcp(40000, 80, number, flags=24).octets(A, B, http.request("GET", "/", {"Host": "h"}))
        octets = ethernet(BM, AM, IPV4, Ipv4(A, B, TCP, ident=number + 1).octets(segment))
        if kind == 1:
            octets = lldp(AM, "1", "name", "a switch")
        elif kind == 2:
            octets = dice.randbytes(dice.randrange(60))
        elif kind == 3 and made:
            octets = made[-1].octets
        made.append(Heard(octets, time_ns=time_ns))
    return made


def taken(burst: Burst, *, whole: bool) -> tuple[Rows, list[int], int, int]:
    """Rows, verdict counts and hints, by the one kernel or by the three."""
    rows, verdicts = np.zeros(burst.count, PACKET), np.zeros(VERDICTS, np.int64)
    cursor, scratch = np.zeros(CURSOR_SIZE, np.int64), np.zeros(SCRATCH, PACKET)
    recent = np.zeros((kernels_mirror.SLOTS, kernels_mirror.WORDS), np.uint64)
    count, octets = burst.count, burst.octets
    if whole:
        hints, fragments = kernels_burst.take_burst(
            burst.frames, count, octets, rows, verdicts, cursor, scratch, recent
        )
    else:
        kernels.decode_burst(burst.frames, count, octets, rows, verdicts, cursor, scratch)
        hints = kernels_payload.recognise_burst(rows, count, octets)
        kernels_mirror.mark_duplicates(rows, count, recent, verdicts)
        fragments = int(np.count_nonzero(rows["flags"] & PacketFlag.FRAGMENT))
    return rows, verdicts.tolist(), hints, fragments


@pytest.mark.parametrize("count", [0, 1, kernels_burst.BLOCK - 1, kernels_burst.BLOCK + 1, 1000 // THIN])
def test_same_rows_counts_and_hints(count: int) -> None:
    burst = burst_of(frames(count, count))
    rows, verdicts, hints, fragments = taken(burst, whole=True)
    others, its_verdicts, its_hints, its_fragments = taken(burst, whole=False)
    assert (rows == others).all()
    assert (verdicts, hints, fragments) == (its_verdicts, its_hints, its_fragments)
    assert sum(verdicts) == count
    if count > kernels_burst.BLOCK:
        assert verdicts[Verdict.DUPLICATE] > 0
        assert hints > 0
