"""Which numbers of a stream are stored or declared lost, as merged closed ranges: what acknowledgements are made of."""

import sqlite3

from agent.collector.records import Position, StreamKey

RANGES_MAX = 64  # ranges beyond `upto` in one acknowledgement; the rest is told when the front has moved


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


def position(connection: sqlite3.Connection, key: StreamKey) -> Position:
    """Where a stream stands."""
    rows = connection.execute(
        "SELECT first, last FROM covered WHERE agent=? AND run=? AND stream=? ORDER BY first LIMIT ?",
        (key.agent, key.run, key.stream, RANGES_MAX + 1),
    ).fetchall()
    if rows and rows[0][0] == 1:
        return Position(key, rows[0][1], tuple((first, last) for first, last in rows[1:]))
    return Position(key, 0, tuple((first, last) for first, last in rows[:RANGES_MAX]))
