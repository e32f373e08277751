"""The book of intervals by itself."""

import numpy as np

from agent.config import SummariesConfig
from agent.findings.records import Pressure
from agent.packets.counts import FrameCounts
from agent.packets.records import PACKET
from agent.service.intervals import Counted, IntervalBook, memory_bytes
from agent.tap.records import Fault, LegCounts
from agent.wire import body
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.wire.samples import header

S = 1_000_000_000


def counted(frames: int = 0, exported: int = 0, findings: int = 0, dropped: int = 0) -> Counted:
    """Counters of so many empty frames."""
    counts = FrameCounts()
    counts.add(np.zeros(frames, PACKET))
    return Counted(counts, exported, 0, findings, 0, 0, [LegCounts("eth1", frames, dropped, 0, 0)])


def book(length_s: int = 60) -> IntervalBook:
    """Opened at second 130."""
    made = IntervalBook(SummariesConfig(interval_s=length_s), "contracts", "c" * 64)
    made.begin(130)
    return made


def test_first_interval() -> None:
    assert book().end_s == 180
    assert book(3600).end_s == 3600


def test_what_makes_an_interval_active() -> None:
    made = book()
    assert not made.is_active(Counted(FrameCounts(), 0, 0, 0, 0, 0, []))
    for now in (counted(frames=1), counted(exported=1), counted(findings=1), counted(dropped=1)):
        assert made.is_active(now)


def test_a_blind_or_a_speaking_leg_is_not_passed_over() -> None:
    for leg in (LegCounts("eth1", 0, 0, 0, 1), LegCounts("eth1", 0, 0, 0, 0, blind_ns=1, fault=Fault.DOWN)):
        made = book()
        now = counted()._replace(legs=[leg])
        assert made.is_active(now)
        made.close(180, now)
        assert not made.is_active(now), "but once it is told, only what is new"


def test_what_a_leg_says_of_itself_is_in_every_interval() -> None:
    legs = [
        LegCounts("eth1", 90, 7, 1, 0, received=100, nic_received=120, nic_lost=2, nic_errors=3),
        LegCounts("eth2", 5, 0, 0, 0, received=5, blind_ns=2 * S, fault=Fault.NO_CARRIER),
    ]
    health = book().coverage(counted()._replace(legs=legs)).health
    assert {key: value for key, value in health.items() if key.startswith("leg")} == {
        "leg0_waiting": 5,  # 100 received, 90 read, 5 of the 7 lost were the ring's
        "leg0_nic_received": 120,
        "leg0_nic_lost": 2,
        "leg0_nic_errors": 3,
        "leg1_blind_ms": 2000,
        "leg1_fault": "no carrier",
    }


def test_how_frames_were_shared_out_is_told_of_several_workers() -> None:
    made = book()
    assert "workers" not in made.coverage(counted()._replace(shares=(5,))).health
    now = counted()._replace(shares=(5, 7))
    shares = {key: value for key, value in made.coverage(now).health.items() if key.startswith("worker")}
    assert shares == {"workers": 2, "worker0_frames": 5, "worker1_frames": 7}
    made.close(180, now)
    assert made.coverage(now._replace(shares=(6, 9))).health["worker1_frames"] == 2


def test_four_bad_legs_and_workers_fit_the_message() -> None:
    bad = LegCounts("eth1", 1, 1, 1, 1, 9, 1, 1, 1, 10**7, Fault.GONE)
    coverage = book().coverage(counted()._replace(legs=[bad] * 4, shares=(1, 2, 3, 4), pressure=Pressure(1, 2, 3, 4)))
    spool = {"spool_bytes": 1, "spool_not_sent": 1, "spool_write_errors": 1}  # what the outlet adds
    summary = Summary(Interval(0, S), coverage.legs, health=coverage.health | spool)
    assert body.encode(MessageType.SUMMARY, header(), summary.to_content())


def test_empty_ones_are_passed_over_and_told() -> None:
    made = book()
    made.skip_empty(179)
    assert made.end_s == 180
    made.skip_empty(180)
    assert made.end_s == 240
    made.skip_empty(1000)
    assert made.end_s == 1020
    interval = made.close(1020, counted(1))
    assert (interval.start_ns, interval.end_ns, interval.empty_before) == (960 * S, 1020 * S, 14)
    assert made.close(1080, counted(1)).empty_before == 0


def test_an_interval_that_is_cut_ends_when_it_was_cut() -> None:
    assert book().close(150, counted(1)).end_ns == 150 * S


def test_differences_between_closes() -> None:
    made = book()
    made.close(180, counted(10, 3, dropped=2))
    assert made.losses(counted(15, 4, dropped=9)) == (5, 7)
    coverage = made.coverage(counted(15, 4, dropped=9))
    assert (coverage.processed, coverage.flows_exported) == (5, 1)
    assert coverage.legs[0].frames == 5
    assert coverage.legs[0].dropped == 9, "since takeover"
    assert coverage.health["contracts"] == "contracts"
    assert coverage.health["config"] == "c" * 16


def test_all_cards_once_an_hour() -> None:
    made = book()
    assert made.all_cards_due(130)
    assert not made.all_cards_due(3729)
    assert made.all_cards_due(3730)
    made.cards_asked()
    assert made.all_cards_due(3731)


def test_memory_is_counted() -> None:
    assert memory_bytes() > 1 << 20
