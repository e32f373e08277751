"""The collector's own hash-chained log: which audit head each tap reported, and how each command ended.

A tap's log can be cut at its end, or made anew, by whoever owns the tap; what it reported before is here. Written after
the commit, once for each change; a disk that refuses it stops no delivery and is counted.
"""

from collections.abc import Iterable
from pathlib import Path

from agent.clock import Clock
from agent.collector.records import Outcome, Record
from agent.commands.audit import HEAD_EVENT, AuditLog
from agent.wire.command import FINAL_STATES, Receipt
from agent.wire.presence import UplinkReport

FILE_NAME = "audit.log"


class Notes:
    """One log for all taps."""

    def __init__(self, state: Path, clock: Clock) -> None:
        """OSError when it cannot be opened."""
        self._log = AuditLog(state / FILE_NAME, clock)
        self._heads: dict[tuple[str, str], bytes] = {}
        self.failed = 0

    def stored(self, records: Iterable[Record], outcomes: Iterable[Outcome]) -> None:
        """Note what of a committed batch is to be kept; never raises."""
        for record, outcome in zip(records, outcomes, strict=True):
            if outcome is Outcome.STORED:
                try:
                    self._note(record)
                except OSError:
                    self.failed += 1

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def _note(self, record: Record) -> None:
        where = (record.header.site, record.header.agent)
        match record.meaning:
            case UplinkReport(audit=head) if head and self._heads.get(where) != head:
                self._log.append(HEAD_EVENT, site=where[0], agent=where[1], head=head.hex(), seq=record.header.seq)
                self._heads[where] = head
            case Receipt() as receipt if receipt.state in FINAL_STATES:
                self._log.append(
                    "receipt", site=where[0], agent=where[1], command=receipt.name, id=receipt.id.hex(),
                    state=receipt.state, stream=record.header.stream, reason=receipt.reason,
                )  # fmt: skip
