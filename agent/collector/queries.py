"""What the page and the command line ask of the store; answers are plain JSON values, strings as they were received."""

import json
from collections.abc import Iterator
from typing import Any

from agent.collector.names import SEVERITIES, address, scope, service
from agent.collector.store.findings import SUPPRESSED_UNTIL
from agent.collector.store.reader import Reader, Row
from agent.collector.text import mac_text

Answer = dict[str, Any]
DEVICES_MAX = 2_000  # rows of one answer; a ward has about 100 devices
FINDINGS_MAX = 1_000
EDGES_MAX = 300


def devices(reader: Reader) -> list[Answer]:
    """Every device with what it is, why, and how much it said; those with grave findings first."""
    rows = reader.rows(
        "SELECT * FROM device_list ORDER BY coalesce(worst, -1) DESC, role = 'unknown', role, mac LIMIT ?",
        (DEVICES_MAX,),
    )
    return [_device(row) for row in rows]


def all_devices(reader: Reader) -> Iterator[Answer]:
    """Every device, however many there are, in the order of sites and addresses."""
    return map(_device, reader.stream("SELECT * FROM device_list ORDER BY site, mac"))


def device(reader: Reader, site: str, mac: bytes) -> Answer | None:
    """One device with its peers and findings; None when it is not known."""
    found = [_device(row) for row in reader.rows("SELECT * FROM device_list WHERE site=? AND mac=?", (site, mac))]
    if not found:
        return None
    answer = found[0]
    answer["edges"] = edges(reader, site, mac)
    answer["open"] = findings(reader, site, mac)
    return answer


def edges(reader: Reader, site: str, mac: bytes) -> list[Answer]:
    """Who one device talks to, most octets first."""
    rows = reader.rows(
        """SELECT e.direction, e.protocol, e.port, e.peer_address, e.scope, p.mac AS peer_mac, d.role AS peer_role,
            total(e.flows) AS flows, total(e.packets_out) AS packets_out, total(e.packets_in) AS packets_in,
            total(e.octets_out) AS octets_out, total(e.octets_in) AS octets_in, max(e.last_ns) AS last_ns
            FROM cards c JOIN edges e USING (agent, run, number)
            LEFT JOIN cards p ON p.agent=e.agent AND p.run=e.run AND p.number=e.peer_number
            LEFT JOIN devices d ON d.site=c.site AND d.mac=p.mac
            WHERE c.site=? AND c.mac=?
            GROUP BY e.direction, e.protocol, e.port, e.peer_address, p.mac
            ORDER BY octets_out + octets_in DESC LIMIT ?""",
        (site, mac, EDGES_MAX),
    )
    return [_edge(row) for row in rows]


def findings(reader: Reader, site: str = "", mac: bytes = b"") -> list[Answer]:
    """Findings, the gravest and newest first; of one device when `mac` is given."""
    rows = reader.rows(
        """SELECT f.*, (SELECT group_concat(DISTINCT s.agent) FROM sightings s WHERE s.finding=f.number) AS agents,
            d.vendor, d.model FROM findings f LEFT JOIN devices d ON d.site=f.site AND d.mac=f.mac
            WHERE ? OR (f.site=? AND f.mac=?) ORDER BY f.rank DESC, f.last_ns DESC LIMIT ?""",
        (not mac, site, mac, FINDINGS_MAX),
    )
    return [_finding(row) for row in rows]


def severities(reader: Reader) -> dict[str, int]:
    """How many findings of each severity."""
    counts = {row["severity"]: row["n"] for row in reader.rows("SELECT severity, count(*) n FROM findings GROUP BY 1")}
    return {name: counts.pop(name, 0) for name in SEVERITIES} | counts


def sizes(reader: Reader) -> list[Answer]:
    """What went over the wire, by type: messages, sealed octets, body octets, the largest."""
    return reader.rows(
        """SELECT type, sum(messages) AS messages, sum(sealed_octets) AS sealed_octets, sum(body_octets) AS body_octets,
           max(largest) AS largest FROM sizes GROUP BY type ORDER BY sealed_octets DESC"""
    )


def octets_per_device_minute(reader: Reader) -> float | None:
    """Sealed summary octets per device row and minute of its interval; None before the first summary with rows."""
    row = reader.rows("SELECT total(sealed_octets) AS octets, total(device_ms) / 60e3 AS minutes FROM run_totals")[0]
    return row["octets"] / row["minutes"] if row["minutes"] else None


