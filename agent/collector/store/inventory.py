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

NS_PER_MS = 1_000_000
MINUTE_MS = 60_000  # a shorter interval counts as one: octets per device and minute are never flattered
REASONS_MAX, OTHER_REASON = 64, "other"
# Losses and transmissions are counted by a leg since takeover: the highest of a run stands for all of it.
ADD_TOTALS = """INSERT INTO run_totals VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
    ON CONFLICT (site, agent, run) DO UPDATE SET summaries=summaries+excluded.summaries,
    frames=frames+excluded.frames, octets=octets+excluded.octets, ignored=ignored+excluded.ignored,
    duplicates=duplicates+excluded.duplicates, truncated=truncated+excluded.truncated,
    processed=processed+excluded.processed, flows_exported=flows_exported+excluded.flows_exported,
    flows_evicted=flows_evicted+excluded.flows_evicted, dropped=max(dropped, excluded.dropped),
    frozen=max(frozen, excluded.frozen), tx_packets=max(tx_packets, excluded.tx_packets),
    sealed_octets=sealed_octets+excluded.sealed_octets, device_ms=device_ms+excluded.device_ms,
    last_seq=CASE WHEN excluded.last_ns >= last_ns THEN excluded.last_seq ELSE last_seq END,
    last_ns=max(last_ns, excluded.last_ns)"""

ADD_TO_DEVICE = """INSERT INTO device_totals VALUES (?,?,?,1,?,?,?,?,?,?,?,?,?)
    ON CONFLICT (agent, run, number) DO UPDATE SET
    intervals=intervals+1, tx_packets=tx_packets+excluded.tx_packets, rx_packets=rx_packets+excluded.rx_packets,
    tx_octets=tx_octets+excluded.tx_octets, rx_octets=rx_octets+excluded.rx_octets,
    started=started+excluded.started, answered=answered+excluded.answered, failed=failed+excluded.failed,
    accepted=accepted+excluded.accepted, last_ns=max(last_ns, excluded.last_ns)"""
ADD_TO_EDGE = """INSERT INTO edges VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
    ON CONFLICT (agent, run, number, direction, protocol, port, peer_number, peer_address) DO UPDATE SET
    flows=min(flows+excluded.flows, ?), packets_out=min(packets_out+excluded.packets_out, ?),
    packets_in=min(packets_in+excluded.packets_in, ?), octets_out=min(octets_out+excluded.octets_out, ?),
    octets_in=min(octets_in+excluded.octets_in, ?), application=excluded.application,
    first_ns=min(first_ns, excluded.first_ns), last_ns=max(last_ns, excluded.last_ns)"""


def _fit(counts: Iterable[int]) -> tuple[int, ...]:
    """A liar's numbers are cut before their sums overflow SQLite's 63 bits; an honest one's never are."""
    told = tuple(counts)
    return told if max(told) <= COUNT_MAX else tuple(min(count, COUNT_MAX) for count in told)


def enter_summary(connection: sqlite3.Connection, record: Record, summary: Summary) -> None:
    """Everything that one summary says."""
    _interval(connection, record, summary)
    header, end_ns = record.header, summary.interval.end_ns
    for card in summary.cards:
        _card(connection, header, card)
    _rows(connection, header, summary.rows, end_ns)
    _edges(connection, header, summary.edges, end_ns)


