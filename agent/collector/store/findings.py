"""Findings, folded: one cause, one row, over all taps and restarts; and the notice a new one leaves in the outbox."""

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from agent.collector.history import SENTENCES
from agent.collector.records import COUNT_MAX, Presence, Record
from agent.collector.store.outbox import request_notice
from agent.wire.finding import FindingRecord
from agent.wire.header import Header
from agent.wire.presence import Birth

SEVERITY_RANK = {"posture": 0, "health": 1, "review": 2, "page": 3}
SUPPRESSED_UNTIL = "suppressed-until"  # evidence of a finding that is held back from now on
SOURCE_AGENT, SOURCE_COLLECTOR = "tap", "collector"
Pairs = tuple[tuple[str, str | int], ...]


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
    """Fold one finding into its cause; a repeat counts up and never lowers a severity."""
    header = seen.header
    old = connection.execute(
        "SELECT number, rank, last_ns FROM findings WHERE site=? AND cause=? AND id=?",
        (header.site, finding.cause, finding.id),
    ).fetchone()
    number, rank, last_ns = old or (_insert(connection, finding, seen), -1, -1)
    new_rank = _rank(finding.severity)
    connection.execute(
        "INSERT INTO sightings VALUES (?,?,?,?,?,?) "
        "ON CONFLICT (finding, agent, run, stream, seq) DO UPDATE SET count=count+excluded.count",
        (number, header.agent, header.run, header.stream, header.seq, min(finding.count, COUNT_MAX)),
    )
    if old is not None:
        _fold(connection, number, finding)
        if new_rank > rank or (new_rank == rank and finding.last_ns >= last_ns):
            _tell_anew(connection, number, finding)
    told = finding.severity if new_rank >= rank else _severity(rank)
    if told in notices.severities and not _is_suppressed(finding):
        for route in notices.routes:
            request_notice(connection, route, number, seen.received_ns, new_rank > rank)


def enter_equivocation(
    connection: sqlite3.Connection, record: Record, against: Sequence[str], notices: Notices
) -> None:
    """The collector's own finding: an agent contradicts what it signed before."""
    seen = Sighting(record.header, record.received_ns, SOURCE_COLLECTOR)
    _contradiction(connection, seen, against, (("body", record.sha256.hex()),), notices)


def enter_two_at_once(connection: sqlite3.Connection, presence: Presence, birth: Birth, notices: Notices) -> None:
    """Two boxes with one key. A birth has no number: its time in its boot stands for one."""
    header = Header(
        agent=presence.agent, site=presence.site, stream="uplink", boot=birth.boot, run=birth.run, before_run=b"",
        before_seq=0, seq=birth.mono_ns, prev=bytes(32), mono_ns=birth.mono_ns, wall_ns=presence.received_ns,
        clock_state="none", clock_error_ns=-1,
    )  # fmt: skip
    seen = Sighting(header, presence.received_ns, SOURCE_COLLECTOR)
    _contradiction(connection, seen, ["two-at-once"], (("boot", birth.boot.hex()),), notices)


def _contradiction(
    connection: sqlite3.Connection, seen: Sighting, against: Sequence[str], more: Pairs, notices: Notices
) -> None:
    header = seen.header
    why = "; ".join(SENTENCES[token] for token in against)
    finding = FindingRecord(
        id="equivocation",
        severity="page",
        mac=b"",
        role="wardtap",
        tier="none",
        time_ns=seen.received_ns,
        first_ns=seen.received_ns,
        last_ns=seen.received_ns,
        count=1,
        text=f"The tap {header.agent} contradicts itself: {why}; its key or its storage may be in two places.",
        evidence=(
            ("contradiction", ", ".join(against)),
            ("stream", header.stream),
            ("run", header.run.hex()),
            ("record", header.seq),
            *more,
        ),
        attack=("T1565",),
        cause=f"equivocation/{header.agent}",
        expected="Every record of a tap has one number and follows from the one before it.",
        step="Compare the tap in the ward with its enrolment; replace its key if there may be a copy of it.",
    )
    enter_finding(connection, finding, seen, notices)


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


def _fold(connection: sqlite3.Connection, number: int, finding: FindingRecord) -> None:
    """A tap tells a cause's count since its run began: the highest of each run adds up; the collector's own add up."""
    connection.execute(
        """UPDATE findings SET first_ns=min(first_ns, ?), last_ns=max(last_ns, ?), count=(
             SELECT sum(n) FROM (SELECT CASE source WHEN ? THEN sum(s.count) ELSE max(s.count) END AS n
                                 FROM sightings s WHERE s.finding=findings.number GROUP BY s.agent, s.run))
           WHERE number=?""",
        (finding.first_ns, finding.last_ns, SOURCE_COLLECTOR, number),
    )


def _tell_anew(connection: sqlite3.Connection, number: int, finding: FindingRecord) -> None:
    """The graver, or else the newer, sentence is the one to read."""
    connection.execute(
        "UPDATE findings SET severity=?, rank=?, sentence=?, evidence=?, attack=?, expected=?, step=? WHERE number=?",
        (
            *(finding.severity, _rank(finding.severity), finding.text),
            *(json.dumps([list(pair) for pair in finding.evidence]), json.dumps(list(finding.attack))),
            *(finding.expected, finding.step, number),
        ),
    )


def _is_suppressed(finding: FindingRecord) -> bool:
    """Whether its tap says it for the last time, because somebody has explained it: nobody is called for that."""
    return any(name == SUPPRESSED_UNTIL for name, _ in finding.evidence)


def _severity(rank: int) -> str:
    return next(name for name, place in SEVERITY_RANK.items() if place == rank)


def _rank(severity: str) -> int:
    return SEVERITY_RANK.get(severity, SEVERITY_RANK["review"])
