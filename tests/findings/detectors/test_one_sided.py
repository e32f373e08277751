"""one-sided: half of each session, or a leg that is deaf beside a busy one."""

import pytest

from agent.findings.detectors.one_sided import CONTACTS_MIN, INTERVALS_MIN
from agent.findings.records import Finding, Rows, Severity
from agent.tap.records import Fault, LegCounts
from tests.findings.bench import Bench, ids


def contacts(bench: Bench, many: int, **fields: int) -> list[Rows]:
    """Contacts of one device with so many peers."""
    slot = bench.add("printer")
    return [bench.edge(slot, f"10.20.{40 + n}.9", 9100, **fields) for n in range(many)]


def told(bench: Bench, rows: list[Rows], intervals: int = INTERVALS_MIN, **more: object) -> list[Finding]:
    """What is said of so many intervals alike."""
    said = [f for _ in range(intervals) for f in bench.interval(rows, **more)]
    return [f for f in said if f.id == "one-sided"]


@pytest.mark.parametrize("deaf", ["in", "out"])
def test_half_of_each_session(bench: Bench, deaf: str) -> None:
    rows = contacts(bench, 20, **{f"packets_{deaf}": 0, f"octets_{deaf}": 0})
    (found,) = told(bench, rows, 5)
    assert found.severity is Severity.HEALTH
    assert found.sentence == (
        "20 of 20 sessions of the last interval were heard in one direction only, so half of what happens is not seen."
    )
    assert found.mac == 0


def test_both_ways(bench: Bench) -> None:
    half = contacts(bench, 20, packets_in=0, octets_in=0)
    assert not told(bench, [*contacts(bench, 21), *half])


def test_tries_that_nobody_answers(bench: Bench) -> None:
    """A server that is down, and a scan: no data, however often."""
    assert not told(bench, contacts(bench, 100, packets_out=40, octets_out=40 * 60, packets_in=0, octets_in=0), 5)


def test_datagrams_need_no_answer(bench: Bench) -> None:
    assert not told(bench, contacts(bench, 100, protocol=17, packets_in=0, octets_in=0))


def test_one_interval_or_few_contacts(bench: Bench) -> None:
    half = contacts(bench, 20, packets_in=0, octets_in=0)
    assert not told(bench, half, 1)
    assert not told(bench, contacts(bench, 20), 1)
    assert not told(bench, half, 1), "not in a row"
    assert not told(bench, contacts(bench, CONTACTS_MIN - 1, packets_in=0, octets_in=0), 5)
    assert not told(bench, half, 5, detail="headers-only")


def legs(first: int, second: int, fault: Fault = Fault.NONE) -> list[LegCounts]:
    """Two legs with so many frames each."""
    return [LegCounts("eth1", first, 0, 0, 0), LegCounts("eth2", second, 0, 0, 0, fault=fault)]


def test_a_deaf_leg(bench: Bench) -> None:
    assert not ids(bench.interval(legs=legs(5000, 7)))
    assert not ids(bench.interval(legs=legs(10_000, 7)))
    (found,) = bench.interval(legs=legs(15_000, 7))
    assert found.sentence == (
        "Leg eth2 of the tap hears nothing although it has a link, and another heard 5000 frames, so half of what "
        "happens is not seen."
    )
    assert not bench.interval(legs=legs(20_000, 7)), "once"


def test_a_quiet_night_and_a_leg_that_is_down(bench: Bench) -> None:
    for turn in range(5):
        assert "one-sided" not in ids(bench.interval(legs=legs(100 * turn, 7)))
        assert "one-sided" not in ids(bench.interval(legs=legs(100 * turn + 50_000 * turn, 7, Fault.DOWN)))
    assert "one-sided" not in ids(bench.interval(legs=legs(0, 0)[:1]))


def test_a_hostile_leg_name_is_cleaned(bench: Bench) -> None:
    for turn in range(4):
        odd = [LegCounts("a", 5000 * turn, 0, 0, 0), LegCounts("b\x1b[2J\n", 1, 0, 0, 0)]
        for found in bench.interval(legs=odd):
            assert found.sentence.isprintable()