def _interval(connection: sqlite3.Connection, record: Record, summary: Summary) -> None:
    header, legs, interval = record.header, summary.legs, summary.interval
    counted = [(leg.frames, leg.octets, leg.dropped, leg.frozen, leg.tx_packets) for leg in legs]
    on_legs = _fit(map(sum, zip(*counted, strict=True))) if counted else (0,) * 5
    of_tap = _fit(
        (
            *(sum(summary.ignored.values()), summary.duplicates, summary.truncated, summary.processed),
            *(summary.flows_exported, summary.flows_evicted),
        )
    )
    sealed = len(record.envelope)
    values = (
        *(header.agent, header.run, header.seq, interval.start_ns, interval.end_ns, interval.part),
        *(*_fit((interval.empty_before,)), *on_legs, *of_tap, len(summary.rows), sealed),
        json.dumps([[leg.name, leg.frames, leg.octets, leg.dropped, leg.frozen, leg.tx_packets] for leg in legs]),
        *(json.dumps(summary.ignored), json.dumps(summary.health), record.received_ns),
    )
    connection.execute("INSERT INTO intervals VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", values)
    minutes_ms = len(summary.rows) * max(MINUTE_MS, (interval.end_ns - interval.start_ns) // NS_PER_MS)
    totals = (*on_legs[:2], *of_tap, *on_legs[2:], sealed, *_fit((minutes_ms,)))
    first_part = int(interval.part == 0)
    last = (header.seq, interval.end_ns) if first_part else (0, 0)
    connection.execute(ADD_TOTALS, (header.site, header.agent, header.run, first_part, *totals, *last))
    for reason, count in summary.ignored.items():
        _ignored(connection, header, reason, *_fit((count,)))


def _ignored(connection: sqlite3.Connection, header: Header, reason: str, count: int) -> None:
    """Bounded: a tap that was taken over cannot grow the table by inventing reasons."""
    tap = (header.site, header.agent)
    known = connection.execute("SELECT reason FROM ignored_totals WHERE site=? AND agent=?", tap).fetchall()
    name = reason if len(known) < REASONS_MAX or (reason,) in known else OTHER_REASON
    connection.execute(
        "INSERT INTO ignored_totals VALUES (?,?,?,?) "
        "ON CONFLICT (site, agent, reason) DO UPDATE SET count=count+excluded.count",
        (*tap, name, count),
    )


def _card(connection: sqlite3.Connection, header: Header, card: Card) -> None:
    connection.execute(
        "INSERT INTO cards VALUES (?,?,?,?,?,?) ON CONFLICT (agent, run, number) "
        "DO UPDATE SET seq=excluded.seq, site=excluded.site, mac=excluded.mac WHERE excluded.seq > seq",
        (header.agent, header.run, card.number, header.seq, header.site, card.mac),
    )
    # The newest card wins: inside a run by number, across runs and taps by when the device was last heard.
    connection.execute(
        """INSERT INTO devices VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (site, mac) DO UPDATE SET
            vlan=excluded.vlan, role=excluded.role, confidence=excluded.confidence, vendor=excluded.vendor,
            model=excluded.model, os=excluded.os, addresses=excluded.addresses, names=excluded.names,
            evidence=excluded.evidence, first_ns=min(first_ns, excluded.first_ns),
            last_ns=max(last_ns, excluded.last_ns),
            agent=excluded.agent, run=excluded.run, seq=excluded.seq, posture=excluded.posture
            WHERE CASE WHEN run = excluded.run THEN excluded.seq > seq ELSE excluded.last_ns >= last_ns END""",
        (
            *(header.site, card.mac, card.vlan, card.role, card.confidence_permille, card.vendor, card.model, card.os),
            json.dumps([address.hex() for address in card.addresses]),
            *(json.dumps(card.names), json.dumps([list(item) for item in card.evidence])),
            *(card.first_ns, card.last_ns, header.agent, header.run, header.seq),
            json.dumps([list(item) for item in card.posture]),
        ),
    )


def _rows(connection: sqlite3.Connection, header: Header, rows: Iterable[Row], end_ns: int) -> None:
    told = [(header.agent, header.run, row[0], header.seq, end_ns, *_fit(row[1:])) for row in rows]
    connection.executemany("INSERT OR IGNORE INTO device_rows VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", told)
    connection.executemany(ADD_TO_DEVICE, [(*one[:3], *one[5:13], end_ns) for one in told])


def _edges(connection: sqlite3.Connection, header: Header, edges: Iterable[EdgeRow], end_ns: int) -> None:
    """A tap tells what an edge did since it last told of it, so its summaries add up, whatever comes first."""
    most = (COUNT_MAX,) * 5
    told = ((header.agent, header.run, *edge[:8], *_fit(edge[8:]), end_ns, end_ns, *most) for edge in edges)
    connection.executemany(ADD_TO_EDGE, told)
