"""What an attack may make the tap remember: flows where nobody can aim, contacts and names by share, fragments by slot.

Beside tests/faults/test_floods.py, which says what the ward keeps; here it is what the attacker gets.
"""

from collections import Counter

import numpy as np
import pytest

from agent.devices import trying
from agent.devices.statistics import distinct
from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.sets import WAYS
from agent.packets.budgets import HINTS_PER_SECOND
from agent.packets.decoder import Decoder
from agent.packets.records import Verdict
from agent.tap.records import BURST_FRAMES_MAX
from tests.devices.bench import number
from tests.faults.test_floods import config
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import MORE_FRAGMENTS, UDP, Ipv4
from tests.forge.udp import Udp
from tests.simulators.attacks import (
    ATTACKER,
    ATTACKER_MAC,
    VICTIM,
    VICTIM_MAC,
    Attack,
    dhcp_starvation,
    host_sweep,
    ipv6_sweep,
    lying_headers,
    syn_flood,
    wide_scan,
)
from tests.simulators.bursts import HASHES, SECRET, THIN, Heard, burst_of
from tests.simulators.floods import IP4_DST, IP4_ID, Table, bursts, octets_of, stacked, stamped
from tests.simulators.siege import START_S, S, Siege

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]
SECONDS, A_SECOND = 5, 12_000
STANDARD_ERROR = 0.046  # of the distinct counts (docs/statistics.md)


def rows_of_table(decoder: Decoder, table: Table) -> np.ndarray:  # type: ignore[type-arg]
    """Decoded, whatever their number."""
    parts, rows = [], decoder.buffer()
    for burst in bursts(table, START_S * S, S):
        count = decoder.decode(burst, rows).count
        parts.append(rows[:count].copy())
    return np.concatenate(parts)


@pytest.mark.parametrize("stride", [1, 256, 65_536])
def test_flows_that_differ_by_a_pattern_fall_into_sets_as_if_drawn(stride: int) -> None:
    """C2, key unknown: addresses that count up, in steps that a plain hash would fold into few sets."""
    flows, sets = 60_000, 4096
    one = syn_flood(np.random.default_rng(0), 1)[0].tobytes()
    table = stamped(one, flows, {IP4_DST: octets_of(np.arange(flows) * stride, 4)})
    rows = rows_of_table(Decoder(), table)
    cache = FlowCache(FlowLimits(sets * WAYS), SECRET)
    cache.hash(rows, len(rows))
    held = np.bincount((rows["flow"] & np.uint64(sets - 1)).astype(np.int64), minlength=sets)
    mean = flows / sets
    assert held.max() < mean + 7 * mean**0.5, "Poisson: once in a million sets"
    assert abs(held.var() / mean - 1) < 0.15


@pytest.mark.parametrize(
    ("scan", "at"), [(wide_scan, IP4_DST), (host_sweep, IP4_DST), (ipv6_sweep, 38)], ids=["wide", "hosts", "ipv6"]
)
def test_a_scan_leaves_its_share_of_contacts_and_an_estimate_of_the_rest(scan: Attack, at: int) -> None:
    """C3, C4: detail has a bound, the number of those tried is known within the sketch's error, octets are exact."""
    siege, tried = Siege(config()).quiet(2), []
    octets = 0
    for _ in range(SECONDS):
        table = scan(siege.rng, A_SECOND)
        tried.append(table[:, at : at + (16 if at == 38 else 4)].copy())
        octets += table.size
        siege.play(table)
    truth = len(np.unique(np.concatenate(tried), axis=0))
    devices = siege.pipeline.table
    (slot,) = np.flatnonzero(devices.devices["mac"] == number(ATTACKER_MAC))
    contacts = np.count_nonzero((devices.edges["protocol"] != 0) & (devices.edges["device"] == slot))
    assert contacts <= trying.TRIES_KEPT + trying.TRIES_A_SECOND * (SECONDS + 1)
    stat = devices.stats[slot]
    assert abs(distinct(stat["peers"], int(stat["peers_used"])) / truth - 1) < 3 * STANDARD_ERROR
    assert devices.devices["flows_started"][slot] >= truth
    assert devices.devices["tx_octets"][slot] == octets
    siege.end()
    told = sum(int(one.health.get("edges_evicted", 0)) for one in siege.watch.summaries)
    assert told >= truth - contacts - SECONDS, "what is not kept is counted"


