"""The update table: only its steps exist, nothing skips the signatures, and every way ends."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Refused
from agent.update.states import NEW_RELEASE_RUNS, RESUME, Event, State, after, allowed

GOOD_WAY = [Event.BUNDLE_COMPLETE, Event.SIGNATURES_GOOD, Event.SELF_TEST_PASSED, Event.SWITCH, Event.HEALTHY]


def walk(events: list[Event]) -> list[State]:
    """The states along a sequence; refused steps change nothing."""
    states = [State.IDLE]
    for event in events:
        try:
            states.append(after(states[-1], event))
        except Refused:
            states.append(states[-1])
    return states


def test_the_good_way() -> None:
    assert walk(GOOD_WAY) == [
        State.IDLE, State.FETCHED, State.VERIFIED, State.STAGED, State.SWITCHED, State.CONFIRMED,
    ]  # fmt: skip


@pytest.mark.parametrize("left_out", GOOD_WAY[:-1])
def test_no_step_can_be_left_out(left_out: Event) -> None:
    states = walk([event for event in GOOD_WAY if event is not left_out])
    assert State.CONFIRMED not in states


@given(st.lists(st.sampled_from(Event), max_size=40))
def test_a_new_release_runs_only_after_its_signatures_and_self_test(events: list[Event]) -> None:
    """In any sequence, the way into `switched` leads through verified and staged since the last idle."""
    since_idle: list[State] = []
    for before, state in itertools.pairwise(walk(events)):
        since_idle = [] if state is State.IDLE else [*since_idle, state]
        if state is State.SWITCHED and before is not State.SWITCHED:
            assert {State.FETCHED, State.VERIFIED, State.STAGED} <= set(since_idle)


@pytest.mark.parametrize("state", State)
def test_every_state_but_idle_finds_home(state: State) -> None:
    reached, frontier = {state}, [state]
    while frontier:
        here = frontier.pop()
        for event in allowed(here):
            if (there := after(here, event)) not in reached:
                reached.add(there)
                frontier.append(there)
    assert State.IDLE in reached


def test_a_hold_never_moves_anything() -> None:
    for state in State:
        if Event.HOLD in allowed(state):
            assert after(state, Event.HOLD) is state
    assert Event.HOLD not in allowed(State.SWITCHED)


def test_a_fault_after_the_switch_rolls_back_and_a_confirmed_release_stays() -> None:
    assert after(State.SWITCHED, Event.FAULT) is State.ROLLED_BACK
    with pytest.raises(Refused, match="confirmed takes no fault") as refusal:
        after(State.CONFIRMED, Event.FAULT)
    assert refusal.value.reason == "update-order"


@pytest.mark.parametrize("state", State)
def test_a_restart_never_trusts_a_check_from_before_it(state: State) -> None:
    resumed = RESUME[state]
    assert (resumed in NEW_RELEASE_RUNS) == (state in NEW_RELEASE_RUNS)
    assert resumed not in {State.VERIFIED, State.STAGED}
