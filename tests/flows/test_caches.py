"""Several caches are told of as one: the same records in the same order, the same counts."""

from random import Random

import numpy as np
import pytest

from agent.flows import caches
from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.caches import KEY, FlowCaches, in_order
from agent.flows.lifecycle import SERVERS_SIZE
from agent.flows.records import BIFLOW, Rows
from tests.flows.talks import START_S, random_frames
from tests.forge.pcap import Frame
from tests.simulators.bursts import HASHES, SECRET, THIN, rows_of

pytestmark = HASHES
WHOLE = FlowLimits(slots_max=8192)
FRAMES = random_frames(Random(11), 2000 // THIN, 0.01)


def split(frames: list[Frame], workers: int) -> FlowCaches:
    """Caches that have met frames, each those of its own pairs of hosts."""
    servers = np.zeros(SERVERS_SIZE, np.uint64)
    held = [FlowCache(WHOLE, SECRET, servers) for _ in range(workers)]
    rows = rows_of(frames)
    held[0].share(rows, len(rows))
    pairs = (rows["src_lo"] ^ rows["dst_lo"]) % 7 % workers
    for number, cache in enumerate(held):
        mine = rows[pairs == number]
        list(cache.meter(mine, len(mine)))
    return FlowCaches(held)


def told(events: Rows) -> list[bytes]:
    """Records as octets, without what a slot holds between them."""
    return [record.tobytes() for record in events]


def everything(held: FlowCaches) -> list[bytes]:
    """What an interval's end, some minutes and the end give out, in order."""
    calls = (held.update(), held.expire(START_S + 100), held.expire(START_S + 300), held.expire(0, forced=True))
    return [record for call in calls for events, places in call for record in told(events.take(places))]


@pytest.mark.parametrize("workers", [2, 4])
def test_the_same_is_told_in_the_same_order(workers: int) -> None:
    one, several = split(FRAMES, 1), split(FRAMES, workers)
    assert several.next_deadline_s() == one.next_deadline_s()
    assert (several.metered, several.open, several.tcp_ways()) == (one.metered, one.open, one.tcp_ways())
    assert everything(several) == everything(one)
    assert (several.exported, several.evicted, several.open) == (one.exported, one.evicted, 0)
    assert several.conserved()


def test_who_fell_silent_first_is_told_first() -> None:
    ((events, places),) = split(FRAMES, 2).expire(0, forced=True)
    times = events["last_ns"][places].tolist()
    assert times == sorted(times)


@pytest.mark.parametrize("apart_ns", [1, 3, 500])
def test_flows_of_one_nanosecond_stand_by_their_keys(apart_ns: int) -> None:
    draw = np.random.default_rng(apart_ns)
    events = np.zeros(300, BIFLOW)
    for name in KEY:
        events[name] = draw.integers(0, apart_ns if name == "last_ns" else 4, 300)
    whole = np.lexsort([events[name] for name in KEY])
    assert [events[name][in_order(events)].tolist() for name in KEY] == [events[name][whole].tolist() for name in KEY]


def test_a_call_tells_no_more_than_a_buffer_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(split(FRAMES, 3))
    monkeypatch.setattr(caches, "EVENTS_PER_CALL", 5)
    held = split(FRAMES, 3)
    assert everything(held) == whole
    assert all(len(places) <= 5 for _, places in split(FRAMES, 3).expire(0, forced=True))


def test_nothing_is_told_of_nothing() -> None:
    held = split([], 2)
    assert everything(held) == []
    assert held.next_deadline_s() is None
    assert held.conserved()
    assert len(in_order(np.zeros(0, BIFLOW))) == 0