def test_names_of_a_starvation_are_heard_by_budget_and_the_rest_is_counted() -> None:
    siege = Siege(config()).quiet(1)
    for _ in range(SECONDS):
        siege.play(dhcp_starvation(siege.rng, A_SECOND))
    skipped = siege.pipeline.hints_skipped
    siege.end()
    assert SECONDS * (A_SECOND - HINTS_PER_SECOND) <= skipped < SECONDS * A_SECOND
    assert sum(int(one.health["hints_skipped"]) for one in siege.watch.summaries) == skipped


def fragments(parts: list[tuple[int, int, int]], ids: int) -> Table:
    """For every id the same parts of a datagram: (offset, octets, more flag)."""
    piece = Udp(4000, 4001).octets(ATTACKER, VICTIM, bytes(64))
    frames = [
        ethernet(
            VICTIM_MAC, ATTACKER_MAC, IPV4, Ipv4(ATTACKER, VICTIM, UDP, flags=more, offset=at).octets(piece[:size])
        )
        for at, size, more in parts
    ]
    table = stacked(frames, ids)
    table[:, IP4_ID : IP4_ID + 2] = np.repeat(octets_of(np.arange(ids) & 0xFFFF, 2), len(parts), axis=0)
    return table


PARTS = {
    "tiny": [(0, 8, MORE_FRAGMENTS), (8, 8, MORE_FRAGMENTS)],  # the least that a router may send
    "cut-in-the-header": [(0, 4, MORE_FRAGMENTS), (8, 8, 0)],  # ports, and no checksum
    "overlapping": [(0, 64, MORE_FRAGMENTS), (8, 64, MORE_FRAGMENTS), (0, 64, MORE_FRAGMENTS)],
    "later-first": [(64, 16, 0), (0, 64, MORE_FRAGMENTS)],
    "never-finished": [(65_528, 8, MORE_FRAGMENTS)],
}


@pytest.mark.parametrize("kind", PARTS)
def test_open_datagrams_of_every_id_take_no_more_room_than_few(kind: str) -> None:
    """C5: 65,536 ids at once. The places are counted from the start; each frame is metered, none is put together."""
    siege = Siege(config()).quiet(1)
    before = siege.pipeline.workers[0].decoder._fragments.nbytes
    table = fragments(PARTS[kind], 1 << 16)
    for _ in range(2):
        siege.play(table)
    assert siege.pipeline.workers[0].decoder._fragments.nbytes == before
    frames = siege.pipeline.frames
    assert frames.verdicts[Verdict.METERED] + frames.verdicts[Verdict.LINK] + frames.duplicates == siege.frames
    assert siege.memory[-1] - siege.memory[-2] < 1 << 20, "the second time"
    siege.quiet(60).end()
    assert siege.unbroken() >= 99
    assert set(siege.watch.ids()) <= {"new-device", "flood"}, "a device that sends so many is named"
    assert siege.watch.ids()["flood"] <= 2, "once for the port, once for parts without one"


def test_headers_that_lie_are_each_counted_by_their_reason() -> None:
    """C7: what a header says beyond the frame is believed by nobody; a lie further up costs ports only."""
    frames = lying_headers()
    rows = Decoder.buffer()
    decoder = Decoder()
    decoder.decode(burst_of(Heard(frame) for frame in frames), rows)
    told = Counter(Verdict(value).name for value in rows["verdict"][: len(frames)].tolist())
    assert set(told) == {"METERED", "LINK", "MALFORMED", "TOO_DEEP"}
    assert told["MALFORMED"] >= 10
    ends = rows["payload"][: len(frames)] + rows["payload_caplen"][: len(frames)]
    assert (rows["payload_caplen"][: len(frames)] <= max(map(len, frames))).all()
    assert (ends <= sum(map(len, frames)) + 2 * BURST_FRAMES_MAX).all()
