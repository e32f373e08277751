import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.clock import CaptureClock
from agent.collector import ingest as ingest_module
from agent.collector import queries
from agent.collector.acks import Outgoing, Voice
from agent.collector.ingest import Ingest, TrustFile
from agent.collector.records import Arrival
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.errors import Refused, StateError
from agent.signing.keys import PrivateKey
from agent.signing.roster import TrustEntry
from agent.signing.trust import build_trust, root_json
from agent.wire import body
from agent.wire.codec import unpack
from agent.wire.delivery import Ack
from tests.simulators.reporter import START_NS, Reporter, damaged

RELEASES = [PrivateKey.generate() for _ in range(3)]
COLLECTOR = PrivateKey.generate()


class Pipe:
    """A broker made of memory."""

    def __init__(self) -> None:
        self.connected = True
        self.counts: Counter[str] = Counter()
        self.waiting: list[Arrival] = []
        self.published: list[Outgoing] = []

    def take(self, most: int, wait_s: float) -> list[Arrival]:
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    def publish(self, outgoing: Sequence[Outgoing]) -> int:
        self.published.extend(outgoing)
        return len(outgoing)

    def bring(self, *messages: tuple[str, bytes]) -> None:
        self.waiting.extend(Arrival(*message, START_NS) for message in messages)

    def acks(self) -> list[Ack]:
        found = []
        for topic, payload, _ in self.published:
            if topic.endswith("/ack"):
                found.append(Ack.from_content(body.decode("wardtap/ack.v1", unpack(payload)[2])[1]))
        return found


def write_trust(folder: Path, entries: list[TrustEntry], version: int) -> Path:
    path = folder / "trust.bin"
    fresh = folder / "trust.new"
    fresh.write_bytes(build_trust(entries, RELEASES[:2], version=version, site="ward"))
    fresh.replace(path)
    (folder / "trust-root.json").write_text(root_json([key.public for key in RELEASES]))
    return path


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
def clock() -> CaptureClock:
    return CaptureClock(START_NS)


@pytest.fixture
def trust(tap: Reporter, tmp_path: Path, clock: CaptureClock) -> TrustFile:
    path = write_trust(tmp_path, [tap.entry], 1)
    return TrustFile(path, path.with_name("trust-root.json"), clock)


@pytest.fixture
def ingest(pipe: Pipe, store: Store, trust: TrustFile, clock: CaptureClock) -> Ingest:
    return Ingest(pipe, store, Voice(COLLECTOR), trust, clock)


def test_what_is_committed_is_acknowledged(tap: Reporter, pipe: Pipe, ingest: Ingest) -> None:
    pipe.bring(tap.summary(), tap.summary(), tap.finding())
    assert ingest.settle(ingest.collect(0)) == 1
    (ack,) = pipe.acks()
    assert (ack.agent, ack.run, ack.upto) == ("tap-1", tap.chain.run, 3)


def test_a_record_that_comes_again_is_acknowledged_again(tap: Reporter, pipe: Pipe, ingest: Ingest) -> None:
    message = tap.summary()
    for _ in range(2):
        pipe.bring(message)
        ingest.settle(ingest.collect(0))
    assert [ack.upto for ack in pipe.acks()] == [1, 1]


def test_refusals_are_committed_without_an_acknowledgement(
    tap: Reporter, pipe: Pipe, ingest: Ingest, tmp_path: Path
) -> None:
    pipe.bring(damaged(tap.summary()), ("x", b""))
    assert ingest.settle(ingest.collect(0)) == 0
    pipe.counts["not-taken-queue-full"] += 3
    ingest.settle(ingest.collect(0))
    ingest.settle(ingest.collect(0))
    with reading(tmp_path) as reader:
        counts = queries.counts(reader)
    assert counts["refusals"] == {"bad-signature": 1, "wrong-topic": 1}
    assert counts["other"] == {"not-taken-queue-full": 3}


