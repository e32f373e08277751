"""Which numbers of a stream are stored or declared lost, as merged closed ranges: what acknowledgements are made of."""

import sqlite3
from collections.abc import Iterable

from agent.collector.records import Position, StreamKey
from agent.wire.delivery import ACK_RANGES_MAX

RANGES_MAX = 64  # ranges next to `upto` in one acknowledgement; others are told when a record of theirs arrives


def cover(connection: sqlite3.Connection, key: StreamKey, first: int, last: int) -> None:
    """Add first..last (both included) and merge it with what touches it."""
    where = (key.agent, key.run, key.stream)
    touching = connection.execute(
        "SELECT first, last FROM covered WHERE agent=? AND run=? AND stream=? AND first<=? ORDER BY first DESC LIMIT 1",
        (*where, first),
    ).fetchone()
    if touching is not None and touching[1] >= last:
        return
    if touching is not None and touching[1] >= first - 1:
        first = touching[0]
    end = connection.execute(
        "SELECT max(last) FROM covered WHERE agent=? AND run=? AND stream=? AND first BETWEEN ? AND ?",
        (*where, first, last + 1),
    ).fetchone()[0]
    connection.execute(
        "DELETE FROM covered WHERE agent=? AND run=? AND stream=? AND first BETWEEN ? AND ?", (*where, first, last + 1)
    )
    connection.execute("INSERT INTO covered VALUES (?,?,?,?,?)", (*where, first, max(last, end or last)))


def position(connection: sqlite3.Connection, key: StreamKey, arrived: Iterable[int] = ()) -> Position:
    """Where a stream stands: its unbroken beginning, the next ranges, and whatever ranges hold the `arrived` numbers.

    Findings overtake summaries, so after an outage hundreds of them lie beyond the front, each a range of its own. One
    that is stored and not in the answer is sent again and again, and keeps the next from being sent.
    """
    where = (key.agent, key.run, key.stream)
    rows = connection.execute(
        "SELECT first, last FROM covered WHERE agent=? AND run=? AND stream=? ORDER BY first LIMIT ?",
        (*where, RANGES_MAX + 1),
    ).fetchall()
    upto = rows[0][1] if rows and rows[0][0] == 1 else 0
    near = [(first, last) for first, last in rows if first > upto][:RANGES_MAX]
    seen = near[-1][1] if near else upto
    held = {found for seq in sorted(arrived) if seq > seen and (found := _range_of(connection, where, seq))}
    room = max(0, ACK_RANGES_MAX - len(held))
    return Position(key, upto, (*near[:room], *sorted(held)[:ACK_RANGES_MAX]))


def _range_of(connection: sqlite3.Connection, where: tuple[str, bytes, str], seq: int) -> tuple[int, int] | None:
    row = connection.execute(
        "SELECT first, last FROM covered WHERE agent=? AND run=? AND stream=? AND first<=? AND last>=? "
        "ORDER BY first DESC LIMIT 1",
        (*where, seq, seq),
    ).fetchone()
    return (row[0], row[1]) if row else None
