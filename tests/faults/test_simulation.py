"""Agent, broker and collector on one simulated clock: a thousand histories, each from its seed.

`WARDTAP_SLOW=1` runs ten thousand; `python -m tests.simulators.seeds FIRST COUNT` any others, and one seed alone again.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from agent.collector.ingest import Ingest
from agent.collector.records import Batch, Outcome, Position, Record
from agent.collector.store import ledger, writer
from agent.uplink.courier import Courier
from tests.faults.matrix import count, tally
from tests.simulators.seeds import failures, sweep
from tests.simulators.world import World

SEEDS = count("E11")
PLANTED_MAX = 30  # histories within which a planted fault must show


def test_every_history_ends_well() -> None:
    found, totals = sweep(0, SEEDS, os.cpu_count() or 1)
    assert not found, f"{len(found)} of {SEEDS}: seeds {[seed for seed, _ in found]}\n{found[0][1]}"
    assert totals["lost in silence"] == 0
    troubles = totals["processes ended"] + totals["troubles"]
    tally("E11", sent=totals["called durable"], faults=troubles, lost=totals["lost in silence"], duplicated=0)
    assert min(totals["stored"], totals["arrived again"], totals["declared lost"], totals["troubles"]) > SEEDS


# Of ten thousand. 3390: a segment was passed over whose end was in it and nowhere else, because the next one had been
# begun inside it by a sensor that died. 3765: a run's file that a full disk left empty counted as a run.
ONCE_FAILED = (3390, 3765, 8140)


def test_histories_that_once_ended_badly() -> None:
    found = failures(ONCE_FAILED)
    assert not found, found[0][1]


def test_a_seed_repeats_itself() -> None:
    with ProcessPoolExecutor(2) as pool:
        first, again, other = pool.map(_trace, (7, 7, 8))
    assert first == again != other
    assert any("power_cut" in line for line in first)


def _trace(seed: int) -> list[str]:
    world = World(seed)
    world.run()
    return world.trace


def _too_early(ingest: Ingest, batch: Batch) -> int:
    """A collector that acknowledges what it is about to store."""
    early = [Position(ledger.stream_key(record.header), record.header.seq, ()) for record in batch.records]
    ingest._pipe.publish(ingest._voice.acknowledge(early))
    ingest._store.commit(batch)
    return len(early)


def _on_puback(courier: Courier, key: Any) -> None:
    """An uplink that takes the broker's word for the collector's."""
    courier._progress.add(key.stream, key.run, key.seq, key.seq)
    for flights in courier._flights.values():
        flights.pop(key, None)


def _twice(_connection: Any, _record: Record) -> tuple[Outcome, list[str]]:
    """A store that does not look whether it has a record."""
    return Outcome.STORED, []


def _summaries_first(courier: Courier, room: int) -> list[Any]:
    """An uplink that does not know what is urgent."""
    return list(reversed(_due(courier, room)))


_due = Courier.due
PLANTED = [
    (Ingest, "settle", _too_early, "acknowledged before it was durable"),
    (Courier, "at_broker", _on_puback, "not delivered|never arrived"),
    (writer, "enter", _twice, "AssertionError"),
    (Courier, "due", _summaries_first, "a summary went before a finding"),
]


@pytest.mark.parametrize(("owner", "name", "fault", "story"), PLANTED)
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, fault: Any, story: str
) -> None:
    monkeypatch.setattr(owner, name, fault)
    for seed in range(PLANTED_MAX):
        found = failures([seed])
        if found:
            assert any(part in found[0][1] for part in story.split("|")), found[0][1]
            return
    pytest.fail(f"not found in {PLANTED_MAX} histories")
