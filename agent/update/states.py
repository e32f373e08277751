"""The states of an update, as a table: what may follow what, and nothing else.

    idle -> fetched -> verified -> staged -> switched -> confirmed -> idle
    a fault in any of the four between leads to rolled-back -> idle

Pure: no file, no clock, no process. Whoever keeps the journal asks `after` before each step and writes the answer down
before it acts, so a power cut at any instruction finds a state from which `RESUME` says the one safe thing to do.
"""

from enum import StrEnum
from types import MappingProxyType

from agent.errors import Refused


class State(StrEnum):
    """Where an update stands; the values are what the journal and the receipts say."""

    IDLE = "idle"
    FETCHED = "fetched"
    VERIFIED = "verified"
    STAGED = "staged"
    SWITCHED = "switched"
    CONFIRMED = "confirmed"
    ROLLED_BACK = "rolled-back"


class Event(StrEnum):
    """What happens to an update."""

    BUNDLE_COMPLETE = "bundle-complete"
    SIGNATURES_GOOD = "signatures-good"
    SELF_TEST_PASSED = "self-test-passed"
    SWITCH = "switch"
    HEALTHY = "healthy"
    FAULT = "fault"
    HOLD = "hold"
    DISCARD = "discard"


_NEXT: MappingProxyType[tuple[State, Event], State] = MappingProxyType(
    {
        (State.IDLE, Event.BUNDLE_COMPLETE): State.FETCHED,
        (State.FETCHED, Event.SIGNATURES_GOOD): State.VERIFIED,
        (State.VERIFIED, Event.SELF_TEST_PASSED): State.STAGED,
        (State.STAGED, Event.SWITCH): State.SWITCHED,
        (State.SWITCHED, Event.HEALTHY): State.CONFIRMED,
        # Before the switch a fault only drops the bundle; after it the old release must run again.
        (State.FETCHED, Event.FAULT): State.ROLLED_BACK,
        (State.VERIFIED, Event.FAULT): State.ROLLED_BACK,
        (State.STAGED, Event.FAULT): State.ROLLED_BACK,
        (State.SWITCHED, Event.FAULT): State.ROLLED_BACK,
        # A clinical hold stops the way forward; it never undoes a switch that was made (a second disturbance).
        (State.FETCHED, Event.HOLD): State.FETCHED,
        (State.VERIFIED, Event.HOLD): State.VERIFIED,
        (State.STAGED, Event.HOLD): State.STAGED,
        # The end of the journal's entry: the next update starts from idle.
        (State.FETCHED, Event.DISCARD): State.IDLE,
        (State.VERIFIED, Event.DISCARD): State.IDLE,
        (State.STAGED, Event.DISCARD): State.IDLE,
        (State.CONFIRMED, Event.DISCARD): State.IDLE,
        (State.ROLLED_BACK, Event.DISCARD): State.IDLE,
    }
)

#: What to do with an update that a restart finds in the journal: an unconfirmed switch is judged again by its health,
#: everything before it starts from the bundle on disk, whose signatures are never taken from memory.
RESUME: MappingProxyType[State, State] = MappingProxyType(
    {
        State.IDLE: State.IDLE,
        State.FETCHED: State.FETCHED,
        State.VERIFIED: State.FETCHED,
        State.STAGED: State.FETCHED,
        State.SWITCHED: State.SWITCHED,
        State.CONFIRMED: State.CONFIRMED,
        State.ROLLED_BACK: State.ROLLED_BACK,
    }
)

#: States in which the new release is the one that runs.
NEW_RELEASE_RUNS = frozenset({State.SWITCHED, State.CONFIRMED})


def after(state: State, event: Event) -> State:
    """The state that follows; raises Refused (reason "update-order") when the table has no such step."""
    following = _NEXT.get((state, event))
    if following is None:
        raise Refused(f"an update that is {state} takes no {event}", reason="update-order")
    return following


def allowed(state: State) -> tuple[Event, ...]:
    """The events that a state takes, in the order of `Event`."""
    return tuple(event for event in Event if (state, event) in _NEXT)
