"""The cache's own promises: limits, timeouts as rows, deadlines, updates of living flows, keyed places."""

from random import Random

import numpy as np
import pytest

from agent.flows import lifecycle
from agent.flows.cache import EVENTS_PER_CALL, UNANSWERED_TIMEOUT_S, FlowCache, FlowLimits, Ways
from agent.flows.records import FlowEvent
from tests.flows.talks import START_S, Talk, ended, random_frames, run
from tests.forge.tcp import ACK, SYN
from tests.simulators.bursts import HASHES, SECRET, THIN, rows_of

pytestmark = HASHES


def metered(talk: Talk, limits: FlowLimits | None = None) -> FlowCache:
    """A cache that has met a talk."""
    cache = FlowCache(limits or FlowLimits(slots_max=64), SECRET)
    rows = rows_of(talk.frames)
    assert sum(len(copies) for copies in cache.meter(rows, len(rows)))
    return cache


@pytest.mark.parametrize("slots", [0, 32, 65, 1000])
def test_slots_are_a_power_of_two(slots: int) -> None:
    with pytest.raises(AssertionError):
        FlowLimits(slots_max=slots)


def test_limits_as_the_kernel_takes_them() -> None:
    assert FlowLimits().as_row().tolist() == [600, 120, 10, 2, 3600, UNANSWERED_TIMEOUT_S]
    short = FlowLimits(udp_idle_timeout_s=5).as_row()
    assert short[lifecycle.UNANSWERED] == 5, "a try never lasts longer than a stream"
    assert len(short) == lifecycle.LIMITS


def test_nothing_metered_has_no_deadline() -> None:
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    assert cache.next_deadline_s() is None
    assert list(cache.expire(1 << 40)) == []
    assert (cache.metered, cache.exported, cache.evicted, cache.conserved()) == (0, 0, 0, True)


def test_deadline_of_one_flow() -> None:
    talk = Talk()
    talk.handshake()
    cache = metered(talk)
    assert cache.next_deadline_s() == START_S + 10, "as it was when half-open: early, never late"
    assert not list(cache.expire(START_S + 10))
    assert cache.next_deadline_s() == START_S + 600
    assert not list(cache.expire(START_S + 599))
    (records,) = cache.expire(START_S + 600)
    assert len(records) == cache.exported == 1
    assert cache.metered == 3


def test_a_whole_burst_fits_one_call() -> None:
    frames = random_frames(Random(1), 8192 // THIN, 0.001)
    rows = rows_of(frames)
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    assert len(list(cache.meter(rows, len(rows)))) == 1
    assert EVENTS_PER_CALL == 4 * 8192


def test_update_tells_of_what_moved_and_only_once() -> None:
    talk = Talk()
    talk.handshake()
    cache = metered(talk)
    assert [len(copies) for copies in cache.update()] == []  # the last event told of all three packets
    talk.frames.clear()
    talk.tcp(1, ACK, b"x")
    talk.tcp(1, ACK, b"y")
    rows = rows_of(talk.frames)
    assert not list(cache.meter(rows, 2)), "no mark was set"
    (copies,) = cache.update()
    (record,) = copies
    assert record["event"] == FlowEvent.UPDATED
    assert record["forward_packets"] - record["told_forward_packets"] == 2
    assert record["forward_octets"] - record["told_forward_octets"] == 82
    assert not list(cache.update())
    assert cache.conserved()


def test_differences_of_all_events_add_up_to_the_records() -> None:
    """What is told since the last event, summed, is what the flow did: nothing twice, nothing lost."""
    frames = random_frames(Random(4), 3000 // THIN, 1)
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    rows = rows_of(frames)
    events = []
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        events += [copies.copy() for copies in cache.expire(int(part["time_ns"][0]) // 10**9)]
        events += [copies.copy() for copies in cache.meter(part, len(part))]
        events += [copies.copy() for copies in cache.update()]
    events += [copies.copy() for copies in cache.expire(0, forced=True)]
    told, records = np.concatenate(events), ended(events)
    for side in ("forward", "reverse"):
        for name in ("packets", "octets"):
            since = told[f"{side}_{name}"].astype(np.int64) - told[f"told_{side}_{name}"].astype(np.int64)
            assert (since >= 0).all()
            assert since.sum() == records[f"{side}_{name}"].sum(dtype=np.int64)
    assert rows["l3_octets"].sum() == (records["forward_octets"] + records["reverse_octets"]).sum()


def test_each_cache_draws_its_own_secret() -> None:
    talk = Talk()
    talk.udp(0)
    places = set()
    for _ in range(8):
        cache = FlowCache(FlowLimits(slots_max=1 << 14))
        rows = rows_of(talk.frames)
        list(cache.meter(rows, 1))
        places.add(int(np.flatnonzero(cache._tags)[0]))
    assert len(places) > 1


def test_which_ways_connections_are_heard() -> None:
    """Tries that nobody answers say nothing of the cabling; segments in one way only do."""
    both, tries, one, other = (Talk(ports=(50000 + n, 3613)) for n in range(4))
    both.handshake()
    for n in range(3):
        tries.tcp(n, SYN)
    for n in range(4):
        one.tcp(n, ACK, b"data")
        other.udp(n, b"data")
    rows = rows_of([*both.frames, *tries.frames, *one.frames, *other.frames])
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    assert cache.tcp_ways() == (0, 0, 0)
    list(cache.meter(rows, len(rows)))
    assert cache.open == 4
    assert cache.tcp_ways() == Ways(flows=3, both=1, one=1)
    assert sum(cache.tcp_ways(2)) <= 2 * 2, "no more rows are looked at than asked for"
    for _ in cache.expire(0, forced=True):
        pass
    assert (cache.open, cache.tcp_ways()) == (0, (0, 0, 0))


def test_ignored_rows_are_not_metered() -> None:
    talk = Talk()
    talk.udp(0, b"x")
    frames = [frame._replace(octets=frame.octets[:20]) for frame in talk.frames] + talk.frames
    cache, events = run(frames)
    assert cache.metered == len(ended(events)) == 1
