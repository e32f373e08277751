"""What roles send in an interval, by the hour of the day."""

import numpy as np
import pytest

from agent.findings.volumes import DAY_NS, FACTOR, HOUR_NS, SAMPLES_MIN, Volumes

KIB, MIB = 1 << 10, 1 << 20


def teach(volumes: Volumes, octets: int, count: int, hour: int = 12, role: int = 1) -> None:
    volumes.learn(np.full(count, role, np.int16), np.full(count, octets, np.uint64), hour * HOUR_NS)


def test_a_pool_that_is_too_small_limits_nothing() -> None:
    volumes = Volumes(3)
    teach(volumes, KIB, SAMPLES_MIN - 1)
    assert np.isinf(volumes.limits(12 * HOUR_NS).usual).all()
    teach(volumes, KIB, 1)
    usual, most = volumes.limits(12 * HOUR_NS)
    assert (usual[1], most[1]) == (FACTOR * 2 * KIB, FACTOR * 2 * KIB)  # powers of two, rounded up
    assert np.isinf(usual[[0, 2]]).all()


def test_a_few_large_ones_move_no_usual_limit_and_three_are_reached() -> None:
    volumes = Volumes(2)
    teach(volumes, KIB, 4 * SAMPLES_MIN)
    teach(volumes, 5 * MIB, 2)
    assert volumes.limits(12 * HOUR_NS).most[1] == FACTOR * 2 * KIB
    teach(volumes, 5 * MIB, 1)
    usual, most = volumes.limits(12 * HOUR_NS)
    assert (usual[1], most[1]) == (FACTOR * 2 * KIB, FACTOR * 8 * MIB)


def test_what_is_usual_at_night_is_not_at_noon() -> None:
    volumes = Volumes(2)
    for hour in range(24):
        teach(volumes, KIB, SAMPLES_MIN, hour)
    teach(volumes, 5 * MIB, 50, 2)
    for hour, limit in ((1, 8 * MIB), (2, 8 * MIB), (3, 8 * MIB), (4, 2 * KIB), (12, 2 * KIB), (0, 2 * KIB)):
        assert volumes.limits((48 + hour) * HOUR_NS).usual[1] == FACTOR * limit, hour


def test_an_hour_with_little_in_it_is_judged_by_the_day() -> None:
    volumes = Volumes(2)
    teach(volumes, 300 * KIB, SAMPLES_MIN, 12)
    assert volumes.limits(3 * HOUR_NS).usual[1] == FACTOR * 512 * KIB


def test_midnight_has_neighbours() -> None:
    volumes = Volumes(2)
    teach(volumes, KIB, SAMPLES_MIN, 12)
    teach(volumes, MIB, SAMPLES_MIN, 23)
    assert volumes.limits(0).usual[1] == volumes.limits(22 * HOUR_NS).usual[1] == FACTOR * 2 * MIB


@pytest.mark.parametrize(("octets", "limit"), [(0, 1), (2**64 - 1, 2.0**64)])
def test_the_least_and_the_most_have_a_place(octets: int, limit: float) -> None:
    volumes = Volumes(2)
    teach(volumes, octets, SAMPLES_MIN)
    assert volumes.limits(12 * HOUR_NS).most[1] == FACTOR * max(limit, 2.0)


def test_a_day_counts_from_the_first_interval() -> None:
    volumes = Volumes(1)
    assert not volumes.heard_a_day(DAY_NS)
    teach(volumes, 1, 1, role=0)
    assert not volumes.heard_a_day(12 * HOUR_NS + DAY_NS - 1)
    assert volumes.heard_a_day(12 * HOUR_NS + DAY_NS)
