"""What a simulated history must come to: every record once, no loss without a word, no acknowledgement too early."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.signing.envelope import _structure
from agent.spool.coverage import Coverage
from agent.wire import body
from agent.wire.chain import body_hash
from agent.wire.delivery import Ack
from agent.wire.header import NO_PREVIOUS
from agent.wire.types import MessageType
from tests.simulators.spool import HandWriter

Key = tuple[str, bytes, int]  # stream, run, seq
URGENT = {"finding", "gap", "receipt"}
BULK = {"summary", "uplink"}


class Ledger:
    """Told by the writers, compared with the collector's file through a connection of its own."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self.written: dict[Key, Any] = {}
        self.promised: set[Key] = set()
        self.given_up: set[Key] = set()  # on purpose
        self.links: dict[tuple[str, bytes], tuple[bytes, int]] = {}
        self.newest: dict[str, tuple[bytes, int]] = {}
        self.acks = 0

    def wrote(self, stream: str, writer: HandWriter) -> None:
        """Remember what a process wrote and promised so far."""
        found = writer._disk.found
        self.links[stream, writer.run] = (found.run, found.last_seq)
        self.newest[stream] = (writer.run, writer._chain.seq)
        for (run, seq), record in writer.written.items():
            self.written[stream, run, seq] = record
            if record.kind == MessageType.GAP and (stream, run, seq) not in self.given_up:
                self._gave_up(record.body)
        self.given_up.update((stream, run, seq) for run, seq in writer.buried)
        self.promised.update((stream, run, seq) for run, seq in writer.promised)

    def _gave_up(self, octets: bytes) -> None:
        _, content = body.decode(MessageType.GAP, octets)
        for first, last, _, reason in content["ranges"]:
            if reason in {"full", "disk-full", "memory"}:
                self.given_up.update((content["stream"], content["run"], seq) for seq in range(first, last + 1))

    def urgent_first(self, topics: Sequence[str]) -> None:
        """Within one turn findings leave before summaries."""
        leaves = [topic.rpartition("/")[2] for topic in topics]
        bulk_at = [at for at, leaf in enumerate(leaves) if leaf in BULK]
        urgent_at = [at for at, leaf in enumerate(leaves) if leaf in URGENT]
        assert not bulk_at or not urgent_at or max(urgent_at) < min(bulk_at), (
            f"a summary went before a finding: {leaves}"
        )

    def acknowledged(self, payload: bytes) -> None:
        """What the collector says is durable must be so for whoever opens its file just now."""
        ack = Ack.from_content(body.decode(MessageType.ACK, _structure(payload).body)[1])
        covered = self._covered(ack.stream, ack.run)
        self.acks += 1
        for first, last in ((1, ack.upto), *ack.ranges):
            assert last < first or covered.covers(first, last), f"acknowledged before it was durable: {first} to {last}"

    def complete(self) -> bool:
        """Whether every number up to the last of every run is stored or declared."""
        return not self.waiting()

    def waiting(self) -> list[tuple[str, int, int]]:
        """What is not: stream and range."""
        return [
            (stream, first, last)
            for stream, run, end in self._runs()
            for first, last in self._covered(stream, run).missing(1, end)
        ]

    def _runs(self) -> Iterator[tuple[str, bytes, int]]:
        """The runs of each stream as they name one another, with their last number."""
        for stream, (newest, last) in self.newest.items():
            run, end = newest, last
            while run:
                yield stream, run, end
                run, end = self.links[stream, run]

    def audit(self) -> None:
        """Everything that must hold once all is quiet."""
        rows = self._rows("SELECT stream, run, seq, sha256, prev, type FROM records")
        stored = {(stream, run, seq): (sha256, prev, kind) for stream, run, seq, sha256, prev, kind in rows}
        assert len(stored) == len(rows)
        for key, (sha256, _, _) in stored.items():
            assert sha256 == body_hash(self.written[key].body), f"{key} is not what was written"
        for (stream, run, seq), (_, prev, _) in stored.items():
            before = stored.get((stream, run, seq - 1))
            assert seq > 1 or prev == NO_PREVIOUS
            assert before is None or prev == before[0], f"{stream} {seq} does not follow from the one before"
        ends = {(stream, run): end for stream, run, end in self._runs()}
        beyond = [key for key in stored if key[2] > ends.get(key[:2], 0)]
        assert not beyond, f"stored beyond the end of its run: {beyond}"
        lost = {key for key in self.promised if key not in stored and key[:2] in ends} - self.given_up
        assert not lost, f"was durable, was not given up, never arrived: {sorted(lost)[:5]}"
        self._derived(Counter(kind for _, _, kind in stored.values()))

    def _derived(self, kinds: Counter[str]) -> None:
        """What follows from a record happened as often as the record is stored: once."""
        assert self._number("SELECT count(*) FROM conflicts") == 0
        assert self._number("SELECT count(*) FROM findings WHERE id='equivocation'") == 0, "an honest tap is accused"
        assert self._number("SELECT count(*) FROM intervals") == kinds[MessageType.SUMMARY]
        assert self._number("SELECT coalesce(sum(summaries), 0) FROM run_totals") == kinds[MessageType.SUMMARY]
        theirs = "FROM findings f JOIN sightings s ON s.finding=f.number WHERE f.id<>'spool-loss'"
        assert self._number(f"SELECT count(*) {theirs}") == kinds[MessageType.FINDING]
        told = self._number("SELECT coalesce(sum(count), 0) FROM findings WHERE id<>'spool-loss'")
        assert told == kinds[MessageType.FINDING]
        lost = self._number("SELECT coalesce(sum(last - first + 1), 0) FROM covered") - kinds.total()
        assert not lost or self._number("SELECT count(*) FROM findings WHERE id='spool-loss'"), "lost, and not told"
        assert self._number("SELECT coalesce(sum(messages), 0) FROM sizes") == kinds.total()
        assert self._number("SELECT count(*) FROM envelopes") == kinds.total()
        assert self._number("SELECT coalesce(sum(count), 0) FROM refusals") == 0

    def totals(self) -> dict[str, int]:
        """What a history came to, for a report."""
        stored = self._number("SELECT count(*) FROM records")
        again = self._rows("SELECT value FROM counters WHERE name='records-duplicate'")
        return {
            "written": sum(end for _, _, end in self._runs()),
            "called durable": len(self.promised),
            "stored": stored,
            "declared lost": sum(end for _, _, end in self._runs()) - stored,
            "lost in silence": len(self.waiting()),
            "arrived again": int(again[0][0]) if again else 0,
            "acknowledgements": self.acks,
        }

    def _covered(self, stream: str, run: bytes) -> Coverage:
        rows = self._rows("SELECT first, last FROM covered WHERE stream=? AND run=? ORDER BY first", stream, run)
        return Coverage(rows, most=1 << 16)

    def _number(self, question: str) -> int:
        return int(self._rows(question)[0][0])

    def _rows(self, question: str, *values: object) -> list[Any]:
        if self._connection is None:
            if not self._database.is_file():
                return []
            self._connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)
        return self._connection.execute(question, values).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
