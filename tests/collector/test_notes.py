"""What the collector writes down of a commit: heads that changed, ends of commands; once, and chained."""

from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.intake import judge
from agent.collector.notes import FILE_NAME, Notes
from agent.collector.records import Arrival, Outcome, Record
from agent.commands.audit import rows, verify
from agent.wire.command import Receipt
from agent.wire.presence import UplinkReport
from agent.wire.types import MessageType
from tests.simulators.reporter import START_NS, Reporter, trust_of

A, B = b"a" * 32, b"b" * 32


@pytest.fixture
def tap() -> Reporter:
    made = Reporter()
    made.chain = made.new_chain(stream="uplink")
    return made


def record(tap: Reporter, content: UplinkReport | Receipt) -> Record:
    kind = MessageType.UPLINK if isinstance(content, UplinkReport) else MessageType.RECEIPT
    found = judge(Arrival(*tap.sealed(kind, content.to_content()), START_NS), trust_of(tap))
    assert isinstance(found, Record)
    return found


def noted(folder: Path) -> list[tuple[str, str]]:
    log = folder / FILE_NAME
    assert verify(log).broken_at == 0
    return [(row["event"], row.get("head", row.get("state"))) for row in rows(log)]


def test_heads_that_changed_and_ends_of_commands(tap: Reporter, tmp_path: Path) -> None:
    notes = Notes(tmp_path, SystemClock())
    said = [UplinkReport(audit=A), UplinkReport(audit=A), UplinkReport(audit=B), UplinkReport()]
    said += [Receipt(bytes(16), "status", state, "", {}) for state in ("accepted", "running", "done")]
    records = [record(tap, content) for content in said]
    notes.stored(records, [Outcome.STORED] * len(records))
    notes.stored(records, [Outcome.DUPLICATE] * len(records))
    notes.close()
    assert noted(tmp_path) == [("agent-head", A.hex()), ("agent-head", B.hex()), ("receipt", "done")]


def test_after_a_restart_the_log_goes_on(tap: Reporter, tmp_path: Path) -> None:
    for head in (A, B):
        notes = Notes(tmp_path, SystemClock())
        notes.stored([record(tap, UplinkReport(audit=head))], [Outcome.STORED])
        notes.close()
    assert len(noted(tmp_path)) == 2


def test_a_disk_that_refuses_stops_nothing(tap: Reporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = Notes(tmp_path, SystemClock())

    def full(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notes._log, "append", full)
    notes.stored([record(tap, UplinkReport(audit=A))], [Outcome.STORED])
    assert notes.failed == 1
    monkeypatch.undo()
    notes.stored([record(tap, UplinkReport(audit=A))], [Outcome.STORED])
    notes.close()
    assert noted(tmp_path) == [("agent-head", A.hex())], "and is told when it can be"
