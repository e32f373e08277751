import dataclasses
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.collector import queries, taps
from agent.collector.intake import Verdict
from agent.collector.records import Batch, Outcome, Record
from agent.collector.store.database import FILE_NAME
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.errors import StateError
from agent.wire.delivery import Gap
from agent.wire.presence import UplinkReport
from agent.wire.summary import EdgeRow, Leg, Row
from agent.wire.types import MessageType
from tests.collector.conftest import Deliver, Message, batch_of
from tests.simulators.reporter import MONITOR, PUMP, Reporter, damaged


def test_records_are_stored_once_and_acknowledged_again(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    messages = [tap.summary(), tap.finding(), tap.summary()]
    first = deliver(*messages)
    assert first.outcomes == (Outcome.STORED,) * 3
    assert first.positions[0].upto == 3
    again = deliver(*messages)
    assert again.outcomes == (Outcome.DUPLICATE,) * 3
    assert again.positions == first.positions
    with reading(tmp_path) as reader:
        counts = queries.counts(reader)
        assert (counts["stored"], counts["duplicates"]) == (3, 3)
        assert [record["seq"] for record in queries.dump(reader)] == [1, 2, 3]


def test_a_record_that_comes_again_changes_nothing_derived(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    messages = [tap.summary(), tap.finding()]
    deliver(*messages)
    with reading(tmp_path) as reader:
        before = (queries.devices(reader), queries.findings(reader), taps.taps(reader), queries.sizes(reader))
    for _ in range(3):
        deliver(*messages)
    with reading(tmp_path) as reader:
        assert (queries.devices(reader), queries.findings(reader), taps.taps(reader), queries.sizes(reader)) == before


def test_order_on_the_wire_is_free(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    messages = [tap.summary(), tap.summary(), tap.finding(), tap.summary()]
    late = deliver(messages[2], messages[3])
    assert (late.positions[0].upto, late.positions[0].ranges) == (0, ((3, 4),))
    done = deliver(messages[1], messages[0])
    assert (done.positions[0].upto, done.positions[0].ranges) == (4, ())
    with reading(tmp_path) as reader:
        assert queries.findings(reader)[0]["severity"] == "page"  # and no equivocation among them
        assert len(queries.findings(reader)) == 1


def test_a_gap_settles_what_will_never_come(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    lost = [tap.summary() for _ in range(3)]
    gap = Gap(
        "sensor", tap.chain.run, ((1, 2, "summary", "full"), (9, 3, "x", "inverted"), (5, 2**64 - 1, "x", "endless"))
    )
    committed = deliver(lost[2], tap.sealed(MessageType.GAP, gap.to_content()))
    assert committed.positions[0].upto == 4
    assert committed.positions[0].ranges == ()
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["missing"] == 2
        stream = taps.streams(reader, "ward", "tap-1")[0]
        assert (stream["stored"], stream["lost"], stream["waiting"]) == (2, 2, 0)


def test_two_records_under_one_number_are_both_kept_and_found(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    twin = Reporter(key=tap.key)
    twin.boot, twin.chain = (
        tap.boot,
        tap.chain.__class__("tap-1", "ward", "sensor", tap.boot, tap.chain.run, b"", 0, twin.clock),
    )
    deliver(tap.summary())
    forged = twin.finding()
    assert deliver(forged).outcomes == (Outcome.CONFLICT,)
    deliver(forged)
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
        assert (finding["id"], finding["severity"], finding["source"]) == ("equivocation", "page", "collector")
        assert "two different records under one number" in finding["sentence"]
        assert finding["count"] == 1  # the same proof again is no further contradiction
        assert len(reader.rows("SELECT * FROM conflicts")) == 1
        assert queries.counts(reader)["stored"] == 1


def test_a_copied_storage_shows_as_two_successors(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary())
    old = tap.chain
    for _ in range(2):
        tap.chain = tap.new_chain(old.run, old.seq)
        deliver(tap.summary())
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
        assert finding["evidence"][0] == {"name": "contradiction", "value": "two-successors"}


@pytest.mark.parametrize("late", [True, False])
def test_a_run_that_goes_on_after_its_successor_is_found(
    tap: Reporter, deliver: Deliver, tmp_path: Path, late: bool
) -> None:
    old = tap.chain
    first, second = tap.summary(), tap.summary()
    tap.chain = tap.new_chain(old.run, 1)
    new = tap.summary()
    deliver(*((first, new) if late else (first, second)))
    with reading(tmp_path) as reader:
        assert queries.findings(reader) == []
    deliver(second if late else new)
    with reading(tmp_path) as reader:
        assert queries.findings(reader)[0]["evidence"][0]["value"] == "after-successor"


def test_honest_restarts_are_not_found(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    for _ in range(4):
        deliver(tap.summary(), tap.finding())
        tap.chain = tap.new_chain(tap.chain.run, tap.chain.seq)
    uplink = tap.new_chain(stream="uplink")
    deliver(tap.sealed(MessageType.UPLINK, _report(), uplink))
    with reading(tmp_path) as reader:
        assert [finding["id"] for finding in queries.findings(reader)] == ["internet-contact"]


def _report() -> dict[str, object]:
    return UplinkReport(waiting=3).to_content()


def test_refusals_are_counted_by_reason(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    message = tap.summary()
    deliver(damaged(message), ("nonsense", b""), ("nonsense", b"x"), message)
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["refusals"] == {"bad-signature": 1, "wrong-topic": 2}
        assert taps.tap(reader, "ward", "tap-1")["refusals"] == {"bad-signature": 1}


def test_an_opaque_record_is_stored_and_acknowledged(
    tap: Reporter, store: Store, judged: Callable[[Message], Verdict], tmp_path: Path
) -> None:
    record = judged(tap.summary())
    assert isinstance(record, Record)
    batch = Batch(records=[dataclasses.replace(record, meaning=None)])
    assert store.commit(batch).positions[0].upto == 1
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["opaque"] == 1


def test_counts_that_no_honest_tap_has_do_not_break_the_sums(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    huge = 2**63 - 1
    for _ in range(3):
        deliver(
            tap.summary(
                legs=(Leg("eth1", huge, huge, huge, huge, huge),),
                ignored={"x": huge},
                rows=(Row(1, *[huge] * 9),),
                edges=(EdgeRow(1, 0, 6, 1, -1, b"", 0, 0, *[huge] * 5),),
            ),
            tap.finding(count=huge),
        )
    with reading(tmp_path) as reader:
        json.dumps([queries.devices(reader), queries.findings(reader), taps.taps(reader), queries.counts(reader)])
        assert queries.device(reader, "ward", PUMP) is not None


def test_positions_of_all_streams_survive_a_restart(tap: Reporter, deliver: Deliver, store: Store) -> None:
    deliver(tap.summary(), tap.summary(), tap.sealed(MessageType.UPLINK, _report(), tap.new_chain(stream="uplink")))
    assert sorted((place.key.stream, place.upto) for place in store.positions()) == [("sensor", 2), ("uplink", 1)]


def test_epochs_are_remembered_and_bounded(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.collector.store.writer.EPOCHS_KEPT", 3)
    for number in range(6):
        store.add_epoch(number, bytes([number]) * 16)
    with reading(tmp_path) as reader:
        assert [row["wall_ns"] for row in reader.rows("SELECT wall_ns FROM epochs ORDER BY 1")] == [3, 4, 5]


def test_devices_of_a_summary_are_listed(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary())
    with reading(tmp_path) as reader:
        assert {device["mac"] for device in queries.devices(reader)} == {PUMP.hex(":"), MONITOR.hex(":")}


def until_full(store: Store, fill: Callable[[], Batch]) -> tuple[int, Batch, str]:
    """Commit until the store refuses: how many it has acknowledged, the batch it refused, and why."""
    stored = 0
    for _ in range(1000):
        batch = fill()
        try:
            stored = store.commit(batch).positions[0].upto
        except StateError as error:
            return stored, batch, str(error)
    raise AssertionError("never full")


def test_a_locked_store_gives_no_acknowledgement_and_recovers(
    tap: Reporter, store: Store, judged: Callable[[Message], Verdict], tmp_path: Path
) -> None:
    store._connection.execute("PRAGMA busy_timeout=50")
    batch = batch_of([judged(tap.summary()), judged(tap.finding())])
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(StateError, match="locked"):
                store.commit(batch)
        other.execute("ROLLBACK")
    assert store.commit(batch).positions[0].upto == 2
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["stored"] == 2


def test_a_full_disk_gives_no_acknowledgement_and_recovers(
    tap: Reporter, store: Store, judged: Callable[[Message], Verdict], tmp_path: Path
) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages + 3}")
    stored, batch, error = until_full(store, lambda: batch_of([judged(tap.summary()) for _ in range(10)]))
    assert "full" in error
    with reading(tmp_path) as reader:
        assert queries.counts(reader)["stored"] == stored
        assert len(reader.rows("SELECT * FROM intervals")) == stored  # nothing half
    store._connection.execute("PRAGMA max_page_count=1000000")
    assert store.commit(batch).positions[0].upto == stored + 10
