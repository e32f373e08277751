"""tap-blind: within ten seconds, once for each time, and with the reason."""

import pytest

from agent.findings.records import Finding, Severity
from agent.tap.records import Fault, LegCounts
from tests.findings.bench import HOUR, Bench, ids


def leg(fault: Fault = Fault.NONE, name: str = "eth1") -> LegCounts:
    """A leg in some state."""
    return LegCounts(name, 0, 0, 0, 0, fault=fault)


def seconds(bench: Bench, faults: list[Fault]) -> list[list[Finding]]:
    """One turn each second."""
    return [bench.judge(legs=[leg(fault)]) for fault in faults]


@pytest.mark.parametrize(
    ("fault", "because"),
    [
        (Fault.DOWN, "because its interface is down."),
        (Fault.GONE, "because its interface is not there any more."),
        (Fault.NO_CARRIER, "because its interface has no link, so no cable or a dead port is at its other end."),
    ],
)
def test_it_says_which_leg_for_how_long_and_why(bench: Bench, fault: Fault, because: str) -> None:
    said = seconds(bench, [fault] * 20)
    told = [second for second, found in enumerate(said) if found]
    assert told == [5], "later than a link that trains anew, and within ten seconds"
    (found,) = said[5]
    assert (found.id, found.severity, found.mac) == ("tap-blind", Severity.HEALTH, 0)
    assert found.sentence == f"Leg eth1 of the tap has heard nothing for 5 seconds, {because}"
    assert found.evidence[:2] == (("leg", "eth1"), ("state", fault.value))
    assert found.last_ns - found.first_ns == 5 * 10**9


def test_a_link_that_trains_anew_is_no_finding(bench: Bench) -> None:
    assert not any(seconds(bench, ([Fault.NO_CARRIER] * 5 + [Fault.NONE]) * 10))


def test_a_leg_that_is_back_and_fails_again_folds_within_the_hour(bench: Bench) -> None:
    flap = [Fault.DOWN] * 10 + [Fault.NONE] * 10
    assert [len(found) for found in seconds(bench, flap * 3) if found] == [1]
    bench.now_ns += HOUR
    assert [len(found) for found in seconds(bench, flap) if found] == [1], "an hour later it is told again"


def test_the_silence_is_one_whatever_its_reason(bench: Bench) -> None:
    said = seconds(bench, [Fault.DOWN] * 4 + [Fault.GONE] * 10 + [Fault.NO_CARRIER] * 10)
    assert [(second, found[0].evidence[1]) for second, found in enumerate(said) if found] == [(5, ("state", "gone"))]


def test_a_renamed_leg_still_hears(bench: Bench) -> None:
    (found,) = [found for second in seconds(bench, [Fault.RENAMED] * 10) for found in second]
    assert found.sentence.startswith("Leg eth1 of the tap was renamed: it is still heard, but after a restart ")
    assert len([found for found in seconds(bench, [Fault.GONE] * 10) if found]) == 1, "and then it does not"


def test_each_leg_for_itself(bench: Bench) -> None:
    said = []
    for second in range(20):
        legs = [leg(Fault.DOWN), leg(Fault.DOWN if second >= 5 else Fault.NONE, "eth2")]
        said.append([dict(found.evidence)["leg"] for found in bench.judge(legs=legs)])
    assert {second: legs for second, legs in enumerate(said) if legs} == {5: ["eth1"], 10: ["eth2"]}


def test_legs_that_hear_say_nothing(bench: Bench) -> None:
    assert ids(bench.judge(legs=[leg()])) == []


def silence(bench: Bench, seconds: range, *legs: LegCounts) -> list[Finding]:
    """A second at a time without a frame."""
    heard = [bench.judge(legs=legs or (leg(), leg(name="eth2")), silent_ns=second * 10**9) for second in seconds]
    return [found for said in heard for found in said]


def test_links_that_are_up_and_carry_nothing_are_told_within_two_minutes(bench: Bench) -> None:
    assert not silence(bench, range(90))
    (found,) = silence(bench, range(90, 600))
    assert found.sentence == ("No leg of the tap has heard a single frame for 90 seconds, although their links are up.")
    assert (found.id, found.severity, dict(found.evidence)["state"]) == ("tap-blind", Severity.HEALTH, "silent")
    assert "told to mirror" in found.next_step


def test_silence_is_told_again_only_in_another_hour(bench: Bench) -> None:
    assert len(silence(bench, range(100))) == 1
    assert not silence(bench, range(100)), "it heard something in between and fell silent again"
    bench.now_ns += HOUR
    assert len(silence(bench, range(100))) == 1


def test_silence_that_a_fault_explains_is_told_as_that(bench: Bench) -> None:
    told = silence(bench, range(200), leg(Fault.NO_CARRIER))
    assert [dict(found.evidence)["state"] for found in told] == ["no carrier"]
    both = silence(bench, range(200), leg(Fault.NO_CARRIER), leg(name="eth2"))
    assert [dict(found.evidence)["state"] for found in both] == ["silent"], "the other leg could hear"
