"""What a second's status says, against frames that were put in."""

import numpy as np

from agent.clock import CaptureClock
from agent.jit import Hashes
from agent.service.status import ENDED, parse
from agent.service.status_book import TALKER_SECONDS, StatusBook, Talkers
from agent.spool.records import SpoolCounts
from agent.tap.records import Fault, LegCounts
from tests.devices.bench import hello, session
from tests.flows.talks import HOSTS, START_S
from tests.service.bench import Sensor, small
from tests.simulators.bursts import HASHES

pytestmark = HASHES
A, B = HOSTS[0], HOSTS[1]
S = 1_000_000_000


class Spool:
    """A spool with something lost."""

    bytes_used, backlog_bytes = 3 << 20, 100
    counts = SpoolCounts(dropped=2, given_up=3, write_errors=4)


def leg(name: str, frames: int = 0, fault: Fault = Fault.NONE) -> LegCounts:
    """A leg that lost five frames, two of them on the card, with three in the ring."""
    return LegCounts(name, frames, 5, 1, 6, frames + 3 + 3, frames, 2, 7, 8_000_000, fault)


def test_a_second() -> None:
    sensor, clock = Sensor(), CaptureClock(START_S * S)
    book = StatusBook(small(), clock)
    frames = [hello(A), hello(B), *session((A, B))]
    sensor.play(frames)
    sensor.pipeline.advance(START_S + 2)
    clock.sleep(2)
    status = book.take(sensor.pipeline, [leg("eth1", len(frames)), leg("eth2", 0, Fault.DOWN)], Spool())
    assert parse(status.to_json()) == status
    assert (status.devices, status.findings, status.flows_slots, status.workers) == (2, 1, 4096, 1), (
        "one of the tap: it sent"
    )
    assert status.flows_open + status.flows_exported == 1
    first, second = status.legs
    octets = sum(len(frame.octets) for frame in frames)
    assert (first.frames, first.octets, first.frames_per_s, first.octets_per_s) == (11, octets, 5, octets // 2)
    assert (first.dropped, first.dropped_per_s, first.frozen, first.tx_packets) == (5, 2, 1, 6)
    assert (first.waiting, first.nic_errors, first.blind_ms, first.silent_s) == (3, 7, 8, 0)
    assert (second.name, second.fault, second.frames, second.silent_s) == ("eth2", "down", 0, -1)
    assert status.spool[:1] + status.spool[2:] == (3 << 20, 100, 5, 4)
    assert 0 <= status.interval_age_s < status.interval_s
    clock.sleep(3)
    later = book.take(sensor.pipeline, [leg("eth1", len(frames))], Spool(), ENDED)
    assert later.state == ENDED
    assert (later.legs[0].frames_per_s, later.legs[0].silent_s, later.legs[0].dropped_per_s) == (0, 3, 0)


def test_who_talks() -> None:
    """Octets after the device is known count for both ends, over the last seconds."""
    sensor, clock = Sensor(), CaptureClock(START_S * S)
    book = StatusBook(small(), clock)

    def take() -> dict[str, int]:
        clock.sleep(1)
        status = book.take(sensor.pipeline, [leg("eth1")], Spool())
        return {talker.mac: talker.octets_per_s for talker in status.talkers}

    sensor.play([hello(A), hello(B)])
    take()
    frames = session((A, B), 2)
    sensor.play(frames)
    octets = sum(len(frame.octets) for frame in frames)
    assert take() == {A[1]: octets // 2, B[1]: octets // 2}
    for _ in range(TALKER_SECONDS):
        rates = take()
    assert rates == {}


def column(*values: int) -> Hashes:
    """A column of four slots."""
    return np.array(values, np.uint64)


def test_talkers_are_few_and_the_busiest_first() -> None:
    talkers = Talkers(4)
    talkers.note(column(1, 2, 3, 0), column(5, 5, 5, 0), S)
    assert talkers.top() == [], "what was before the first look is nobody's rate"
    talkers.note(column(1, 2, 3, 0), column(105, 5, 1005, 0), S)
    assert talkers.top() == [(2, 500), (0, 50)]
    assert talkers.top(1) == [(2, 500)]


def test_a_slot_s_next_owner_begins_anew() -> None:
    talkers = Talkers(4)
    for octets in (0, 1000):
        talkers.note(column(1, 2, 3, 4), column(octets, 0, 0, 0), S)
    talkers.note(column(9, 2, 3, 4), column(10, 0, 0, 0), S)
    assert talkers.top() == []
    talkers.note(column(9, 2, 3, 4), column(50, 0, 0, 0), S)
    assert talkers.top() == [(0, 10)]
