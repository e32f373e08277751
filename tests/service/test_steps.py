"""Where the seconds of a burst begin."""

import numpy as np
import pytest

from agent.clock import NS_PER_S
from agent.service.steps import seconds_of


@pytest.mark.parametrize(
    ("times_s", "steps"),
    [
        ([5.1, 5.9, 5.2], [(0, 5)]),
        ([5.1, 6.0, 6.5, 9.0], [(0, 5), (1, 6), (3, 9)]),
        ([5.1, 4.0, 6.0, 5.0, 6.9], [(0, 5), (2, 6)]),  # backwards
        ([0.0], [(0, 0)]),
    ],
)
def test_where_the_seconds_of_a_burst_begin(times_s: list[float], steps: list[tuple[int, int]]) -> None:
    assert seconds_of(np.array([round(at_s * NS_PER_S) for at_s in times_s], np.int64)) == steps
