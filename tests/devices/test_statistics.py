"""Adding up tables is the same as one table; an estimate errs as little as it says; what a person is told."""

from itertools import permutations
from random import Random

import numpy as np
import pytest

from agent.devices.records import EXACT_MAX, STATS
from agent.devices.statistics import (
    DEVICE_SUMS,
    DISTINCT,
    STATS_SUMS,
    Statistics,
    distinct,
    merge,
    told,
    union_part,
)
from agent.devices.tallies import DENSE
from agent.jit import Hashes
from tests.devices.bench import GATEWAY, number, tries
from tests.devices.talk_of_all_kinds import Pair, frames_of_all_kinds, greetings
from tests.flows.talks import HOSTS
from tests.forge.pcap import Frame
from tests.simulators.bursts import HASHES, THIN

pytestmark = HASHES
TARGETS = [((f"10.2.{n >> 6}.{n & 63}", GATEWAY[1]), 1000 + n) for n in range(200)]


def of(frames: list[Frame]) -> Statistics:
    """What a table that heard these frames holds, by MAC address."""
    pair = Pair().hear(frames).end()
    slots = pair.slots()
    return Statistics(pair.table.devices[slots], pair.table.stats[slots])


def talk(seed: int) -> list[Frame]:
    """Talk of all kinds, and a scan whose targets overlap with those of other seeds: more than are kept."""
    part = TARGETS[seed * 50 : seed * 50 + 90]
    return frames_of_all_kinds(Random(seed), 800 // THIN) + tries(HOSTS[0], part, refused=False, at_s=40_000)


def same(a: Statistics, b: Statistics, *, gaps: bool = True) -> None:
    """Equal in everything that is counted, in whatever order distinct values came."""
    for column in DEVICE_SUMS:
        assert (a.devices[column] == b.devices[column]).all(), column
    for column in ("mac", "first_ns", "last_ns"):
        assert (a.devices[column] == b.devices[column]).all(), column
    for column in STATS_SUMS:
        assert (column == "gaps" and not gaps) or (a.stats[column] == b.stats[column]).all(), column
    for column in DISTINCT:
        used = f"{column}_used"
        assert a.stats[used].tolist() == b.stats[used].tolist()
        for one, other in zip(a.stats, b.stats, strict=True):
            parts = [union_part(row[column], int(row[used])).tolist() for row in (one, other)]
            assert parts[0] == parts[1], column


def pair_of(frame: Frame) -> int:
    """A number of the two MAC addresses, whichever way the frame goes: flows stay whole."""
    return frame.octets[5] + frame.octets[11]


def test_two_tables_add_up_to_one() -> None:
    """Frames spread over two tables by the pair that talks. Each is greeted; the one table is greeted twice."""
    rest = talk(1)[len(greetings()) :]
    parts = [of(greetings(30_001 + odd) + [frame for frame in rest if pair_of(frame) % 2 == odd]) for odd in (0, 1)]
    whole = of(greetings(30_001) + greetings(30_002) + rest)
    same(merge(*parts), whole, gaps=False)
    missed = whole.stats["gaps"].sum(axis=1) - merge(*parts).stats["gaps"].sum(axis=1)
    assert (missed == 1).all(), "of each device the gap between what the one and what the other table heard"


def test_order_does_not_matter() -> None:
    tables = [of(talk(seed)) for seed in range(3)]
    results = [merge(merge(tables[i], tables[j]), tables[k]) for i, j, k in permutations(range(3))]
    results += [merge(tables[i], merge(tables[j], tables[k])) for i, j, k in permutations(range(3))]
    for result in results[1:]:
        same(results[0], result)
        assert result.stats.tobytes() == results[0].stats.tobytes()
    used = [int(table.stats["peers_used"].max()) for table in (*tables, results[0])]
    assert used[-1] == DENSE
    assert (results[0].stats["peers_used"] < DENSE).any(), "both forms are met"


def test_nothing_adds_nothing() -> None:
    one = of(talk(0))
    none = Statistics(one.devices.copy(), np.zeros(len(one.stats), STATS))
    for column in DEVICE_SUMS:
        none.devices[column] = 0
    same(merge(one, none), one)
    same(merge(none, one), one)


def test_other_devices_do_not_add() -> None:
    one, other = of(talk(0)), of(talk(0))
    other.devices["mac"] += np.uint64(1)
    with pytest.raises(AssertionError):
        merge(one, other)


@pytest.mark.parametrize(("first", "second", "used"), [(40, 24, 64), (40, 25, DENSE), (70, 10, DENSE), (10, 70, DENSE)])
def test_union_of_both_forms(first: int, second: int, used: int) -> None:
    """Over the size of the exact set it is the registers that one table would have."""
    near = tries(HOSTS[0], TARGETS[:first], refused=False, at_s=2)
    far = tries(HOSTS[0], TARGETS[first : first + second], refused=False, at_s=9)
    merged = merge(of(greetings(30_001) + near), of(greetings(30_002) + far))
    whole = of(greetings(30_001) + greetings(30_002) + near + far)
    same(merged, whole, gaps=False)
    row = merged.stats[merged.devices["mac"] == number(HOSTS[0][1])][0]
    assert row["peers_used"] == row["ports_used"] == used


def counted(values: Hashes) -> tuple[Hashes, int]:
    """A count of some values, made of merged counts of few."""
    devices = np.zeros(
        1, [("mac", "u8"), ("first_ns", "i8"), ("last_ns", "i8"), *((name, "u8") for name in DEVICE_SUMS)]
    )
    whole = Statistics(devices, np.zeros(1, STATS))
    for start in range(0, len(values), EXACT_MAX):
        part, chunk = np.zeros(1, STATS), values[start : start + EXACT_MAX]
        part["peers"][0, : len(chunk)], part["peers_used"] = chunk, len(chunk)
        whole = merge(whole, Statistics(devices, part))
    return whole.stats["peers"][0], int(whole.stats["peers_used"][0])


def test_error_of_the_estimate() -> None:
    """1.04 / sqrt(512) = 4.6 %: the root mean square over many draws is near it, and there is no bias, at any size."""
    rng = np.random.default_rng(20_261_123)
    for size, draws in ((65, 40), (150, 40), (500, 40), (1500, 30), (6000, 10)):
        errors = []
        for _ in range(draws // (4 if THIN > 1 else 1)):
            values = rng.integers(0, 2**64, size, np.uint64, endpoint=False)
            errors.append(distinct(*counted(values)) / size - 1)
        bound = 0.046 * (1 + 3 / np.sqrt(2 * len(errors)))
        assert np.sqrt(np.mean(np.square(errors))) < bound, size
        assert abs(np.mean(errors)) < 4 * 0.046 / np.sqrt(len(errors)), size


def test_up_to_the_exact_set_there_is_no_error() -> None:
    values = np.arange(1, 65, dtype=np.uint64) << np.uint64(40)
    for size in range(65):
        assert distinct(*counted(np.repeat(values[:size], 2))) == size
    assert distinct(*counted(np.append(values, np.uint64(7)))) >= DENSE


def test_registers_that_are_full_say_very_many() -> None:
    words = np.full(EXACT_MAX, 0x3838383838383838, np.uint64)
    assert distinct(words, DENSE) > 2**50
    assert distinct(np.zeros(EXACT_MAX, np.uint64), DENSE) == DENSE, "whatever they hold, there were more than 64"


def test_what_is_told_of_a_device() -> None:
    pair = Pair().hear(greetings() + tries(HOSTS[0], TARGETS[:3], refused=True, at_s=2)).end()
    slot = int(np.flatnonzero(pair.table._macs == number(HOSTS[0][1]))[0])
    said = told(pair.table.devices[slot], pair.table.stats[slot])
    assert said["sent"]["broadcast"] == {"packets": 1, "octets": 60}
    assert said["sent"]["site"] == {"packets": 3, "octets": 180}
    assert (said["peers"], said["ports"], said["exact"]) == (3, 3, {"peers": True, "ports": True})
    assert said["flows"] == {"started": 3, "answered": 0, "failed": 3, "accepted": 0}
    assert said["sizes"] == {"0": 4}
    assert sum(said["gaps_us"].values()) == 3
    assert (said["dns"], said["clinical"]) == ({"questions": 0, "failures": 0}, {})
