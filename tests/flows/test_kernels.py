"""Metering and expiry against the slow twin, and what a full set, a small buffer and a used port do."""

from random import Random

import numpy as np
import pytest

from agent.flows import kernels
from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.records import BIFLOW, Direction, FlowEndReason, FlowEvent, FlowMark, FlowState, Rows
from tests.flows.talks import LIMITS, START_S, Talk, ended, of_kernel, random_frames, run, twins
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, FIN, RST, SYN
from tests.naive.biflow import S, Timeouts
from tests.simulators.bursts import HASHES, SECRET, THIN, rows_of

pytestmark = HASHES


def agree(frames: list[Frame], limits: FlowLimits = LIMITS, timeouts: Timeouts | None = None) -> Rows:
    """Kernel and twin give the same records; the kernel's."""
    records = ended(run(frames, limits)[1])
    told = sorted(of_kernel(record) for record in records)
    wanted = twins(frames, timeouts or Timeouts())
    only = [row for row in told if row not in wanted], [row for row in wanted if row not in told]
    assert told == wanted, f"only the kernel: {only[0][:3]}\nonly the twin: {only[1][:3]}"
    return records


def test_whole_session() -> None:
    talk = Talk()
    talk.handshake()
    for at_s in (1, 2):
        talk.tcp(at_s, ACK, b"question")
        talk.tcp(at_s, ACK, b"answer", back=True)
    talk.tcp(3, FIN | ACK)
    talk.tcp(3, FIN | ACK, back=True)
    talk.tcp(3, ACK)
    (record,) = agree(talk.frames)
    assert record["marks"] == FlowMark.ANSWERED | FlowMark.HANDSHAKE | FlowMark.EXCHANGED | FlowMark.TWO_WAY_DATA
    assert record["end_reason"] == FlowEndReason.END_DETECTED
    assert record["state"] & FlowState.CLOSED


@pytest.mark.parametrize("back", [False, True])
def test_reset(*, back: bool) -> None:
    talk = Talk()
    talk.tcp(0, SYN)
    talk.tcp(0, RST | ACK, back=back)
    (record,) = agree(talk.frames)
    assert record["marks"] == (FlowMark.REFUSED if back else 0)
    assert record["state"] == FlowState.SYN | FlowState.RESET | FlowState.CLOSED


def test_port_is_used_again() -> None:
    talk = Talk()
    for at_s in (0, 0.5, 1):
        talk.handshake(at_s)
        talk.tcp(at_s, RST | ACK, back=True)
    records = agree(talk.frames)
    assert records["end_reason"].tolist() == [FlowEndReason.END_DETECTED] * 3


def test_half_open_and_one_sided() -> None:
    talk = Talk()
    talk.tcp(0, SYN)
    talk.tcp(9.9, SYN)
    talk.tcp(20, SYN)  # the first ended at 19
    talk.ports = (50001, 3613)
    for at_s in (0, 100, 219, 340):
        talk.tcp(at_s, ACK, b"x")  # only one side is heard: as a datagram's
    frames = sorted(talk.frames)
    records = agree(frames)
    assert sorted(records["forward_packets"].tolist()) == [1, 1, 2, 3]


def test_unanswered_try_and_stream() -> None:
    talk = Talk(ports=(50000, 53))
    for at_s in (0, 29, 59, 60, 61, 62, 150, 271):
        talk.udp(at_s)
    assert sorted(agree(talk.frames)["forward_packets"].tolist()) == [1, 2, 5]


def test_active_timeout_cuts_and_goes_on() -> None:
    talk = Talk()
    talk.handshake()
    for at_s in range(0, 9000, 500):
        talk.tcp(at_s, ACK, b"x", back=at_s % 1000 == 0)
    records = agree(talk.frames)
    assert records["end_reason"].tolist() == [FlowEndReason.ACTIVE, FlowEndReason.ACTIVE, FlowEndReason.FORCED]
    assert set(records["direction"].tolist()) == {Direction.INITIATOR}
    assert all(record["marks"] & FlowMark.HANDSHAKE for record in records)


def test_vlans_and_versions_are_kept_apart() -> None:
    talk = Talk()
    for vlan in (0, 5, 6):
        talk.vlan = vlan
        talk.udp(0)
    assert len(agree(talk.frames)) == 3


@pytest.mark.parametrize(("first", "direction"), [(SYN, 1), (SYN | ACK, 1), (ACK, 3)])
def test_who_began(first: int, direction: int) -> None:
    talk = Talk()
    talk.tcp(0, first)
    (record,) = agree(talk.frames)
    assert record["direction"] == direction
    assert record["forward_packets"] == (0 if first == SYN | ACK else 1)


