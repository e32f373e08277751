from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection

import pytest

from agent.collector.intake import Verdict
from agent.collector.records import Outcome, Record
from agent.collector.store import ledger
from agent.collector.store.database import FILE_NAME, open_writer
from agent.collector.store.ledger import enter, stream_key
from agent.wire.chain import Chain
from tests.simulators.reporter import Reporter

Judged = Callable[[tuple[str, bytes]], Verdict]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with closing(open_writer(tmp_path / FILE_NAME)) as opened:
        yield opened


@pytest.fixture
def record(judged: Judged) -> Callable[[tuple[str, bytes]], Record]:
    def make(message: tuple[str, bytes]) -> Record:
        verdict = judged(message)
        assert isinstance(verdict, Record)
        return verdict

    return make


def twin_of(tap: Reporter) -> Chain:
    """The same run in a second box: its numbers start again at one."""
    return Chain("tap-1", "ward", "sensor", tap.boot, tap.chain.run, b"", 0, tap.clock)


def test_once_again_and_against(tap: Reporter, connection: Connection, record: Callable[..., Record]) -> None:
    first, other = record(tap.summary()), record(tap.finding(twin_of(tap)))
    assert enter(connection, first) == (Outcome.STORED, [])
    assert enter(connection, first) == (Outcome.DUPLICATE, [])
    assert enter(connection, other) == (Outcome.CONFLICT, ["same-key"])
    assert enter(connection, other) == (Outcome.CONFLICT, [])  # the same proof is no further contradiction
    assert stream_key(first.header) == ("ward", "tap-1", tap.chain.run, "sensor")


def test_what_is_kept_as_proof_is_bounded(
    tap: Reporter, connection: Connection, record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "CONFLICTS_PER_AGENT_MAX", 3)
    enter(connection, record(tap.summary()))
    for number in range(10):
        enter(connection, record(tap.finding(twin_of(tap), cause=f"c{number}")))
    assert connection.execute("SELECT count(*) FROM conflicts").fetchone() == (3,)
    assert connection.execute("SELECT count(*) FROM envelopes").fetchone() == (4,)


def test_the_envelope_is_kept_octet_by_octet(
    tap: Reporter, connection: Connection, record: Callable[..., Record]
) -> None:
    message = tap.summary()
    enter(connection, record(message))
    kept = connection.execute("SELECT octets FROM envelopes JOIN records ON envelope_id = id").fetchone()[0]
    assert kept == message[1]  # so anybody can verify it again


def test_a_run_knows_how_far_it_is(tap: Reporter, connection: Connection, record: Callable[..., Record]) -> None:
    messages = [tap.summary() for _ in range(3)]
    for message in (messages[2], messages[0]):
        enter(connection, record(message))
    assert connection.execute("SELECT seq_max, stored, opaque FROM runs").fetchone() == (3, 2, 0)


def test_a_chain_that_does_not_fit_is_seen_from_both_sides(
    tap: Reporter, connection: Connection, record: Callable[..., Record]
) -> None:
    twin = twin_of(tap)
    tap.summary()
    forged_first, true_second = record(tap.finding(twin)), record(tap.summary())
    enter(connection, forged_first)
    assert enter(connection, true_second) == (Outcome.STORED, ["chain"])
