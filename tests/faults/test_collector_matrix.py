"""Rows D4, D8, E4: a broker that repeats and reorders, a flood of forgeries, a database from last night."""

import shutil
from pathlib import Path
from random import Random

from agent.clock import NS_PER_S, CaptureClock
from agent.collector.acks import Voice
from agent.collector.gate import BAD_BURST, BAD_PER_S, Gate
from agent.collector.ingest import Ingest, TrustFile
from agent.collector.records import Arrival
from agent.collector.store.database import FILE_NAME
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.collector.taps import streams
from agent.wire.chain import Chain
from tests.collector.test_ingest import Pipe
from tests.faults.matrix import tally
from tests.simulators.kit import AGENT, SITE, Kit, key_of
from tests.simulators.reporter import Reporter, damaged

FLOOD_PER_S, FLOOD_S = 10_000, 3


def collector(folder: Path, clock: CaptureClock) -> tuple[Gate, Pipe, Store, Ingest]:
    """One with a pipe of memory; the kit's taps may speak to it."""
    kit = Kit(folder / "state").lay()
    own = kit.state / "uplink"
    pipe, store = Pipe(), Store.open(folder / "collector")
    trust = TrustFile(own / "trust.bin", own / "trust-root.json", clock)
    gate = Gate(clock)
    return gate, pipe, store, Ingest(pipe, store, Voice(kit.collector), trust, clock, gate)


def tap(name: str = AGENT, key: str = "agent") -> Reporter:
    made = Reporter(name, SITE, key_of(key))
    assert isinstance(made.chain, Chain)
    return made


def test_d4_repeated_ten_times_and_in_any_order(tmp_path: Path) -> None:
    clock = CaptureClock(NS_PER_S)
    _, pipe, store, ingest = collector(tmp_path, clock)
    reporter, chance = tap(), Random(4)
    messages = [reporter.summary() if number % 4 else reporter.finding() for number in range(60)]
    arrivals = [Arrival(*message, 1) for message in messages for _ in range(10)]
    chance.shuffle(arrivals)
    pipe.waiting.extend(arrivals)
    stored = 0
    while pipe.waiting:
        stored += ingest.settle(ingest.collect(0.0))
    assert stored
    (position,) = store.positions()
    assert (position.upto, position.ranges) == (60, ())
    with reading(tmp_path / "collector") as reader:
        assert reader.rows("SELECT count(*) AS n FROM records")[0]["n"] == 60
        assert reader.rows("SELECT count(*) AS n FROM intervals")[0]["n"] == 45
        assert reader.rows("SELECT count(*) AS n FROM sightings")[0]["n"] == 15
        assert reader.rows("SELECT count(*) AS n FROM findings WHERE id='equivocation'")[0]["n"] == 0
    store.close()
    tally("D4", sent=60, faults=540, lost=0, duplicated=0)


def test_d8_a_flood_of_forgeries_does_not_delay_a_good_tap(tmp_path: Path) -> None:
    """Simulated time; what is counted are verifications, each of which costs some 0.2 ms on any machine."""
    clock = CaptureClock(NS_PER_S)
    gate, pipe, store, ingest = collector(tmp_path, clock)
    forged = damaged(tap().summary())
    good, waiting_ns, worst_ns, verified = tap("tap-2", "other-agent"), 0, 0, 0
    for tick in range(FLOOD_S * 100):
        clock.now_ns += NS_PER_S // 100
        if tick % 25 == 0:
            pipe.waiting.append(Arrival(*good.finding(), clock.now_ns))
            waiting_ns = clock.now_ns
        for _ in range(FLOOD_PER_S // 100):
            if gate.admits(forged[0]):  # as the subscriber asks before it queues
                pipe.waiting.append(Arrival(*forged, clock.now_ns))
        batch = ingest.collect(0.0)
        verified += len(batch.refusals) + len(batch.records)
        if batch.records:
            worst_ns = max(worst_ns, clock.now_ns - waiting_ns)
        ingest.settle(batch)
    store.close()
    assert verified <= BAD_BURST + FLOOD_S * BAD_PER_S + 3 * 4 + 2
    assert worst_ns <= 2 * NS_PER_S


def test_e4_a_database_from_last_night(tmp_path: Path) -> None:
    """What came since is missed by number, not in silence; sent again it is there, once."""
    clock = CaptureClock(NS_PER_S)
    _, pipe, store, ingest = collector(tmp_path, clock)
    reporter = tap()
    messages = [reporter.summary() for _ in range(30)]

    def deliver(some: list[tuple[str, bytes]]) -> None:
        pipe.waiting.extend(Arrival(*message, 1) for message in some)
        while pipe.waiting:
            ingest.settle(ingest.collect(0.0))

    deliver(messages[:10])
    store.close()
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "collector", backup)
    store._connection = Store.open(tmp_path / "collector")._connection
    deliver(messages[10:20])
    store.close()
    shutil.rmtree(tmp_path / "collector")
    shutil.copytree(backup, tmp_path / "collector")
    store._connection = Store.open(tmp_path / "collector")._connection
    deliver(messages[20:])
    with reading(tmp_path / "collector") as reader:
        (stream,) = streams(reader, SITE, AGENT)
        assert (stream["stored"], stream["waiting"], stream["lost"]) == (20, 10, 0)
    deliver(messages[5:25])
    with reading(tmp_path / "collector") as reader:
        (stream,) = streams(reader, SITE, AGENT)
        assert (stream["stored"], stream["waiting"], stream["lost"]) == (30, 0, 0)
    store.close()
    assert (tmp_path / "collector" / FILE_NAME).is_file()
    tally("E4", sent=30, faults=1, lost=0, duplicated=0)
