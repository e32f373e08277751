"""Which slot of a set a flow has, and which one makes room."""

import numpy as np
import pytest

from agent.flows.records import BIFLOW
from agent.flows.sets import DUE, RANK, WAYS, find, room
from agent.jit import Seconds, kernel

S = 1_000_000_000


@kernel
def _room(tags, due_s, base, now_ns):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return room(tags, due_s, base, now_ns)


@kernel
def _find(slots, tags, base, tag, key):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return find(slots, tags, base, tag, key)


@pytest.fixture
def due_s() -> Seconds:
    """Deadlines of two sets."""
    return np.zeros(2, DUE)["due_s"]


def test_a_free_slot_is_taken_before_any_flow_gives_way(due_s: Seconds) -> None:
    tags = np.ones(2 * WAYS, np.uint16)
    tags[WAYS + 5] = 0
    assert _room(tags, due_s, WAYS, 5 * S) == WAYS + 5


def test_the_flow_whose_turn_it_is_gives_way(due_s: Seconds) -> None:
    tags = np.ones(2 * WAYS, np.uint16)
    due_s[1, RANK:] = 2 * np.arange(10, 10 + WAYS)
    due_s[1, RANK + 3] = 2
    assert _room(tags, due_s, WAYS, 60 * S) == WAYS + 3


def test_a_tag_alone_is_no_flow() -> None:
    slots, tags = np.zeros(2 * WAYS, BIFLOW), np.zeros(2 * WAYS, np.uint16)
    tags[[2, 4]] = 9
    slots["key_ports"][[2, 4]] = 7, 8
    key = tuple(np.uint64(word) for word in (0, 0, 0, 0, 8))
    assert _find(slots, tags, 0, np.uint16(9), key) == 4
    assert _find(slots, tags, WAYS, np.uint16(9), key) == -1
    assert _find(slots, tags, 0, np.uint16(9), (*key[:4], np.uint64(6))) == -1
