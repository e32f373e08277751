"""Findings, folded: one cause, one row, over all taps and restarts; and the notice that each new one puts in the outbox."""

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from agent.collector.history import SENTENCES
from agent.collector.records import COUNT_MAX, Record
from agent.collector.store.outbox import request_notice
from agent.wire.finding import FindingRecord
from agent.wire.header import Header

SEVERITY_RANK = {"posture": 0, "health": 1, "review": 2, "page": 3}
SOURCE_AGENT, SOURCE_COLLECTOR = "tap", "collector"


class Notices(NamedTuple):
    """Who is told, and from which severity on."""

    routes: tuple[str, ...] = ()
    severities: frozenset[str] = frozenset({"page"})


class Sighting(NamedTuple):
    """Which record said it."""

    header: Header
    received_ns: int
    source: str


def enter_finding(connection: sqlite3.Connection, finding: FindingRecord, seen: Sighting, notices: Notices) -> None:
    """Fold one finding into its cause; a repeat adds to the count and never lowers a severity."""
    header = seen.header
    old = connection.execute(
        "SELECT number, severity FROM findings WHERE site=? AND cause=? AND id=?",
        (header.site, finding.cause, finding.id),
    ).fetchone()
    raised = old is None or _rank(finding.severity) > _rank(old[1])
    number = _insert(connection, finding, seen) if old is None else old[0]
    if old is not None:
        _fold(connection, number, finding, raised)
    connection.execute(
        "INSERT OR IGNORE INTO sightings VALUES (?,?,?,?,?,?)",
        (number, header.agent, header.run, header.stream, header.seq, min(finding.count, COUNT_MAX)),
    )
    severity = finding.severity if raised or old is None else old[1]
    if severity in notices.severities:
        for route in notices.routes:
            request_notice(connection, route, number, seen.received_ns, raised)


def enter_equivocation(
    connection: sqlite3.Connection, record: Record, against: Sequence[str], notices: Notices
) -> None:
    """The collector's own finding: an agent contradicts what it signed before."""
    header = record.header
    why = "; ".join(SENTENCES[token] for token in against)
    finding = FindingRecord(
        id="equivocation",
        severity="page",
        mac=b"",
        role="wardtap",
        tier="none",
        time_ns=record.received_ns,
        first_ns=record.received_ns,
        last_ns=record.received_ns,
        count=1,
        text=f"The tap {header.agent} contradicts itself: {why}; its key or its storage may be in two places.",
        evidence=(
            ("contradiction", ", ".join(against)),
            ("stream", header.stream),
            ("run", header.run.hex()),
            ("record", header.seq),
            ("body", record.sha256.hex()),
        ),
        attack=("T1565",),
        cause=f"equivocation/{header.agent}",
        expected="Every record of a tap has one number and follows from the one before it.",
        step="Compare the tap in the ward with its enrolment; replace its key if there may be a copy of it.",
    )
    enter_finding(connection, finding, Sighting(header, record.received_ns, SOURCE_COLLECTOR), notices)


def _insert(connection: sqlite3.Connection, finding: FindingRecord, seen: Sighting) -> int:
    values = (
        *(seen.header.site, finding.cause, finding.id, finding.severity, _rank(finding.severity)),
        *(finding.mac, finding.role, finding.tier),
        *(finding.first_ns, finding.last_ns, min(finding.count, COUNT_MAX), finding.text),
        *(json.dumps([list(pair) for pair in finding.evidence]), json.dumps(list(finding.attack))),
        *(finding.expected, finding.step, seen.source, seen.received_ns),
    )
    row = connection.execute("INSERT INTO findings VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values)
    assert row.lastrowid is not None
    return row.lastrowid


def _fold(connection: sqlite3.Connection, number: int, finding: FindingRecord, raised: bool) -> None:
    connection.execute(
        "UPDATE findings SET count=count+?, first_ns=min(first_ns, ?), last_ns=max(last_ns, ?) WHERE number=?",
        (min(finding.count, COUNT_MAX), finding.first_ns, finding.last_ns, number),
    )
    if raised:  # the sentence of the graver one is the one to read
        connection.execute(
            "UPDATE findings SET severity=?, rank=?, sentence=?, evidence=?, step=? WHERE number=?",
            (
                *(
                    finding.severity,
                    _rank(finding.severity),
                    finding.text,
                    json.dumps([list(pair) for pair in finding.evidence]),
                ),
                *(finding.step, number),
            ),
        )


def _rank(severity: str) -> int:
    return SEVERITY_RANK.get(severity, SEVERITY_RANK["review"])
