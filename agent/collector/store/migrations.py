"""The tables, in numbered steps; `PRAGMA user_version` says which steps a file has seen.

A step that has shipped is never edited: a new one is appended. One statement per string: `executescript` would commit.
Keys are WITHOUT ROWID so that a record is found by one B-tree walk; envelopes lie apart so that those trees stay small.
"""

RECORDS = (
    "CREATE TABLE envelopes (id INTEGER PRIMARY KEY, octets BLOB NOT NULL)",
    """CREATE TABLE records (
        agent TEXT NOT NULL, run BLOB NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
        site TEXT NOT NULL, type TEXT NOT NULL, sha256 BLOB NOT NULL, prev BLOB NOT NULL,
        received_ns INTEGER NOT NULL, opaque INTEGER NOT NULL, envelope_id INTEGER NOT NULL REFERENCES envelopes (id),
        PRIMARY KEY (agent, run, stream, seq)) WITHOUT ROWID""",
    """CREATE TABLE conflicts (
        agent TEXT NOT NULL, run BLOB NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, sha256 BLOB NOT NULL,
        received_ns INTEGER NOT NULL, envelope_id INTEGER NOT NULL REFERENCES envelopes (id),
        PRIMARY KEY (agent, run, stream, seq, sha256)) WITHOUT ROWID""",
    """CREATE TABLE runs (
        agent TEXT NOT NULL, stream TEXT NOT NULL, run BLOB NOT NULL, site TEXT NOT NULL, boot BLOB NOT NULL,
        before_run BLOB NOT NULL, before_seq INTEGER NOT NULL, seq_max INTEGER NOT NULL, received_ns INTEGER NOT NULL,
        stored INTEGER NOT NULL, opaque INTEGER NOT NULL,
        PRIMARY KEY (agent, stream, run)) WITHOUT ROWID""",
    "CREATE INDEX runs_by_before ON runs (agent, stream, before_run)",
    """CREATE TABLE covered (
        agent TEXT NOT NULL, run BLOB NOT NULL, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (agent, run, stream, first)) WITHOUT ROWID""",
    """CREATE TABLE gaps (
        agent TEXT NOT NULL, run BLOB NOT NULL, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        class TEXT NOT NULL, reason TEXT NOT NULL, received_ns INTEGER NOT NULL,
        PRIMARY KEY (agent, run, stream, first, last, class, reason)) WITHOUT ROWID""",
)
TAPS = (
    """CREATE TABLE taps (
        site TEXT NOT NULL, agent TEXT NOT NULL, boot BLOB NOT NULL DEFAULT x'', run BLOB NOT NULL DEFAULT x'',
        version TEXT NOT NULL DEFAULT '', contracts TEXT NOT NULL DEFAULT '', legs TEXT NOT NULL DEFAULT '[]',
        born_ns INTEGER NOT NULL DEFAULT 0, born_mono_ns INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT '', state_signed INTEGER NOT NULL DEFAULT 0, state_ns INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (site, agent)) WITHOUT ROWID""",
    """CREATE TABLE intervals (
        agent TEXT NOT NULL, run BLOB NOT NULL, seq INTEGER NOT NULL,
        start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,
        part INTEGER NOT NULL, empty_before INTEGER NOT NULL, frames INTEGER NOT NULL, octets INTEGER NOT NULL,
        dropped INTEGER NOT NULL, frozen INTEGER NOT NULL, tx_packets INTEGER NOT NULL,
        ignored INTEGER NOT NULL, duplicates INTEGER NOT NULL,
        truncated INTEGER NOT NULL, processed INTEGER NOT NULL, flows_exported INTEGER NOT NULL,
        flows_evicted INTEGER NOT NULL, devices INTEGER NOT NULL, sealed_octets INTEGER NOT NULL,
        legs TEXT NOT NULL, reasons TEXT NOT NULL, health TEXT NOT NULL, received_ns INTEGER NOT NULL,
        PRIMARY KEY (agent, run, seq)) WITHOUT ROWID""",
    """CREATE TABLE run_totals (
        site TEXT NOT NULL, agent TEXT NOT NULL, run BLOB NOT NULL, summaries INTEGER NOT NULL,
        frames INTEGER NOT NULL, octets INTEGER NOT NULL, ignored INTEGER NOT NULL, duplicates INTEGER NOT NULL,
        truncated INTEGER NOT NULL, processed INTEGER NOT NULL, flows_exported INTEGER NOT NULL,
        flows_evicted INTEGER NOT NULL, dropped INTEGER NOT NULL, frozen INTEGER NOT NULL, tx_packets INTEGER NOT NULL,
        sealed_octets INTEGER NOT NULL, device_ms INTEGER NOT NULL, last_seq INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        PRIMARY KEY (site, agent, run)) WITHOUT ROWID""",
    """CREATE TABLE ignored_totals (
        site TEXT NOT NULL, agent TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (site, agent, reason)) WITHOUT ROWID""",
)
DEVICES = (
    """CREATE TABLE cards (
        agent TEXT NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL,
        site TEXT NOT NULL, mac BLOB NOT NULL, PRIMARY KEY (agent, run, number)) WITHOUT ROWID""",
    "CREATE INDEX cards_by_mac ON cards (site, mac)",
    """CREATE TABLE devices (
        site TEXT NOT NULL, mac BLOB NOT NULL, vlan INTEGER NOT NULL, role TEXT NOT NULL, confidence INTEGER NOT NULL,
        vendor TEXT NOT NULL, model TEXT NOT NULL, os TEXT NOT NULL, addresses TEXT NOT NULL, names TEXT NOT NULL,
        evidence TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        agent TEXT NOT NULL, run BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (site, mac)) WITHOUT ROWID""",
    """CREATE TABLE device_rows (
        agent TEXT NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL, seq INTEGER NOT NULL, end_ns INTEGER NOT NULL,
        tx_packets INTEGER NOT NULL, rx_packets INTEGER NOT NULL,
        tx_octets INTEGER NOT NULL, rx_octets INTEGER NOT NULL,
        started INTEGER NOT NULL, answered INTEGER NOT NULL, failed INTEGER NOT NULL, accepted INTEGER NOT NULL,
        peers INTEGER NOT NULL, PRIMARY KEY (agent, run, number, seq)) WITHOUT ROWID""",
    """CREATE TABLE device_totals (
        agent TEXT NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL, intervals INTEGER NOT NULL,
        tx_packets INTEGER NOT NULL, rx_packets INTEGER NOT NULL,
        tx_octets INTEGER NOT NULL, rx_octets INTEGER NOT NULL,
        started INTEGER NOT NULL, answered INTEGER NOT NULL, failed INTEGER NOT NULL, accepted INTEGER NOT NULL,
        last_ns INTEGER NOT NULL, PRIMARY KEY (agent, run, number)) WITHOUT ROWID""",
    """CREATE TABLE edges (
        agent TEXT NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL, direction INTEGER NOT NULL,
        protocol INTEGER NOT NULL, port INTEGER NOT NULL, peer_number INTEGER NOT NULL, peer_address BLOB NOT NULL,
        scope INTEGER NOT NULL, application INTEGER NOT NULL, flows INTEGER NOT NULL,
        packets_out INTEGER NOT NULL, packets_in INTEGER NOT NULL,
        octets_out INTEGER NOT NULL, octets_in INTEGER NOT NULL,
        first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        PRIMARY KEY (agent, run, number, direction, protocol, port, peer_number, peer_address)) WITHOUT ROWID""",
)
FINDINGS = (
    """CREATE TABLE findings (
        number INTEGER PRIMARY KEY, site TEXT NOT NULL, cause TEXT NOT NULL, id TEXT NOT NULL, severity TEXT NOT NULL,
        rank INTEGER NOT NULL, mac BLOB NOT NULL, role TEXT NOT NULL, tier TEXT NOT NULL,
        first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        count INTEGER NOT NULL, sentence TEXT NOT NULL, evidence TEXT NOT NULL, attack TEXT NOT NULL,
        expected TEXT NOT NULL, step TEXT NOT NULL, source TEXT NOT NULL, received_ns INTEGER NOT NULL,
        UNIQUE (site, cause, id))""",
    "CREATE INDEX findings_by_mac ON findings (site, mac)",
    """CREATE TABLE sightings (
        finding INTEGER NOT NULL REFERENCES findings (number), agent TEXT NOT NULL, run BLOB NOT NULL,
        stream TEXT NOT NULL, seq INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (finding, agent, run, stream, seq)) WITHOUT ROWID""",
)
TOTALS = (
    """CREATE VIEW totals AS SELECT c.site, c.mac, total(t.tx_packets + t.rx_packets) AS packets,
        total(t.tx_octets + t.rx_octets) AS octets, total(t.started) AS started, total(t.failed) AS failed,
        total(t.accepted) AS accepted, max(t.last_ns) AS heard_ns
        FROM device_totals t JOIN cards c USING (agent, run, number) GROUP BY c.site, c.mac""",
    """CREATE VIEW device_list AS SELECT d.*, t.packets, t.octets, t.started, t.failed, t.accepted, t.heard_ns,
        (SELECT count(*) FROM findings f WHERE f.site=d.site AND f.mac=d.mac) AS findings,
        (SELECT max(f.rank) FROM findings f WHERE f.site=d.site AND f.mac=d.mac) AS worst
        FROM devices d LEFT JOIN totals t ON t.site=d.site AND t.mac=d.mac""",
)
BOOKS = (
    """CREATE TABLE refusals (
        reason TEXT NOT NULL, agent TEXT NOT NULL, count INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        PRIMARY KEY (reason, agent)) WITHOUT ROWID""",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE sizes (
        agent TEXT NOT NULL, type TEXT NOT NULL, messages INTEGER NOT NULL, sealed_octets INTEGER NOT NULL,
        body_octets INTEGER NOT NULL, largest INTEGER NOT NULL, PRIMARY KEY (agent, type)) WITHOUT ROWID""",
    "CREATE TABLE epochs (wall_ns INTEGER PRIMARY KEY, id BLOB NOT NULL)",
)
OUTBOX = (
    """CREATE TABLE notices (
        route TEXT NOT NULL, finding INTEGER NOT NULL REFERENCES findings (number),
        pending_since_ns INTEGER, urgent INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 0,
        sent_ns INTEGER, sent_count INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (route, finding)) WITHOUT ROWID""",
    """CREATE TABLE routes (
        route TEXT PRIMARY KEY, attempts INTEGER NOT NULL DEFAULT 0, next_try_ns INTEGER NOT NULL DEFAULT 0,
        last_error TEXT NOT NULL DEFAULT '', sent INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID""",
    """CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, route TEXT NOT NULL, sent_ns INTEGER NOT NULL, findings INTEGER NOT NULL)""",
    "CREATE INDEX deliveries_by_time ON deliveries (route, sent_ns)",
)
POSTURE = ("ALTER TABLE devices ADD COLUMN posture TEXT NOT NULL DEFAULT '[]'",)
AUDIT = (
    """CREATE TABLE audit_heads (
        site TEXT NOT NULL, agent TEXT NOT NULL, run BLOB NOT NULL, number INTEGER NOT NULL, head BLOB NOT NULL,
        first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
        PRIMARY KEY (site, agent, run, number)) WITHOUT ROWID""",
    "CREATE INDEX audit_heads_by_number ON audit_heads (site, agent, number)",
)
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    RECORDS + TAPS + DEVICES + FINDINGS + TOTALS + BOOKS + OUTBOX,
    POSTURE,
    AUDIT,
)
