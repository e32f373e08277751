"""tap-transmitted: the first frame pages, what follows folds."""

from agent.findings.records import Severity
from agent.tap.records import LegCounts
from tests.findings.bench import HOUR, Bench, ids


def leg(sent: int, name: str = "eth1") -> LegCounts:
    """A leg that has sent."""
    return LegCounts(name, 0, 0, 0, sent)


def test_one_frame_is_a_page(bench: Bench) -> None:
    assert ids(bench.judge(legs=[leg(0)])) == []
    (found,) = bench.judge(legs=[leg(1)])
    assert (found.id, found.severity, found.mac) == ("tap-transmitted", Severity.PAGE, 0)
    assert found.sentence == (
        "The tap has sent a frame on its leg eth1 since it took the leg over, and it must never send: somebody or "
        "something uses this interface."
    )
    assert ("tx-packets", 1) in found.evidence
    assert "the ward's traffic does not pass through it" in found.next_step


def test_more_frames_fold_and_are_told_when_the_hour_is_over(bench: Bench) -> None:
    said = [len(bench.judge(legs=[leg(sent)])) for sent in (1, 2, 2, 9)]
    assert said == [1, 0, 0, 0]
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True, legs=[leg(9)])
    assert (again.id, again.count) == ("tap-transmitted", 3)
    assert ("tx-packets", 9) in again.evidence


def test_each_leg_for_itself(bench: Bench) -> None:
    found = bench.judge(legs=[leg(5), leg(7, "eth2")])
    assert [dict(one.evidence)["leg"] for one in found] == ["eth1", "eth2"]
    assert "has sent 5 frames on its leg eth1" in found[0].sentence