@pytest.mark.parametrize("ports", [(50000, 80), (80, 50000), (123, 123), (68, 67), (67, 68), (50000, 50001), (0, 5)])
def test_who_began_by_port(ports: tuple[int, int]) -> None:
    talk = Talk(ports=ports)
    talk.udp(0)
    agree(talk.frames)


def test_a_host_that_talks_to_itself() -> None:
    talk = Talk((("10.1.0.1", "00:d0:75:00:00:01"),) * 2, (139, 139))
    talk.tcp(0, SYN)
    talk.tcp(1, SYN)
    (record,) = agree(talk.frames)
    assert (record["forward_packets"], record["reverse_packets"]) == (2, 0)


@pytest.mark.parametrize("seed", range(12 if THIN == 1 else 2))
def test_random_talks(seed: int) -> None:
    rng = Random(seed)
    frames = random_frames(rng, 1500 // THIN, rng.choice((0.1, 2, 30, 200)))
    agree(frames)


@pytest.mark.parametrize("seed", range(4 if THIN == 1 else 1))
def test_random_talks_with_other_timeouts(seed: int) -> None:
    limits = FlowLimits(
        4096,
        tcp_idle_timeout_s=20,
        udp_idle_timeout_s=15,
        half_open_timeout_s=3,
        closed_timeout_s=1,
        active_timeout_s=60,
    )
    timeouts = Timeouts(20 * S, 15 * S, 3 * S, 1 * S, 60 * S, 15 * S)
    agree(random_frames(Random(100 + seed), 1500 // THIN, 1), limits, timeouts)


@pytest.mark.parametrize("room", [kernels.EVENTS_PER_PACKET, 5, 7, 64])
def test_small_buffer_is_resumed(room: int) -> None:
    """Whatever fits into `out`, the records are the same, and what their events tell adds up to the same."""
    frames = random_frames(Random(3), 400 // THIN, 0.01)
    rows = rows_of(frames)

    def events(size: int) -> Rows:
        cache = FlowCache(FlowLimits(slots_max=64), SECRET)
        cache._out = np.zeros(size, BIFLOW)
        told = [copies.copy() for copies in cache.meter(rows, len(rows))]
        cache._out = np.zeros(max(size, kernels.GROUP), BIFLOW)
        told += [copies.copy() for copies in cache.update()]
        told += [copies.copy() for copies in cache.expire(0, forced=True)]
        assert cache.conserved()
        return np.concatenate(told)

    whole, pieces = events(4096), events(room)
    assert len(pieces) >= len(whole), "a call that ends early tells more often"
    assert [of_kernel(record) for record in ended([whole])] == [of_kernel(record) for record in ended([pieces])]
    for told in (whole, pieces):
        since = told["forward_packets"].astype(np.int64) - told["told_forward_packets"].astype(np.int64)
        assert since.sum() == ended([told])["forward_packets"].sum(dtype=np.int64)
        assert np.count_nonzero(told["event"] == FlowEvent.STARTED) == len(ended([told]))


def test_events_tell_of_starts_progress_and_ends_once() -> None:
    talk = Talk()
    talk.handshake()
    for _ in range(3):
        talk.tcp(1, ACK, b"x")
        talk.tcp(1, ACK, b"y", back=True)
    cache, told, rows = FlowCache(LIMITS, SECRET), [], rows_of(talk.frames)
    for row in range(len(rows)):
        told += [copies.copy() for copies in cache.meter(rows[row : row + 1], 1)]
    told += [copies.copy() for copies in cache.expire(0, forced=True)]
    events, steps = np.concatenate(told), FlowEvent.PROGRESS
    assert events["event"].tolist() == [FlowEvent.STARTED, steps, steps, steps, steps, FlowEvent.ENDED]
    marks = events["marks"].tolist()
    assert marks == sorted(marks), "a mark is never taken back"


def test_what_happens_in_one_burst_is_one_event() -> None:
    talk = Talk()
    talk.handshake()
    for back in (False, True, False, True):
        talk.tcp(0, ACK, b"x", back=back)
    cache, rows = FlowCache(LIMITS, SECRET), rows_of(talk.frames)
    (events,) = [copies.copy() for copies in cache.meter(rows, len(rows))]
    assert events["event"].tolist() == [FlowEvent.STARTED]
    assert events["marks"][0] == FlowMark.ANSWERED | FlowMark.HANDSHAKE | FlowMark.EXCHANGED | FlowMark.TWO_WAY_DATA
    assert events["forward_packets"][0] + events["reverse_packets"][0] == len(rows)
    assert not list(cache.update()), "all of it was told"


def test_a_flow_that_begins_and_ends_in_one_burst_is_told_of_twice() -> None:
    talk = Talk()
    talk.handshake()
    talk.tcp(0, RST)
    talk.handshake()  # the port is used again
    cache, rows = FlowCache(LIMITS, SECRET), rows_of(talk.frames)
    (events,) = [copies.copy() for copies in cache.meter(rows, len(rows))]
    assert events["event"].tolist() == [FlowEvent.STARTED, FlowEvent.ENDED, FlowEvent.STARTED]
    assert events["told_forward_packets"].tolist() == [0, events["forward_packets"][0], 0]


def test_time_backwards_ends_nothing_and_loses_nothing() -> None:
    talk = Talk()
    for at_s in (100, 0, 50, 101, -1000, 102):
        talk.udp(at_s, b"x", back=at_s == 50)
    (record,) = ended(run(talk.frames)[1])
    assert (record["forward_packets"], record["reverse_packets"]) == (5, 1)
    assert record["last_ns"] == (START_S + 102) * S


def test_next_deadline_is_never_late() -> None:
    rng = Random(9)
    rows = rows_of(random_frames(rng, 300 // THIN, 1))
    cache = FlowCache(LIMITS, SECRET)
    list(cache.meter(rows, len(rows)))
    last_s = int(rows["time_ns"].max()) // S
    list(cache.expire(last_s))
    ends = 0
    while (due := cache.next_deadline_s()) is not None:
        assert due > last_s
        list(cache.expire(due - 1))
        last_s = due
        ends += sum(len(copies) for copies in cache.expire(due))
    assert ends > 0
    assert cache.counts[kernels.IN_TABLE] == 0


def test_round_trips_of_the_handshake() -> None:
    talk = Talk()
    talk.tcp(0, SYN)
    talk.tcp(1, SYN)  # resent: the watch starts anew
    talk.tcp(1.002, SYN | ACK, back=True)
    talk.tcp(1.0025, ACK)
    talk.tcp(2, ACK, b"x")
    (record,) = agree(talk.frames)
    assert abs(int(record["rtt_responder_us"]) - 2000) <= 1, "times are floats here"
    assert abs(int(record["rtt_originator_us"]) - 500) <= 1


def test_no_round_trip_without_its_segments() -> None:
    for keep in ([1, 2], [0, 2], [2]):
        talk = Talk()
        talk.handshake()
        talk.frames[:] = [talk.frames[index] for index in keep]
        (record,) = agree(talk.frames)
        assert (record["rtt_responder_us"], record["rtt_originator_us"]) == (0, 0)


def test_nine_hours_of_one_packet_a_minute_are_one_flow_and_540_differences() -> None:
    talk = Talk()
    talk.handshake()
    cache, told, minutes = FlowCache(FlowLimits(slots_max=256, active_timeout_s=10 * 3600), SECRET), [], 540
    for minute in range(minutes):
        talk.tcp(60 * minute + 1, ACK, b"beat", back=minute % 2 == 1)
    rows, start = rows_of(talk.frames), 0
    for minute in range(minutes):
        stop = 3 + minute + 1
        told += [copies.copy() for copies in cache.expire(START_S + 60 * minute)]
        told += [copies.copy() for copies in cache.meter(rows[start:stop], stop - start)]
        told += [copies.copy() for copies in cache.update()]
        start = stop
    told += [copies.copy() for copies in cache.expire(0, forced=True)]
    events = np.concatenate(told)
    moved = [
        sum(int(event[f"{side}_octets"]) - int(event[f"told_{side}_octets"]) for side in ("forward", "reverse"))
        for event in events
    ]
    assert np.count_nonzero(events["event"] == FlowEvent.STARTED) == 1
    (record,) = ended([events])
    assert record["last_ns"] - record["first_ns"] == (60 * (minutes - 1) + 1) * S
    assert sum(octets > 0 for octets in moved) == minutes, "each minute has its own difference"
    assert sum(moved) == record["forward_octets"] + record["reverse_octets"] == rows["l3_octets"].sum()


def test_the_active_timeout_cuts_records_and_not_the_flow() -> None:
    talk = Talk()
    talk.handshake()
    for minute in range(1, 150):
        talk.tcp(60 * minute, ACK, b"beat")
    records = agree(talk.frames)
    assert records["end_reason"].tolist() == [FlowEndReason.ACTIVE, FlowEndReason.ACTIVE, FlowEndReason.FORCED]
    assert records["forward_packets"].sum() + records["reverse_packets"].sum() == len(talk.frames)
