"""One record into the tables of records and runs: written once, compared with what the agent signed before."""

import sqlite3

from agent.collector.history import Known, contradictions
from agent.collector.records import Outcome, Record, StreamKey
from agent.collector.store.covered import cover
from agent.wire.header import Header

CONFLICTS_PER_AGENT_MAX = 1_000  # a stolen key can sign for ever: what is kept as proof is bounded, the count is not


def stream_key(header: Header) -> StreamKey:
    """The stream a header belongs to."""
    return StreamKey(header.site, header.agent, header.run, header.stream)


def enter(connection: sqlite3.Connection, record: Record) -> tuple[Outcome, list[str]]:
    """What became of the record, and what it contradicts (tokens of `history`)."""
    header = record.header
    known = _known(connection, header)
    against = contradictions(header, record.sha256, known)
    if known.stored_sha256 is not None:
        if not against:
            return Outcome.DUPLICATE, []
        fresh = _keep_conflict(connection, record)
        return Outcome.CONFLICT, against if fresh else []
    envelope_id = connection.execute("INSERT INTO envelopes (octets) VALUES (?)", (record.envelope,)).lastrowid
    connection.execute(
        "INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            *(
                header.agent,
                header.run,
                header.stream,
                header.seq,
                header.site,
                record.type,
                record.sha256,
                header.prev,
            ),
            *(record.received_ns, int(record.meaning is None), envelope_id),
        ),
    )
    _extend_run(connection, record)
    cover(connection, stream_key(header), header.seq, header.seq)
    return Outcome.STORED, against


def _keep_conflict(connection: sqlite3.Connection, record: Record) -> bool:
    header = record.header
    where = (header.agent, header.run, header.stream, header.seq, record.sha256)
    kept = connection.execute("SELECT count(*) FROM conflicts WHERE agent=?", (header.agent,)).fetchone()[0]
    seen = connection.execute(
        "SELECT 1 FROM conflicts WHERE agent=? AND run=? AND stream=? AND seq=? AND sha256=?", where
    ).fetchone()
    if seen is not None:
        return False
    if kept < CONFLICTS_PER_AGENT_MAX:
        envelope_id = connection.execute("INSERT INTO envelopes (octets) VALUES (?)", (record.envelope,)).lastrowid
        connection.execute("INSERT INTO conflicts VALUES (?,?,?,?,?,?,?)", (*where, record.received_ns, envelope_id))
    return True


def _extend_run(connection: sqlite3.Connection, record: Record) -> None:
    header = record.header
    connection.execute(
        "INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,1,?) ON CONFLICT (agent, stream, run) DO UPDATE SET "
        "seq_max=max(seq_max, excluded.seq_max), stored=stored+1, opaque=opaque+excluded.opaque",
        (
            *(header.agent, header.stream, header.run, header.site, header.boot),
            *(header.before_run, header.before_seq, header.seq, record.received_ns, int(record.meaning is None)),
        ),
    )


def _known(connection: sqlite3.Connection, header: Header) -> Known:
    """The few rows around a record; each is one B-tree walk."""
    stream = (header.agent, header.run, header.stream)
    near = {
        seq: (sha256, prev)
        for seq, sha256, prev in connection.execute(
            "SELECT seq, sha256, prev FROM records WHERE agent=? AND run=? AND stream=? AND seq BETWEEN ? AND ?",
            (*stream, header.seq - 1, header.seq + 1),
        )
    }
    run = connection.execute(
        "SELECT before_run, before_seq FROM runs WHERE agent=? AND stream=? AND run=?",
        (header.agent, header.stream, header.run),
    ).fetchone()
    siblings, predecessor = 0, None
    if header.before_run and run is None:  # asked once per run: its later records change nothing about it
        siblings = connection.execute(
            "SELECT count(*) FROM runs WHERE agent=? AND stream=? AND before_run=?",
            (header.agent, header.stream, header.before_run),
        ).fetchone()[0]
        predecessor = connection.execute(
            "SELECT seq_max FROM runs WHERE agent=? AND stream=? AND run=?",
            (header.agent, header.stream, header.before_run),
        ).fetchone()
    successor = connection.execute(
        "SELECT min(before_seq) FROM runs WHERE agent=? AND stream=? AND before_run=?",
        (header.agent, header.stream, header.run),
    ).fetchone()
    return Known(
        stored_sha256=near[header.seq][0] if header.seq in near else None,
        previous_sha256=near[header.seq - 1][0] if header.seq - 1 in near else None,
        next_prev=near[header.seq + 1][1] if header.seq + 1 in near else None,
        run_before=run,
        siblings=siblings,
        successor_before_seq=successor[0],
        predecessor_max_seq=predecessor[0] if predecessor else None,
    )
