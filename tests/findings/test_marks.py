"""The tables that say what a mark asks for: each mark asks for something, and columns allow what they should."""

import numpy as np
import pytest

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.devices.roles import ROLES
from agent.findings.marks import marks_of
from agent.findings.records import EdgeMark, Verdict

MARKS = marks_of(ROLES)
EVERY = (1 << len(EdgeMark)) - 1


@pytest.mark.parametrize("mark", EdgeMark)
def test_each_mark_asks_for_something_that_there_is(mark: EdgeMark) -> None:
    columns = [column.ravel() >> mark & 1 for column in MARKS]
    assert all(column.any() for column in columns), "some value allows it"
    assert any(not column.all() for column in columns), "and some does not"


def test_columns_allow_what_they_should() -> None:
    assert MARKS.gates[0] & (1 << EdgeMark.NEVER | 1 << EdgeMark.LISTED), "an attempt is enough"
    assert not MARKS.gates[EdgeGate.HANDSHAKE] >> EdgeMark.NEWS & 1, "nobody knows who began it"
    assert MARKS.gates[EdgeGate.HANDSHAKE | EdgeGate.INITIATOR_KNOWN] >> EdgeMark.NEWS & 1
    assert MARKS.direction[EdgeDirection.RESPONDS] >> EdgeMark.ACCEPTED & 1
    assert not MARKS.direction[EdgeDirection.ORIGINATES] >> EdgeMark.ACCEPTED & 1
    assert MARKS.verdict[Verdict.NONE, Scope.INTERNET] >> EdgeMark.STEERED & 1
    assert not MARKS.verdict[Verdict.NONE, Scope.SITE] >> EdgeMark.STEERED & 1
    named = 1 << EdgeMark.NEVER | 1 << EdgeMark.NEWS | 1 << EdgeMark.OUTSIDE
    assert not (MARKS.verdict[Verdict.DOES] & named).any()
    assert MARKS.role[ROLES.index("unknown")] >> EdgeMark.ODD_TRY & 1
    assert not MARKS.peer[len(ROLES)] >> EdgeMark.ASKED & 1, "a peer without a role is not clinical"
    ports = np.flatnonzero(MARKS.port >> EdgeMark.STEERED & 1).tolist()
    assert ports == [3389, 5900, 5901, 5902, 5903, 5938, 6568, 7070]
    assert MARKS.port[1000] == EVERY ^ (1 << EdgeMark.NAMED | 1 << EdgeMark.STEERED)
