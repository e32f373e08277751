"""The heads of a tap's audit log, as its summaries report them, and whether the log goes on from what was reported.

A log only grows: one number has one hash, and what a later summary of a run (or of the run after it) reports is never
older than what an earlier one did. A log that was cut, replaced or written again breaks that, however good its own
chain is. Records come in any order, so each head is compared with those before and behind it.
"""

import re
import sqlite3

from agent.collector.records import Record
from agent.collector.store.findings import Notices, enter_equivocation
from agent.wire.summary import Summary

FIELD = "audit"
HEAD = re.compile(r"([1-9][0-9]{0,14}) ([0-9a-f]{32})")  # number, first half of the line's hash
HEADS_KEPT = 10_000  # of one run: at one decision a minute a week
_HERE = "site=? AND agent=?"


def enter_head(connection: sqlite3.Connection, record: Record, summary: Summary, notices: Notices) -> None:
    """Keep the head that a summary reports; a log that does not go on is the collector's own finding."""
    told = HEAD.fullmatch(str(summary.health.get(FIELD, "")))
    if told is None:
        return
    number, head = int(told[1]), bytes.fromhex(told[2])
    if _breaks(connection, record, number, head):
        enter_equivocation(connection, record, ["audit-log"], notices)
        return
    header = record.header
    connection.execute(
        "INSERT INTO audit_heads VALUES (?,?,?,?,?,?,?) ON CONFLICT (site, agent, run, number) DO UPDATE SET "
        "first_seq=min(first_seq, excluded.first_seq), last_seq=max(last_seq, excluded.last_seq)",
        (header.site, header.agent, header.run, number, head, header.seq, header.seq),
    )
    connection.execute(
        f"DELETE FROM audit_heads WHERE {_HERE} AND run=? AND number <= ?",  # noqa: S608 - a constant
        (header.site, header.agent, header.run, number - HEADS_KEPT),
    )


def _breaks(connection: sqlite3.Connection, record: Record, number: int, head: bytes) -> bool:
    header = record.header
    here = (header.site, header.agent)
    questions = (
        ("number=? AND head<>?", (number, head)),
        ("run=? AND first_seq<? AND number>?", (header.run, header.seq, number)),
        ("run=? AND last_seq>? AND number<?", (header.run, header.seq, number)),
        ("run=? AND number>?", (header.before_run, number)),
        (
            "run IN (SELECT r.run FROM runs r WHERE r.agent=? AND r.stream=? AND r.before_run=?) AND number<?",
            (header.agent, header.stream, header.run, number),
        ),
    )
    return any(
        connection.execute(f"SELECT 1 FROM audit_heads WHERE {_HERE} AND {what} LIMIT 1", here + given).fetchone()  # noqa: S608
        for what, given in questions
    )
