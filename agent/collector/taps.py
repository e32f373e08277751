"""What the page asks about the taps themselves: are they there, what did they see and miss, were they silent."""

import json

from agent.collector.queries import Answer
from agent.collector.store.reader import Reader, Row

TAPS_MAX = 500
SUMS = """SELECT total(summaries) AS summaries, total(frames) AS frames, total(octets) AS octets,
    total(ignored) AS ignored, total(duplicates) AS duplicates, total(truncated) AS truncated,
    total(processed) AS processed, total(flows_exported) AS flows_exported, total(flows_evicted) AS flows_evicted,
    total(dropped) AS dropped, total(frozen) AS frozen, total(tx_packets) AS tx_packets
    FROM run_totals WHERE site=? AND agent=?"""
LAST = """SELECT i.* FROM run_totals t JOIN intervals i ON i.agent=t.agent AND i.run=t.run AND i.seq=t.last_seq
    WHERE t.site=? AND t.agent=? ORDER BY t.last_ns DESC LIMIT 1"""
_INTEGERS = (
    *("summaries", "frames", "octets", "ignored", "duplicates", "truncated", "processed"),
    *("flows_exported", "flows_evicted", "dropped", "frozen", "tx_packets"),
)


def taps(reader: Reader) -> list[Answer]:
    """Every tap that was ever heard, by name."""
    rows = reader.rows(
        """SELECT site, agent FROM taps UNION SELECT DISTINCT site, agent FROM runs ORDER BY site, agent LIMIT ?""",
        (TAPS_MAX,),
    )
    return [tap(reader, row["site"], row["agent"]) for row in rows]


def tap(reader: Reader, site: str, agent: str) -> Answer:
    """One tap: presence, coverage since it was first heard, its last summary, what is stored, what is missing."""
    sums = reader.rows(SUMS, (site, agent))[0]
    last = reader.rows(LAST, (site, agent))
    answer: Answer = {"site": site, "agent": agent} | _presence(reader, site, agent)
    answer |= {name: int(sums[name]) for name in _INTEGERS}
    answer |= _last(last[0] if last else None)
    answer["ignored_reasons"] = _ignored(reader, site, agent)
    answer["streams"] = streams(reader, site, agent)
    answer["refusals"] = {
        row["reason"]: row["count"]
        for row in reader.rows("SELECT reason, count FROM refusals WHERE agent=? ORDER BY reason", (agent,))
    }
    answer["conflicts"] = reader.rows("SELECT count(*) AS n FROM conflicts WHERE agent=?", (agent,))[0]["n"]
    return answer


def streams(reader: Reader, site: str, agent: str) -> list[Answer]:
    """Every run and stream of a tap: records stored, declared lost and never come, and awaited below the highest."""
    rows = reader.rows(
        """SELECT r.stream, r.run, r.seq_max, r.received_ns, r.stored,
            (SELECT total(min(c.last, r.seq_max) - c.first + 1) FROM covered c
               WHERE c.agent=r.agent AND c.run=r.run AND c.stream=r.stream AND c.first <= r.seq_max) AS settled,
            (SELECT total(c.last - c.first + 1) FROM covered c
               WHERE c.agent=r.agent AND c.run=r.run AND c.stream=r.stream) - r.stored AS lost
            FROM runs r WHERE r.site=? AND r.agent=? ORDER BY r.received_ns DESC, r.stream LIMIT 20""",
        (site, agent),
    )
    return [
        {
            "stream": row["stream"],
            "run": row["run"].hex(),
            "stored": row["stored"],
            "lost": int(row["lost"]),
            "waiting": max(0, row["seq_max"] - int(row["settled"])),
            "since_ns": row["received_ns"],
        }
        for row in rows
    ]


def _presence(reader: Reader, site: str, agent: str) -> Answer:
    rows = reader.rows("SELECT * FROM taps WHERE site=? AND agent=?", (site, agent))
    if not rows:
        return {"state": "", "state_signed": False, "version": "", "contracts": "", "boot": "", "born_ns": 0}
    row = rows[0]
    return {
        "state": row["state"],
        "state_signed": bool(row["state_signed"]),
        "version": row["version"],
        "contracts": row["contracts"],
        "boot": row["boot"].hex(),
        "born_ns": row["born_ns"],
    }


def _last(row: Row | None) -> Answer:
    if row is None:
        return {"last_start_ns": 0, "last_end_ns": 0, "last_received_ns": 0, "legs": [], "health": {}}
    names = ("name", "frames", "octets", "dropped", "frozen", "tx_packets")
    return {
        "last_start_ns": row["start_ns"],
        "last_end_ns": row["end_ns"],
        "last_received_ns": row["received_ns"],
        "legs": [dict(zip(names, leg, strict=True)) for leg in json.loads(row["legs"])],
        "health": json.loads(row["health"]),
    }


def _ignored(reader: Reader, site: str, agent: str) -> dict[str, int]:
    rows = reader.rows(
        "SELECT reason, count FROM ignored_totals WHERE site=? AND agent=? ORDER BY reason", (site, agent)
    )
    return {row["reason"]: row["count"] for row in rows}