def counts(reader: Reader) -> Answer:
    """The collector's own books: records, duplicates, conflicts, refusals by reason, gaps."""
    counters = {row["name"]: row["value"] for row in reader.rows("SELECT name, value FROM counters ORDER BY name")}
    by_reason: dict[str, int] = {}
    refused = reader.rows("SELECT reason, agent, count FROM refusals ORDER BY reason, agent")
    for row in refused:
        by_reason[row["reason"]] = by_reason.get(row["reason"], 0) + row["count"]
    stored = reader.rows("SELECT coalesce(sum(stored), 0) AS n, coalesce(sum(opaque), 0) AS opaque FROM runs")[0]
    return {
        "stored": stored["n"],
        "opaque": stored["opaque"],
        "duplicates": counters.get("records-duplicate", 0),
        "conflicts": counters.get("records-conflict", 0),
        "refusals": by_reason,
        "refusals_by_agent": refused,
        "missing": _missing(reader),
        "other": {name: value for name, value in counters.items() if not name.startswith("records-")},
        "findings": severities(reader),
        "devices": reader.rows("SELECT count(*) AS n FROM devices")[0]["n"],
    }


def dump(reader: Reader) -> Iterator[Answer]:
    """Every stored record: what it is and the hash of its body."""
    for row in reader.stream(
        "SELECT agent, site, run, stream, seq, sha256, type, received_ns FROM records ORDER BY agent, run, stream, seq"
    ):
        yield row | {"run": row["run"].hex(), "sha256": row["sha256"].hex(), "received": row.pop("received_ns")}


def _missing(reader: Reader) -> int:
    """Declared lost and not here: what a tap gave up and delivered all the same, or declared twice, counts as it is."""
    row = reader.rows(
        "SELECT (SELECT total(last - first + 1) FROM covered) - (SELECT coalesce(sum(stored), 0) FROM runs) AS n"
    )[0]
    return int(row["n"])


def _device(row: Row) -> Answer:
    worst = row["worst"]
    return {
        "site": row["site"],
        "mac": mac_text(row["mac"]),
        "vlan": row["vlan"],
        "role": row["role"],
        "confidence": row["confidence"] / 1000,
        "vendor": row["vendor"],
        "model": row["model"],
        "os": row["os"],
        "addresses": [address(bytes.fromhex(text)) for text in json.loads(row["addresses"])],
        "names": json.loads(row["names"]),
        "evidence": [
            {"signal": signal, "value": value, "weight": weight / 1000}
            for signal, value, weight in json.loads(row["evidence"])
        ],
        "posture": [{"aspect": aspect, "word": word} for aspect, word in json.loads(row["posture"])],
        "first_ns": row["first_ns"],
        "last_ns": max(row["last_ns"], row["heard_ns"] or 0),
        "packets": int(row["packets"] or 0),
        "octets": int(row["octets"] or 0),
        "flows_started": int(row["started"] or 0),
        "flows_failed": int(row["failed"] or 0),
        "flows_accepted": int(row["accepted"] or 0),
        "findings": row["findings"],
        "worst": SEVERITIES[-1 - worst] if worst is not None else "",
        "agent": row["agent"],
    }


def _edge(row: Row) -> Answer:
    return {
        "direction": "responds to" if row["direction"] else "talks to",
        "service": service(row["protocol"], row["port"]),
        "peer": mac_text(row["peer_mac"]) if row["peer_mac"] else address(row["peer_address"]),
        "peer_role": row["peer_role"] or "",
        "scope": scope(row["scope"]),
        "flows": int(row["flows"]),
        "packets": int(row["packets_out"] + row["packets_in"]),
        "octets_out": int(row["octets_out"]),
        "octets_in": int(row["octets_in"]),
        "last_ns": row["last_ns"],
    }


def _finding(row: Row) -> Answer:
    return {
        "number": row["number"],
        "id": row["id"],
        "severity": row["severity"],
        "site": row["site"],
        "mac": mac_text(row["mac"]),
        "role": row["role"],
        "tier": row["tier"],
        "vendor": row["vendor"] or "",
        "model": row["model"] or "",
        "sentence": row["sentence"],
        "evidence": [{"name": name, "value": value} for name, value in json.loads(row["evidence"])],
        "suppressed_until": dict(json.loads(row["evidence"])).get(SUPPRESSED_UNTIL, ""),
        "attack": json.loads(row["attack"]),
        "cause": row["cause"],
        "expected": row["expected"],
        "step": row["step"],
        "count": row["count"],
        "first_ns": row["first_ns"],
        "last_ns": row["last_ns"],
        "agents": (row["agents"] or "").split(",") if row["agents"] else [],
        "source": row["source"],
    }