def test_nothing_is_acknowledged_when_the_store_refuses_and_all_of_it_later(
    tap: Reporter, pipe: Pipe, ingest: Ingest, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe.bring(tap.summary(), tap.summary())
    stop, plain = threading.Event(), store.commit
    said: list[str] = []
    failures: list[object] = []

    def commit(batch: object) -> object:
        if len(failures) < 2:
            failures.append(batch)
            assert not pipe.acks()
            raise StateError("database or disk is full")
        stop.set()
        return plain(batch)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "commit", commit)
    ingest.run(stop, said.append)
    assert failures[0] is failures[1]  # the same batch is offered again, not a new one
    assert [ack.upto for ack in pipe.acks()] == [2]
    assert said == ["database or disk is full", "the store takes records again"]
    assert ingest.trouble == ""


def test_the_bell_rings_every_minute_and_only_when_somebody_can_hear(
    pipe: Pipe, ingest: Ingest, clock: CaptureClock
) -> None:
    pipe.connected = False
    ingest.tick()
    assert pipe.published == []
    pipe.connected = True
    for _ in range(10):
        ingest.tick()
        clock.sleep(12)
    bells = [message.topic for message in pipe.published if not message.topic.endswith("/trust")]
    assert bells == ["wardtap/1/ward/epoch"] * 2


def test_a_revoked_tap_is_refused_within_seconds(
    tap: Reporter, pipe: Pipe, ingest: Ingest, clock: CaptureClock, tmp_path: Path
) -> None:
    pipe.bring(tap.summary())
    assert ingest.settle(ingest.collect(0)) == 1
    ingest.tick()
    write_trust(tmp_path, [Reporter("tap-2").entry], 2)
    clock.sleep(6)
    ingest.tick()
    pipe.bring(tap.summary())
    assert ingest.collect(0).refusals[0].reason == "unknown-key"


def test_every_tap_is_handed_the_table_once_for_each_change_and_each_link(
    tap: Reporter, pipe: Pipe, ingest: Ingest, clock: CaptureClock, tmp_path: Path
) -> None:
    def handed() -> list[tuple[str, bytes, bool]]:
        """Five ticks, and what of it concerns the table."""
        pipe.published.clear()
        for _ in range(5):
            ingest.tick()
            clock.sleep(6)
        return [tuple(message) for message in pipe.published if message.topic.endswith("/trust")]

    sealed = (tmp_path / "trust.bin").read_bytes()
    assert handed() == [("wardtap/1/ward/tap-1/down/trust", sealed, True)]
    assert handed() == []
    pipe.counts["broker-disconnects"] += 1
    assert handed() == [("wardtap/1/ward/tap-1/down/trust", sealed, True)]
    write_trust(tmp_path, [Reporter("tap-2").entry], 2)
    fresh = (tmp_path / "trust.bin").read_bytes()
    assert handed() == [(f"wardtap/1/ward/{name}/down/trust", fresh, True) for name in ("tap-1", "tap-2")]
    pipe.connected = False
    write_trust(tmp_path, [tap.entry], 3)
    assert handed() == []
    pipe.connected = True
    assert len(handed()) == 2


def test_a_table_that_is_too_large_for_a_link_is_carried_by_hand(
    pipe: Pipe, ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_module, "BROKER_OCTETS_MAX", (tmp_path / "trust.bin").stat().st_size - 1)
    ingest.tick()
    assert not [message for message in pipe.published if message.topic.endswith("/trust")]


def test_a_damaged_or_older_trust_table_changes_nothing(tap: Reporter, trust: TrustFile, tmp_path: Path) -> None:
    write_trust(tmp_path, [tap.entry, Reporter("tap-2").entry], 5)
    assert trust.refresh()
    assert not trust.refresh()
    write_trust(tmp_path, [tap.entry], 4)
    assert not trust.refresh()
    assert "at least 5" in trust.error
    (tmp_path / "trust.bin").write_bytes(b"rubbish")
    assert not trust.refresh()
    (tmp_path / "trust.bin").unlink()
    assert not trust.refresh()
    assert len(trust.table.agents()) == 2


def test_a_trust_table_of_one_release_key_is_no_start(tap: Reporter, tmp_path: Path, clock: CaptureClock) -> None:
    write_trust(tmp_path, [tap.entry], 1)
    (tmp_path / "trust.bin").write_bytes(build_trust([tap.entry], RELEASES[:1], version=1, site="ward"))
    with pytest.raises(Refused):
        TrustFile(tmp_path / "trust.bin", tmp_path / "trust-root.json", clock)
