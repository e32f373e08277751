"""A full table: who has to go, that every packet stays counted, and what is told of it."""

from random import Random

import numpy as np
import pytest

from agent.flows import kernels, sets
from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.records import FlowEndReason, FlowEvent, FlowMark, FlowState
from tests.flows.talks import HOSTS, START_S, Talk, ended, random_frames, run
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, RST, SYN
from tests.forge.udp import Udp
from tests.naive.biflow import S
from tests.simulators.bursts import HASHES, SECRET, THIN, rows_of

pytestmark = HASHES


def flood(count: int, seed: int = 1) -> list[Frame]:
    """Single datagrams with random addresses and ports."""
    rng, frames = Random(seed), []
    for number in range(count):
        ends = tuple(f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}" for _ in range(2))
        packet = Ipv4(*ends, UDP).octets(
            Udp(rng.randrange(65536), rng.randrange(65536)).octets(*ends, b"x" * rng.randrange(9))
        )
        frames.append(Frame(START_S * S + number * 1000, b"\2" * 12 + b"\x08\0" + packet))
    return frames


def test_flood_of_tuples_keeps_every_packet_and_octet() -> None:
    frames = flood(6000 // THIN)
    cache, events = run(frames, FlowLimits(slots_max=256))
    records = ended(events)
    assert int((records["forward_packets"] + records["reverse_packets"]).sum()) == len(frames)
    octets = int(rows_of(frames)["l3_octets"].sum())
    assert int((records["forward_octets"] + records["reverse_octets"]).sum()) == octets
    assert cache.evicted == np.count_nonzero(records["end_reason"] == FlowEndReason.LACK_OF_RESOURCES) > 0
    assert cache.counts[kernels.IN_TABLE] == 0
    assert cache.exported == len(records) == cache.counts[kernels.CREATED]


def test_who_stays_when_there_is_no_room() -> None:
    """Sixty-four slots are eight sets: a flood takes tries and half-open flows, never the two that are established."""
    keep: list[Frame] = []
    for port in (50000, 50001):
        talk = Talk(ports=(port, 3613), frames=keep)
        talk.handshake()
        talk.tcp(0, ACK, b"order")
        talk.tcp(0, ACK, b"taken", back=True)
    weak = Talk(ports=(50002, 445), frames=keep)
    weak.tcp(0, SYN)
    frames = keep + flood(800 // THIN)
    _, events = run(frames, FlowLimits(slots_max=64))
    records = ended(events)
    strong = records[records["marks"] & FlowMark.EXCHANGED != 0]
    assert strong["end_reason"].tolist() == [FlowEndReason.FORCED] * 2
    assert FlowEndReason.LACK_OF_RESOURCES in records["end_reason"]


def test_closed_flows_go_before_all_others() -> None:
    """The smallest table has eight sets of eight slots; 120 flows fill them all."""
    frames: list[Frame] = []
    for port in range(40000, 40040):
        talk = Talk(ports=(port, 3613), frames=frames)
        talk.handshake()
        if port % 2:
            talk.tcp(0, RST, back=True)
    for port in range(41000, 41080):
        talk = Talk(ports=(port, 3613), frames=frames)
        talk.handshake(0.5)
    _, events = run(frames, FlowLimits(slots_max=64))
    out = ended(events)
    out = out[out["end_reason"] == FlowEndReason.LACK_OF_RESOURCES]
    closed = out["state"] & FlowState.CLOSED != 0
    assert closed[:5].all(), "the first to go are closed"
    assert np.count_nonzero(closed) <= 20


def worth(flow: np.void) -> int:
    """Closed, half open, one side heard, both heard, two payloads each way: who is more stays longer."""
    if flow["state"] & FlowState.CLOSED:
        return 0
    if flow["state"] & FlowState.SYN and not flow["state"] & FlowState.ESTABLISHED:
        return 1
    if not (flow["forward_packets"] and flow["reverse_packets"]):
        return 2
    return 4 if flow["marks"] & FlowMark.TWO_WAY_DATA else 3


STEP_NS = 1 << 20  # silence is compared in such steps


@pytest.mark.parametrize("seed", range(3 if THIN == 1 else 1))
def test_who_is_given_up_is_the_least_worthy_of_its_set_and_of_those_the_longest_silent(seed: int) -> None:
    """Packet by packet, against a look at all eight rows."""
    frames = random_frames(Random(40 + seed), 3000 // THIN, 0.05) + flood(300 // THIN)
    rows = rows_of(sorted(frames))
    cache, given_up = FlowCache(FlowLimits(slots_max=64), SECRET), 0
    for i in range(len(rows)):
        before = cache._slots.copy()
        for record in np.concatenate(
            [cache.no_events(), *(copies.copy() for copies in cache.meter(rows[i : i + 1], 1))]
        ):
            if record["end_reason"] != FlowEndReason.LACK_OF_RESOURCES:
                continue
            given_up += 1
            (slot,) = np.flatnonzero(
                (before["key_ports"] == record["key_ports"])
                & (before["first_ns"] == record["first_ns"])
                & (before["key_lo_lo"] == record["key_lo_lo"])
                & (before["key_hi_lo"] == record["key_hi_lo"])
            )
            base = slot - slot % sets.WAYS
            ranks = [(worth(flow), int(flow["last_ns"]) // STEP_NS) for flow in before[base : base + sets.WAYS]]
            assert ranks[slot - base] == min(ranks)
    assert given_up > 50 // THIN
    assert cache.conserved()


def test_an_end_that_is_no_news_is_counted_and_not_told() -> None:
    """A million tries are a million starts; that their flows left for lack of room says nothing of them."""
    frames: list[Frame] = []
    for number in range(300):
        Talk((HOSTS[0], (f"10.2.{number >> 8}.{number & 255}", HOSTS[1][1])), (40000, 80), frames=frames).tcp(
            number / 300, SYN
        )
    refused, clinical = Talk(ports=(50001, 22), frames=frames), Talk(ports=(50002, 2575), frames=frames)
    refused.tcp(2, SYN)
    refused.tcp(2, RST | ACK, back=True)
    clinical.tcp(2, SYN)
    clinical.tcp(2, ACK, b"MSH|")
    frames += [frame._replace(time_ns=frame.time_ns + 3 * S) for frame in flood(200)]
    rows = rows_of(frames)
    told, caches = [], []
    for every_end in (True, False):
        caches.append(FlowCache(FlowLimits(slots_max=64), SECRET))
        caches[-1].hash(rows, len(rows))
        told.append(np.concatenate([c.copy() for c in caches[-1].meter_hashed(rows, len(rows), every_end=every_end)]))
        assert caches[-1].conserved()
    whole, brief = told
    assert caches[0].counts.tolist() == caches[1].counts.tolist()
    starts = [np.count_nonzero(events["event"] == FlowEvent.STARTED) for events in told]
    assert starts[0] == starts[1] == caches[0].counts[kernels.CREATED]
    left = brief[brief["event"] == FlowEvent.ENDED]
    assert len(left) < len(ended([whole])) // 20
    ports = {int(key) >> shift & 0xFFFF for key in left["key_ports"] for shift in (32, 48)}
    assert {22, 2575} <= ports, "somebody refused, and a clinical protocol was spoken"
    assert 80 not in ports
