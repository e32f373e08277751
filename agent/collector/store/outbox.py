"""Who must still be told what: a table, so that neither a receiver that is down nor a restart loses a notice.

A notice is one row per (route, finding). `pending_since_ns` is set in the transaction that stored the finding, and
cleared in the one after the receiver took it; `version` counts the requests, so one that comes while a message is under
way stays.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agent.collector.store.database import FILE_NAME, open_writer, transaction
from agent.errors import StateError

DUE = """SELECT f.number, n.version, n.sent_count, f.id, f.severity, f.site, f.mac, f.role, f.count, f.first_ns,
    f.last_ns, f.sentence, f.evidence, f.step, f.cause
    FROM notices n JOIN findings f ON f.number = n.finding
    WHERE n.route=? AND n.pending_since_ns IS NOT NULL
      AND CASE WHEN n.urgent OR n.sent_ns IS NULL THEN n.pending_since_ns <= ? ELSE n.sent_ns <= ? END
    ORDER BY n.pending_since_ns, n.finding"""
SENT = """UPDATE notices SET sent_ns=?, sent_count=sent_count+1, urgent=CASE WHEN version=? THEN 0 ELSE urgent END,
    pending_since_ns=CASE WHEN version=? THEN NULL ELSE pending_since_ns END WHERE route=? AND finding=?"""


class Due(NamedTuple):
    """A finding that a route must be told about."""

    finding: int
    version: int
    sent_count: int  # messages about it so far
    id: str
    severity: str
    site: str
    mac: bytes
    role: str
    repeats: int
    first_ns: int
    last_ns: int
    sentence: str
    evidence: str  # JSON list of [name, value]
    step: str
    cause: str


class RouteState(NamedTuple):
    """How a route is doing."""

    attempts: int
    next_try_ns: int
    last_error: str
    sent: int


def request_notice(connection: sqlite3.Connection, route: str, finding: int, now_ns: int, urgent: bool) -> None:
    """Inside the ingest transaction: this route must hear of it (`urgent`: new, or graver than before)."""
    connection.execute(
        """INSERT INTO notices (route, finding, pending_since_ns, urgent, version) VALUES (?,?,?,?,1)
            ON CONFLICT (route, finding) DO UPDATE SET
            pending_since_ns=coalesce(pending_since_ns, excluded.pending_since_ns),
            urgent=max(urgent, excluded.urgent), version=version+1""",
        (route, finding, now_ns, int(urgent)),
    )


class Outbox:
    """The courier's own connection to the outbox; StateError whenever SQLite will not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, state: Path) -> "Outbox":
        """The outbox in a state directory."""
        return cls(open_writer(state / FILE_NAME))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def due(self, route: str, waited_before_ns: int, repeat_before_ns: int) -> list[Due]:
        """Notices whose group wait (new or graver) or repeat interval (already told) is over; oldest first."""
        return [Due(*row) for row in self._ask(DUE, (route, waited_before_ns, repeat_before_ns))]

    def sent_since(self, route: str, since_ns: int) -> int:
        """Messages this route took after `since_ns`."""
        return int(self._ask("SELECT count(*) FROM deliveries WHERE route=? AND sent_ns>?", (route, since_ns))[0][0])

    def route_state(self, route: str) -> RouteState:
        """How a route is doing; all zero before its first message."""
        rows = self._ask("SELECT attempts, next_try_ns, last_error, sent FROM routes WHERE route=?", (route,))
        return RouteState(*rows[0]) if rows else RouteState(0, 0, "", 0)

    def mark_sent(self, route: str, notices: Sequence[Due], now_ns: int) -> None:
        """The receiver has taken one message with these notices."""
        with transaction(self._connection) as connection:
            for notice in notices:
                connection.execute(SENT, (now_ns, notice.version, notice.version, route, notice.finding))
            connection.execute("INSERT INTO deliveries VALUES (NULL,?,?,?)", (route, now_ns, len(notices)))
            connection.execute(
                """INSERT INTO routes (route, sent) VALUES (?,1)
                   ON CONFLICT (route) DO UPDATE SET attempts=0, next_try_ns=0, last_error='', sent=sent+1""",
                (route,),
            )

    def mark_failed(self, route: str, error: str, attempts: int, next_try_ns: int) -> None:
        """The receiver did not take it; it stays pending."""
        with transaction(self._connection) as connection:
            connection.execute(
                """INSERT INTO routes (route, attempts, next_try_ns, last_error) VALUES (?,?,?,?)
                   ON CONFLICT (route) DO UPDATE SET attempts=excluded.attempts, next_try_ns=excluded.next_try_ns,
                   last_error=excluded.last_error""",
                (route, attempts, next_try_ns, error),
            )

    def _ask(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise StateError(str(error), where="collector database") from error
