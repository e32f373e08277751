"""A summary into devices, their interval rows, their edges and the tap's own figures.

Everything is keyed by (agent, run, seq) or accumulates inside the transaction that stores the record, so a record that
comes again changes nothing. Cards and rows may come in any order: numbers are joined to MACs when somebody looks.
"""

import json
import sqlite3
from collections.abc import Iterable

from agent.collector.records import COUNT_MAX, Record
from agent.wire.header import Header
from agent.wire.summary import Card, EdgeRow, Row, Summary


def _fit(counts: Iterable[int]) -> tuple[int, ...]:
    """Counts of a message may have 64 bits, SQLite's integers 63: a liar's numbers are cut, an honest one's never."""
    return tuple(min(count, COUNT_MAX) for count in counts)


def enter_summary(connection: sqlite3.Connection, record: Record, summary: Summary) -> None:
    """Everything that one summary says."""
    _interval(connection, record, summary)
    header, end_ns = record.header, summary.interval.end_ns
    for card in summary.cards:
        _card(connection, header, card)
    for row in summary.rows:
        _row(connection, header, row, end_ns)
    for edge in summary.edges:
        _edge(connection, header, edge, end_ns)


def _interval(connection: sqlite3.Connection, record: Record, summary: Summary) -> None:
    header, legs = record.header, summary.legs
    counted = [(leg.frames, leg.octets, leg.dropped, leg.frozen, leg.tx_packets) for leg in legs]
    columns = zip(*counted, strict=True) if counted else [(0,)] * 5
    values = (
        *(header.agent, header.run, header.seq),
        *(summary.interval.start_ns, summary.interval.end_ns, summary.interval.part),
        *_fit(
            (
                summary.interval.empty_before,
                *(sum(column) for column in columns),
                *(sum(summary.ignored.values()), summary.duplicates, summary.truncated, summary.processed),
                *(summary.flows_exported, summary.flows_evicted, len(summary.rows), len(record.envelope)),
            )
        ),
        json.dumps([[leg.name, leg.frames, leg.octets, leg.dropped, leg.frozen, leg.tx_packets] for leg in legs]),
        *(json.dumps(summary.ignored), json.dumps(summary.health), record.received_ns),
    )
    connection.execute("INSERT INTO intervals VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values)


def _card(connection: sqlite3.Connection, header: Header, card: Card) -> None:
    connection.execute(
        "INSERT INTO cards VALUES (?,?,?,?,?,?) ON CONFLICT (agent, run, number) "
        "DO UPDATE SET seq=excluded.seq, site=excluded.site, mac=excluded.mac WHERE excluded.seq > seq",
        (header.agent, header.run, card.number, header.seq, header.site, card.mac),
    )
    # The newest card wins: inside a run by number, across runs and taps by when the device was last heard.
    connection.execute(
        """INSERT INTO devices VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (site, mac) DO UPDATE SET
            vlan=excluded.vlan, role=excluded.role, confidence=excluded.confidence, vendor=excluded.vendor,
            model=excluded.model, os=excluded.os, addresses=excluded.addresses, names=excluded.names,
            evidence=excluded.evidence, first_ns=min(first_ns, excluded.first_ns),
            last_ns=max(last_ns, excluded.last_ns),
            agent=excluded.agent, run=excluded.run, seq=excluded.seq
            WHERE CASE WHEN run = excluded.run THEN excluded.seq > seq ELSE excluded.last_ns >= last_ns END""",
        (
            *(header.site, card.mac, card.vlan, card.role, card.confidence_permille, card.vendor, card.model, card.os),
            json.dumps([address.hex() for address in card.addresses]),
            *(json.dumps(card.names), json.dumps([list(item) for item in card.evidence])),
            *(card.first_ns, card.last_ns, header.agent, header.run, header.seq),
        ),
    )


def _row(connection: sqlite3.Connection, header: Header, row: Row, end_ns: int) -> None:
    who = (header.agent, header.run, row.number)
    *counts, peers = _fit(row[1:])
    connection.execute(
        "INSERT OR IGNORE INTO device_rows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (*who, header.seq, end_ns, *counts, peers),
    )
    connection.execute(
        """INSERT INTO device_totals VALUES (?,?,?,1,?,?,?,?,?,?,?,?,?) ON CONFLICT (agent, run, number) DO UPDATE SET
            intervals=intervals+1, tx_packets=tx_packets+excluded.tx_packets, rx_packets=rx_packets+excluded.rx_packets,
            tx_octets=tx_octets+excluded.tx_octets, rx_octets=rx_octets+excluded.rx_octets,
            started=started+excluded.started, answered=answered+excluded.answered, failed=failed+excluded.failed,
            accepted=accepted+excluded.accepted, last_ns=max(last_ns, excluded.last_ns)""",
        (*who, *counts, end_ns),
    )


def _edge(connection: sqlite3.Connection, header: Header, edge: EdgeRow, end_ns: int) -> None:
    """A tap counts an edge since it first saw it in this run: the highest is the newest, whatever comes first."""
    connection.execute(
        """INSERT INTO edges VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            ON CONFLICT (agent, run, number, direction, protocol, port, peer_number, peer_address) DO UPDATE SET
            flows=max(flows, excluded.flows), packets_out=max(packets_out, excluded.packets_out),
            packets_in=max(packets_in, excluded.packets_in), octets_out=max(octets_out, excluded.octets_out),
            octets_in=max(octets_in, excluded.octets_in), application=excluded.application,
            first_ns=min(first_ns, excluded.first_ns), last_ns=max(last_ns, excluded.last_ns)""",
        (
            *(header.agent, header.run, edge.number, edge.direction, edge.protocol, edge.port),
            *(edge.peer_number, edge.peer_address, edge.scope, edge.application),
            *_fit(edge[8:]),
            *(end_ns, end_ns),
        ),
    )
