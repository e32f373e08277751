"""The overload ladder: up at once, down with patience, never flapping, and normal again within a minute."""

from hypothesis import given
from hypothesis import strategies as st

from agent.service.overload import (
    BACKLOG_MIN,
    CALM_LOOKS,
    CALM_LOOKS_MAX,
    RELAPSE_LOOKS,
    RISE_LOOKS,
    Detail,
    Load,
    OverloadLadder,
)
from agent.tap.records import LegCounts

A_SECOND = 100_000


class Leg:
    """What a kernel counts, second by second."""

    def __init__(self, ladder: OverloadLadder) -> None:
        self.ladder = ladder
        self._received = self._dropped = 0

    def second(self, dropped: int = 0, waiting: int = 0, nic_lost: int = 0) -> Detail:
        """One look: so many more came, so many of them were lost, so many wait."""
        self._received += A_SECOND
        self._dropped += dropped
        read = self._received - self._dropped - waiting
        legs = [LegCounts("eth1", read, self._dropped + nic_lost, 0, 0, received=self._received, nic_lost=nic_lost)]
        return self.ladder.look(legs)

    def seconds(self, count: int, dropped: int = 0, waiting: int = 0) -> list[Detail]:
        """Several alike."""
        return [self.second(dropped, waiting) for _ in range(count)]


def test_a_tap_that_keeps_up_stays_full() -> None:
    leg = Leg(OverloadLadder())
    assert set(leg.seconds(300, dropped=99, waiting=BACKLOG_MIN - 1)) == {Detail.FULL}


def test_one_bad_second_is_a_hiccup() -> None:
    leg = Leg(OverloadLadder())
    for _ in range(50):
        assert leg.seconds(RISE_LOOKS - 1, dropped=50_000)[-1] is Detail.FULL
        assert leg.second() is Detail.FULL


def test_drops_lead_up_step_by_step() -> None:
    leg = Leg(OverloadLadder())
    assert leg.seconds(6, dropped=100) == [0, 1, 1, 2, 2, 2]


def test_a_backlog_leads_up_before_anything_is_lost() -> None:
    leg = Leg(OverloadLadder())
    assert leg.seconds(4, waiting=A_SECOND // 4) == [0, 1, 1, 2]


def test_what_the_card_lost_leads_nowhere() -> None:
    leg = Leg(OverloadLadder())
    assert {leg.second(nic_lost=second * 5000) for second in range(20)} == {Detail.FULL}


def test_down_again_one_step_for_each_calm() -> None:
    leg = Leg(OverloadLadder())
    leg.seconds(4, dropped=5000)
    calm = leg.seconds(2 * CALM_LOOKS)
    assert calm[CALM_LOOKS - 2 : CALM_LOOKS] == [2, 1]
    assert calm[-2:] == [1, 0]


def test_a_relapse_is_waited_for_longer_each_time_but_never_a_minute() -> None:
    leg, waits = Leg(OverloadLadder()), list[int]()
    for _ in range(6):
        leg.seconds(RISE_LOOKS, dropped=5000)
        wait = 1
        while leg.second() is not Detail.FULL:
            wait += 1
        waits.append(wait)
    assert waits == [CALM_LOOKS, 2 * CALM_LOOKS, *[CALM_LOOKS_MAX] * 4]
    assert 2 * CALM_LOOKS_MAX < 60


def test_a_rise_long_after_a_fall_is_no_relapse() -> None:
    leg = Leg(OverloadLadder())
    for _ in range(5):
        leg.seconds(RISE_LOOKS, dropped=5000)
        assert leg.seconds(CALM_LOOKS)[-1] is Detail.FULL
        leg.seconds(RELAPSE_LOOKS)


def test_legs_are_added_up_and_a_backend_may_count_little() -> None:
    legs = [LegCounts("a", 90, 15, 0, 0, received=120, nic_lost=5), LegCounts("b", 7, 3, 0, 0)]
    assert Load.of(legs) == Load(received=130, dropped=13, waiting=20)
    assert Load.of([]) == Load()
    ladder = OverloadLadder()
    assert [ladder.look([LegCounts("b", 50 * n, 50 * n, 0, 0)]) for n in range(1, 5)] == [0, 1, 1, 2]


@given(st.lists(st.tuples(st.integers(0, A_SECOND), st.integers(0, A_SECOND)), max_size=300))
def test_any_load_moves_one_step_at_a_time_and_calm_ends_it(loads: list[tuple[int, int]]) -> None:
    leg, before = Leg(OverloadLadder()), Detail.FULL
    for dropped, waiting in loads:
        now = leg.second(min(dropped, A_SECOND // 2), min(waiting, A_SECOND // 2))
        assert abs(now - before) <= 1
        before = now
    assert leg.seconds(2 * CALM_LOOKS_MAX)[-1] is Detail.FULL


def test_words() -> None:
    assert [level.word for level in Detail] == ["full", "headers-only", "totals-only"]
