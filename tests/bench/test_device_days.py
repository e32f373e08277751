"""The short form: a fifth of the ward and all that happens on it within a quarter of a day; nobody is woken."""

import pytest

from tests.bench.device_days import run
from tests.simulators.bursts import HASHES, THIN

DAYS, SHARE = 0.2, 0.15


@pytest.mark.skipif(THIN > 1, reason="hours of frames need the compiled kernels")
@HASHES
def test_a_ward_to_which_nothing_happens_wakes_nobody() -> None:
    told = run(1, DAYS, SHARE)
    assert told["pages"] == []
    assert told["conserved"]
    assert told["frames"] > 200_000
    assert told["other"]["health tap-blind"] == 1
    assert {"infusion-pump", "patient-monitor", "ventilator", "pacs", "clinical-workstation"} <= set(told["roles"])
    assert told["reviews"] > 0  # a list that is always empty would mean that nothing was judged
