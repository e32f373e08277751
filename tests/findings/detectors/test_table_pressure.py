"""table-pressure: once for each episode, soon, with what was given up and by whom."""

import numpy as np
import pytest

from agent.findings.detectors.table_pressure import CONTACTS_MIN, MOST
from agent.findings.records import Finding, Pressure, Severity
from tests.findings.bench import HOUR, Bench, ids


def turns(bench: Bench, pressures: list[Pressure]) -> list[list[Finding]]:
    """One turn each second, with what had been given up by then."""
    return [bench.judge(pressure=pressure) for pressure in pressures]


def rising(step: int, seconds: int, start: int = 0) -> list[Pressure]:
    """So many flows each second."""
    return [Pressure(flows=start + step * second) for second in range(1, seconds + 1)]


@pytest.mark.parametrize("field", Pressure._fields)
def test_each_table_counts_for_itself(bench: Bench, field: str) -> None:
    below, above = Pressure(**{field: getattr(MOST, field) - 1}), Pressure(**{field: getattr(MOST, field)})
    assert [len(said) for said in turns(bench, [below, below, above, above])] == [0, 0, 1, 0]


def test_it_says_what_was_given_up(bench: Bench) -> None:
    ((found,),) = turns(bench, [Pressure(83_716, 0, 0, 12)])
    assert (found.id, found.severity, found.mac) == ("table-pressure", Severity.HEALTH, 0)
    assert found.sentence == (
        "More happens on the ward's network than the tap's tables hold, within a second: 83716 flows ended early, 12 "
        "frames of senders without a place."
    )
    told = dict(found.evidence)
    assert (told["flows-evicted"], told["frames-unplaced"], told["detail"]) == (83_716, 12, "full")


def test_who_begins_most_contacts_is_named(bench: Bench) -> None:
    quiet, busy = bench.add("infusion-pump"), bench.add("unknown")
    edges = [bench.edge(quiet, "10.1.2.3", 443, gates=0)]
    edges += [bench.edge(busy, f"10.{n >> 8}.{n & 255}.9", 443, gates=0) for n in range(CONTACTS_MIN)]
    (found,) = [one for one in bench.judge(edges, pressure=Pressure(edges=5000)) if one.id == "table-pressure"]
    assert found.sentence.endswith("most of the new contacts are those of the device 00:d0:75:18:00:01 (Maker).")
    assert ("its-contacts", CONTACTS_MIN) in found.evidence


def test_nobody_is_named_for_a_few_contacts_or_for_everybody_s(bench: Bench) -> None:
    slots = [bench.add("unknown") for _ in range(4)]
    few = [bench.edge(slots[0], f"10.2.0.{n}", 443, gates=0) for n in range(20)]
    many = [bench.edge(slots[n % 4], f"10.{n >> 8}.{n & 255}.9", 443, gates=0) for n in range(2 * CONTACTS_MIN)]
    for edges in (few, many):
        said = Bench(list(bench.devices)).judge(edges, pressure=Pressure(flows=5000))
        assert not any("busiest" in dict(one.evidence) for one in said if one.id == "table-pressure")


def test_once_for_an_episode(bench: Bench) -> None:
    said = turns(bench, rising(500, 600))
    assert [second for second, found in enumerate(said) if found] == [1]


def test_a_slow_trickle_is_no_pressure(bench: Bench) -> None:
    assert not any(turns(bench, rising(10, 600)))


def test_waves_within_the_hour_are_one_cause(bench: Bench) -> None:
    first = turns(bench, rising(500, 10))
    assert ids([found for said in first for found in said]) == ["table-pressure"]
    calm = turns(bench, [Pressure(flows=5000)] * 200)
    assert not any(calm + turns(bench, rising(500, 10, 5000)))


def test_a_flood_later_in_the_day_is_told_again(bench: Bench) -> None:
    first = turns(bench, rising(500, 10))
    bench.now_ns += 3 * HOUR
    assert not any(turns(bench, [Pressure(flows=5000)] * 70))
    later = turns(bench, rising(500, 10, 5000))
    causes = {found.cause for said in first + later for found in said}
    assert len(causes) == 2


def test_a_quiet_tap_says_nothing(bench: Bench) -> None:
    assert not any(turns(bench, [Pressure()] * 100))
    assert np.all(np.array(MOST) > 0)
