import sqlite3
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agent.collector.records import StreamKey
from agent.collector.store.covered import RANGES_MAX, cover, position
from agent.collector.store.database import open_writer
from agent.collector.store.migrations import RECORDS
from agent.wire.delivery import ACK_RANGES_MAX

KEY = StreamKey("ward", "tap-1", b"r" * 16, "sensor")


def memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statement in RECORDS:
        connection.execute(statement)
    return connection


def naive(numbers: set[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, the slow way."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=40))
def test_it_is_the_union_of_what_was_added(parts: list[tuple[int, int]]) -> None:
    with closing(memory()) as connection:
        seen: set[int] = set()
        for first, more in parts:
            cover(connection, KEY, first, first + more)
            seen.update(range(first, first + more + 1))
        runs = connection.execute("SELECT first, last FROM covered ORDER BY first").fetchall()
        assert runs == naive(seen)
        stands = position(connection, KEY)
        flat = set(range(1, stands.upto + 1)).union(*(range(a, b + 1) for a, b in stands.ranges))
        assert flat == seen


def test_streams_do_not_mix(tmp_path: Path) -> None:
    with closing(open_writer(tmp_path / "x.sqlite3")) as connection:
        cover(connection, KEY, 1, 5)
        assert position(connection, KEY._replace(stream="uplink")).upto == 0
        assert position(connection, KEY._replace(agent="tap-2")).upto == 0
        assert position(connection, KEY).upto == 5


def test_an_acknowledgement_names_a_bounded_number_of_ranges() -> None:
    with closing(memory()) as connection:
        for number in range(3, 1000, 2):
            cover(connection, KEY, number, number)
        assert len(position(connection, KEY).ranges) == RANGES_MAX
        cover(connection, KEY, 1, 1)
        assert position(connection, KEY).upto == 1
        assert len(position(connection, KEY).ranges) == RANGES_MAX


def test_what_just_arrived_is_named_however_far_beyond_the_front() -> None:
    """Three hundred findings overtook their summaries; the last ones of them arrived now, or came again."""
    with closing(memory()) as connection:
        numbers = range(5, 5 * 301, 5)
        for number in numbers:
            cover(connection, KEY, number, number)
        last = list(numbers)[-20:]
        told = position(connection, KEY, reversed(last)).ranges
        assert {(number, number) for number in last} <= set(told)
        assert list(told) == sorted(set(told))
        assert len(told) == RANGES_MAX + len(last)
        assert len(position(connection, KEY, numbers).ranges) == ACK_RANGES_MAX
        assert position(connection, KEY, [1_000_000]).ranges == position(connection, KEY).ranges
