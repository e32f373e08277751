"""The watch over a leg, second by second, without an interface."""

import pytest

from agent.tap.link import Counters, Link
from agent.tap.records import Fault
from agent.tap.watch import LegWatch

S = 1_000_000_000


def link(number: int = 5, *, up: bool = True, carrier: bool = True, counts: tuple[int, ...] = (0, 0, 0, 0)) -> Link:
    """An interface."""
    return Link(number, "eth1", 1, up, carrier, Counters(*counts))


def watch(first: Link | None = None) -> LegWatch:
    """Taken over just now."""
    return LegWatch("eth1", first or link())


def test_a_leg_that_hears() -> None:
    leg = watch()
    assert leg.look(link(), None, S) is None
    assert (leg.fault, leg.blind_ns, leg.grown) == (Fault.NONE, 0, Counters(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("named", "numbered", "fault"),
    [
        (link(up=False), None, Fault.DOWN),
        (link(up=False, carrier=False), None, Fault.DOWN),
        (link(carrier=False), None, Fault.NO_CARRIER),
        (None, None, Fault.GONE),
        (None, link(), Fault.RENAMED),
        (None, link(up=False), Fault.DOWN),
        (None, link(carrier=False), Fault.NO_CARRIER),
    ],
)
def test_why_it_does_not_hear(named: Link | None, numbered: Link | None, fault: Fault) -> None:
    leg = watch()
    assert leg.look(named, numbered, S) is None
    assert leg.fault is fault
    assert leg.look(link(), None, 2 * S) is None
    assert leg.fault is Fault.NONE


def test_a_leg_that_is_down_when_it_is_taken_over() -> None:
    assert watch(link(up=False)).fault is Fault.DOWN


def test_blind_time_adds_up_and_a_new_name_is_not_blind() -> None:
    leg = watch()
    for second, found in enumerate([link(), None, None, link(), link(up=False), link(), link()]):
        leg.look(found, None, second * S)
    assert leg.blind_ns == 3 * S
    leg.look(None, link(), 10 * S)
    leg.look(None, link(), 20 * S)
    assert leg.blind_ns == 3 * S


def test_another_interface_under_the_name_is_to_be_attached() -> None:
    leg = watch(link(5))
    other = link(9)
    assert leg.look(other, None, S) == other
    assert leg.fault is Fault.GONE, "until it is attached"
    leg.attached(other)
    assert (leg.fault, leg.number) == (Fault.NONE, 9)
    assert leg.look(other, None, 2 * S) is None
    assert leg.blind_ns == 0


def test_blind_until_the_other_interface_could_be_attached() -> None:
    leg = watch(link(5))
    for second in (1, 2, 4):
        leg.look(link(9), None, second * S)
    leg.attached(link(9))
    assert leg.blind_ns == 3 * S


def test_counters_since_takeover() -> None:
    leg = watch(link(counts=(100, 50, 3, 1)))
    leg.look(link(counts=(110, 50, 3, 1)), None, S)
    assert leg.grown == Counters(10, 0, 0, 0)
    leg.look(None, link(counts=(111, 52, 4, 2)), 2 * S)
    assert leg.grown == Counters(11, 2, 1, 1), "a renamed interface counts on"


def test_a_driver_that_starts_its_counters_over() -> None:
    leg = watch(link(counts=(100, 50, 0, 0)))
    leg.look(link(counts=(120, 51, 0, 0)), None, S)
    leg.look(link(counts=(7, 2, 0, 0)), None, 2 * S)
    assert leg.grown == Counters(27, 3, 0, 0)


def test_what_a_newer_interface_sent_before_it_was_attached_counts() -> None:
    """It was plugged in while we listened: whatever it sent, it sent on the ward's cable."""
    leg = watch(link(5, counts=(100, 50, 0, 0)))
    leg.attached(link(9, counts=(4, 2, 0, 0)))
    assert leg.grown == Counters(4, 2, 0, 0)
    leg.look(link(9, counts=(5, 2, 0, 0)), None, S)
    assert leg.grown == Counters(5, 2, 0, 0)


def test_what_an_older_interface_sent_elsewhere_does_not() -> None:
    leg = watch(link(5))
    leg.attached(link(2, counts=(4000, 2000, 0, 0)))
    leg.look(link(2, counts=(4001, 2000, 0, 0)), None, S)
    assert leg.grown == Counters(1, 0, 0, 0)
