"""What an agent says it had to discard: settled, because it will never come, and told as `spool-loss`."""

import sqlite3
from collections import Counter

from agent.collector.records import COUNT_MAX, SEQ_MAX, Record, StreamKey
from agent.collector.store.covered import cover
from agent.collector.store.findings import SOURCE_COLLECTOR, Notices, Sighting, enter_finding
from agent.wire.delivery import Gap
from agent.wire.finding import FindingRecord

_WORDS = {"finding": "findings", "summary": "summaries"}  # of the wire's classes; the rest is not known


def enter_gap(connection: sqlite3.Connection, record: Record, gap: Gap, notices: Notices) -> None:
    """Enter the ranges of a gap; what is neither stored nor declared already is a loss, and somebody should know."""
    header = record.header
    key = StreamKey(header.site, header.agent, gap.run, gap.stream)
    lost: Counter[str] = Counter()
    reasons: dict[str, None] = {}
    for first, last, kind, reason in gap.ranges:
        if not first <= last < SEQ_MAX:  # the number behind the last one must be one that the store can hold
            continue
        connection.execute(
            "INSERT OR IGNORE INTO gaps VALUES (?,?,?,?,?,?,?,?)",
            (key.agent, key.run, key.stream, first, last, kind, reason, record.received_ns),
        )
        new = _not_settled(connection, key, first, last)
        cover(connection, key, first, last)
        if new:
            lost[_WORDS.get(kind, "records of an unknown kind")] += new
            reasons[reason] = None
    if lost:
        enter_finding(
            connection,
            _finding(record, gap, lost, list(reasons)),
            Sighting(header, record.received_ns, SOURCE_COLLECTOR),
            notices,
        )


def _not_settled(connection: sqlite3.Connection, key: StreamKey, first: int, last: int) -> int:
    """How many of first..last are neither stored nor declared lost."""
    (settled,) = connection.execute(
        "SELECT coalesce(sum(min(last, ?) - max(first, ?) + 1), 0) FROM covered "
        "WHERE agent=? AND run=? AND stream=? AND first<=? AND last>=?",
        (last, first, key.agent, key.run, key.stream, last, first),
    ).fetchone()
    return min(last - first + 1 - int(settled), COUNT_MAX)


def _finding(record: Record, gap: Gap, lost: Counter[str], reasons: list[str]) -> FindingRecord:
    """The collector's own finding: what this tap saw and nobody will read."""
    total, what = min(lost.total(), COUNT_MAX), ", ".join(f"{count} {word}" for word, count in sorted(lost.items()))
    return FindingRecord(
        id="spool-loss",
        severity="health",
        mac=b"",
        role="wardtap",
        tier="none",
        time_ns=record.received_ns,
        first_ns=record.received_ns,
        last_ns=record.received_ns,
        count=total,
        text=f"The tap {record.header.agent} lost what it had to report before it could be delivered: {what}.",
        evidence=(
            ("lost", total),
            ("reasons", ", ".join(reasons)),
            ("stream", gap.stream),
            ("run", gap.run.hex()),
        ),
        attack=(),
        cause=f"spool-loss/{record.header.agent}",
        expected="A tap keeps what it reports for days, and loses nothing while its storage works.",
        step="Look how long this tap was without a link and how full its storage was; if it was neither, have its "
        "storage replaced.",
    )
