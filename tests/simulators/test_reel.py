"""Strips are heard when their routine says, within its windows, in order of time; one seed is one ward."""

from collections import Counter

import numpy as np
import pytest

from agent.tap.records import BURST_FRAMES_MAX
from tests.forge import arp
from tests.forge.pcap import Frame
from tests.simulators.medium import S
from tests.simulators.reel import Reel, Store, Strip, both, within, without

START_NS = 1_793_577_600 * S
A, B = ("02:00:00:00:00:0a", "10.1.1.1"), ("02:00:00:00:00:0b", "10.1.1.2")


def reel() -> tuple[Reel, Strip]:
    """A reel, and a question with its answer a second later."""
    made = Reel(7, START_NS)
    asked = [Frame(START_NS, arp.request(A, B[1])), Frame(START_NS + S, arp.reply(B, A))]
    return made, made.store.keep(asked, START_NS)


def seconds(made: Reel, stop_s: float) -> list[float]:
    """When frames are heard."""
    rows = np.concatenate(list(made.chunks(0, stop_s)))
    return [float(t) for t in (rows["time_ns"] - START_NS) / S]


def test_a_routine_comes_again_within_its_windows() -> None:
    made, strip = reel()
    made.again(strip, 600, [(1000, 4000), (8000, 9000)], jitter=0.1)
    times = seconds(made, 4 * 3600)
    assert times == sorted(times)
    assert all(1000 <= t < 4000 or 8000 <= t < 9000 for t in times)
    assert len(times) == 2 * 6 or len(times) == 2 * 7


def test_chunks_cut_nothing() -> None:
    made, strip = reel()
    made.once(3599.5, strip)
    assert seconds(made, 7200) == [3599.5, 3600.5]


def test_one_seed_is_one_ward() -> None:
    told = []
    for _ in range(2):
        made, strip = reel()
        made.again(strip, 60, [(0, 1e9)], jitter=0.4)
        made.missed = 0.1
        told.append(seconds(made, 7200))
    assert told[0] == told[1]
    assert 0.8 * 240 < len(told[0]) < 240


def test_hours_of_the_day_and_the_end_of_summer() -> None:
    made, strip = reel()
    made.again(strip, 60, [(0, 1e9)], jitter=0.0, active=tuple(float(hour == 2) for hour in range(24)))
    made.summer_ends_s = 86_400
    hours = Counter(int(t // 3600) for t in seconds(made, 2 * 86_400))
    assert set(hours) == {2, 24 + 3}


@pytest.mark.parametrize(("kind", "left"), [("mute", [B[0]]), ("dark", [])])
def test_who_is_mute_or_dark(kind: str, left: list[str]) -> None:
    made, strip = reel()
    made.once(10, strip)
    getattr(made, kind).append((A[0], (0, 100)))
    rows = np.concatenate(list(made.chunks(0, 3600)))
    (burst,) = list(made.bursts(rows)) or [None]
    senders = (
        []
        if burst is None
        else [burst.octets[at + 6 : at + 12].tobytes().hex(":") for at in burst.frames["offset"].tolist()]
    )
    assert senders == left


def test_bursts_are_no_larger_than_a_legs() -> None:
    made, strip = reel()
    made.again(strip, 0.5, [(0, 1e9)])
    bursts = list(made.bursts(np.concatenate(list(made.chunks(0, 3600)))))
    assert [burst.count for burst in bursts[:-1]] == [BURST_FRAMES_MAX] * (len(bursts) - 1)
    assert 14_390 <= sum(burst.count for burst in bursts) <= 14_400  # jitter moves some over the edge


def test_windows() -> None:
    assert without([(0, 10)], [(2, 3), (5, 20)]) == ((0, 2), (3, 5))
    assert both([(0, 5), (7, 9)], [(4, 8)]) == ((4, 5), (7, 8))
    assert within(np.array([1.0, 2.0, 3.0]), [(1, 2), (3, 4)]).tolist() == [True, False, True]
    assert not within(np.array([1.0]), []).any()


def test_the_store_gives_what_was_added_since() -> None:
    store = Store()
    store.keep([Frame(0, b"one")], 0)
    first = store.frozen()
    assert store.frozen() is first
    store.keep([Frame(0, b"two")], 0)
    assert store.frozen().tobytes() == b"onetwo"
