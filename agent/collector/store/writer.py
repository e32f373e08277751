"""The one who writes: a batch of records, and everything that follows from them, in one transaction.

When `commit` returns, the batch is on the disk (fsync); when it raises StateError, nothing of it is. The caller
acknowledges in the first case only, and may offer the same batch again in the second.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from agent.collector.records import Batch, Committed, Outcome, Position, Presence, Record, Refusal, StreamKey
from agent.collector.store.audit_heads import enter_head
from agent.collector.store.covered import position
from agent.collector.store.database import FILE_NAME, open_writer, transaction
from agent.collector.store.findings import (
    SOURCE_AGENT,
    Notices,
    Sighting,
    enter_equivocation,
    enter_finding,
    enter_two_at_once,
)
from agent.collector.store.inventory import enter_summary
from agent.collector.store.ledger import enter, stream_key
from agent.collector.store.losses import enter_gap
from agent.collector.store.presence import enter_presence
from agent.collector.turns import Turns
from agent.wire.delivery import Gap
from agent.wire.finding import FindingRecord
from agent.wire.presence import Birth
from agent.wire.summary import Summary

EPOCHS_KEPT = 20_000  # two weeks at one a minute: longer than a spool holds


class Store:
    """The collector's file, opened for writing."""

    def __init__(self, connection: sqlite3.Connection, notices: Notices) -> None:
        self._connection, self._notices = connection, notices
        self._turns = Turns()

    @classmethod
    def open(cls, state: Path, notices: Notices | None = None) -> "Store":
        """The store in a state directory, made when absent; StateError when it cannot be used."""
        return cls(open_writer(state / FILE_NAME), notices or Notices())

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def commit(self, batch: Batch) -> Committed:
        """Store a batch for good; StateError, and nothing stored, when that is not possible."""
        with transaction(self._connection) as connection:
            outcomes = tuple(self._record(record) for record in batch.records)
            for presence in batch.presences:
                self._presence(presence)
            _count_refusals(connection, batch.refusals)
            _count(connection, batch.counts + Counter(f"records-{outcome}" for outcome in outcomes))
            _count(connection, _unread(batch.records, outcomes))
            positions = tuple(position(connection, *each) for each in _streams(batch.records).items())
        return Committed(outcomes, positions)

    def positions(self) -> tuple[Position, ...]:
        """Where every stream stands that has anything stored."""
        keys = self._connection.execute("SELECT site, agent, run, stream FROM runs").fetchall()
        return tuple(position(self._connection, StreamKey(*key)) for key in keys)

    def add_epoch(self, wall_ns: int, epoch: bytes) -> None:
        """Remember which bell was rung when; a record that echoes it was made after that."""
        with transaction(self._connection) as connection:
            connection.execute("INSERT OR REPLACE INTO epochs VALUES (?,?)", (wall_ns, epoch))
            connection.execute(
                "DELETE FROM epochs WHERE wall_ns NOT IN (SELECT wall_ns FROM epochs ORDER BY wall_ns DESC LIMIT ?)",
                (EPOCHS_KEPT,),
            )

    def _presence(self, presence: Presence) -> None:
        enter_presence(self._connection, presence)
        birth = presence.content
        if isinstance(birth, Birth) and self._turns.born(presence.site, birth, presence.received_ns):
            enter_two_at_once(self._connection, presence, birth, self._notices)

    def _record(self, record: Record) -> Outcome:
        connection = self._connection
        outcome, against = enter(connection, record)
        if against:
            enter_equivocation(connection, record, against, self._notices)
        if outcome is not Outcome.STORED:
            return outcome
        _count_size(connection, record)
        match record.meaning:
            case Summary():
                enter_summary(connection, record, record.meaning)
                enter_head(connection, record, record.meaning, self._notices)
            case FindingRecord():
                seen = Sighting(record.header, record.received_ns, SOURCE_AGENT)
                enter_finding(connection, record.meaning, seen, self._notices)
            case Gap():
                enter_gap(connection, record, record.meaning, self._notices)
        return outcome


def _streams(records: Iterable[Record]) -> dict[StreamKey, list[int]]:
    """The streams of a batch, each with the numbers that arrived."""
    keys: dict[StreamKey, list[int]] = {}
    for record in records:
        keys.setdefault(stream_key(record.header), []).append(record.header.seq)
        if isinstance(record.meaning, Gap):
            gap = record.meaning
            keys.setdefault(StreamKey(record.header.site, record.header.agent, gap.run, gap.stream), [])
    return keys


def _unread(records: Iterable[Record], outcomes: Iterable[Outcome]) -> Counter[str]:
    """Why what was stored opaque was not understood."""
    judged = zip(records, outcomes, strict=True)
    return Counter(f"unread-{one.unread}" for one, outcome in judged if one.unread and outcome is Outcome.STORED)


def _count_size(connection: sqlite3.Connection, record: Record) -> None:
    sealed = len(record.envelope)
    connection.execute(
        """INSERT INTO sizes VALUES (?,?,1,?,?,?) ON CONFLICT (agent, type) DO UPDATE SET messages=messages+1,
           sealed_octets=sealed_octets+excluded.sealed_octets, body_octets=body_octets+excluded.body_octets,
           largest=max(largest, excluded.largest)""",
        (record.header.agent, record.type, sealed, record.body_octets, sealed),
    )


def _count_refusals(connection: sqlite3.Connection, refusals: Iterable[Refusal]) -> None:
    for refusal in refusals:
        connection.execute(
            "INSERT INTO refusals VALUES (?,?,1,?) "
            "ON CONFLICT (reason, agent) DO UPDATE SET count=count+1, last_ns=excluded.last_ns",
            refusal,
        )


def _count(connection: sqlite3.Connection, counts: Counter[str]) -> None:
    for name, value in counts.items():
        connection.execute(
            "INSERT INTO counters VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=value+excluded.value",
            (name, value),
        )


__all__ = ["Notices", "Store"]
