import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector.store.database import FILE_NAME
from agent.collector.store.outbox import Outbox, RouteState
from agent.errors import StateError
from tests.collector.conftest import Deliver
from tests.simulators.reporter import START_NS, Reporter

LATER = START_NS + 10**12


@pytest.fixture
def box(store: object, tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox.open(tmp_path)
    yield opened
    opened.close()


def test_what_is_sent_is_no_longer_due_until_it_happens_again(tap: Reporter, deliver: Deliver, box: Outbox) -> None:
    deliver(tap.finding())
    (due,) = box.due("webhook", LATER, 0)
    assert (due.id, due.repeats, due.sent_count) == ("internet-contact", 1, 0)
    box.mark_sent("webhook", [due], LATER)
    assert box.due("webhook", LATER, LATER) == []
    deliver(tap.finding(count=2))
    assert box.due("webhook", LATER, LATER - 1) == []  # told not long enough ago
    (again,) = box.due("webhook", LATER, LATER)
    assert (again.repeats, again.sent_count) == (2, 1)


def test_what_came_while_a_message_was_under_way_is_still_due(tap: Reporter, deliver: Deliver, box: Outbox) -> None:
    deliver(tap.finding())
    (due,) = box.due("webhook", LATER, 0)
    deliver(tap.finding(count=2))
    box.mark_sent("webhook", [due], LATER)
    assert len(box.due("webhook", LATER, LATER)) == 1


def test_routes_are_apart(tap: Reporter, deliver: Deliver, box: Outbox) -> None:
    deliver(tap.finding())
    assert box.due("mail", LATER, 0) == []
    box.mark_failed("mail", "down", 3, 99)
    assert box.route_state("mail") == RouteState(3, 99, "down", 0)
    assert box.route_state("webhook") == RouteState(0, 0, "", 0)
    box.mark_sent("webhook", box.due("webhook", LATER, 0), LATER)
    assert (box.sent_since("webhook", LATER - 1), box.sent_since("webhook", LATER), box.sent_since("mail", 0)) == (
        1,
        0,
        0,
    )


def test_a_locked_outbox_is_a_state_error_and_changes_nothing(
    tap: Reporter, deliver: Deliver, box: Outbox, tmp_path: Path
) -> None:
    deliver(tap.finding())
    due = box.due("webhook", LATER, 0)
    box._connection.execute("PRAGMA busy_timeout=50")
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError):
            box.mark_sent("webhook", due, LATER)
        other.execute("ROLLBACK")
    assert box.due("webhook", LATER, 0) == due


def test_a_damaged_outbox_is_a_state_error(box: Outbox) -> None:
    box._connection.execute("DROP TABLE deliveries")
    with pytest.raises(StateError):
        box.sent_since("webhook", 0)
