"""The tap under attack: whatever is thrown at it, it counts and does not grow, and the ward's own talks stay whole.

Each attack of tests/simulators/attacks.py for some seconds around a ward of a hundred established talks, through the
whole pipeline, in memory. What it costs is measured in tests/bench/flood.py. `WARDTAP_SLOW=1` plays a million frames of
each into tables of the size that is shipped.
"""

import os
from collections import Counter

import numpy as np
import pytest

from agent.config import Config
from agent.flows.cache import FlowCache, FlowLimits
from agent.flows.sets import WAYS
from agent.packets.decoder import Decoder
from agent.packets.records import TUNNEL_DEPTH_MAX, Verdict
from agent.tap.records import BURST_FRAMES_MAX
from tests.devices.bench import number
from tests.simulators.attacks import ATTACKS, deep_frames, lying_payloads, syn_flood
from tests.simulators.bursts import HASHES, SECRET, THIN, decode
from tests.simulators.floods import Table, bursts, stacked
from tests.simulators.siege import DEVICES, JOINERS, PORT, START_S, S, Siege, device, joiner

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]
LONG = bool(os.environ.get("WARDTAP_SLOW"))
QUIET_BEFORE_S, SECONDS = 10, 10
ATTACK_ENDS_S = START_S + 1 + QUIET_BEFORE_S + SECONDS  # a second of handshakes comes first
A_SECOND = 100_000 if LONG else 12_000
QUIET_S = 60  # within which everything is as before
KEPT_MIN = 99  # of the hundred talks
# What may still be allocated while the tables are full: identities of named cards (256 a second, at most 4,096 of
# 1.5 kB), findings, summaries, arrays. A leak of 100 octets a frame would be more.
GROWTH_BYTES = 5 << 20

# What each attack is told as, beside `new-device`, which names ten and counts the rest; nothing else may be said.
TOLD = {
    "syn-flood": {"table-pressure"},
    "answered-flood": {"table-pressure"},
    "wide-scan": {"table-pressure"},
    "port-scan": {"table-pressure", "port-scan"},
    "host-sweep": {"table-pressure", "host-sweep"},
    "mac-flood": {"table-pressure"},
    "arp-flood": {"table-pressure"},
    "arp-sweep": {"arp-sweep"},
    "dhcp-starvation": {"table-pressure", "dhcp-starvation"},
    "ipv6-sweep": {"table-pressure", "host-sweep"},
    "fragment-flood": {"table-pressure"},
    "deep-nesting": set(),
    "lying-below": {"table-pressure", "exploit-header"},
    "lying": set(),
    "noise": {"table-pressure", "exploit-header"},
}
NEW_DEVICES_MAX = 11
POSTURES_MAX = 3
AIMED = 4000  # flows of a collision attack: forty for each set that is meant, two for each set there is


def config() -> Config:
    """Tables as shipped, or an eighth of that for an eighth of the flood."""
    shipped = Config()
    findings = shipped.findings._replace(settling_s=5)
    if LONG:
        return shipped._replace(findings=findings)
    metering = shipped.metering
    smaller = metering._replace(
        flow_slots_max=metering.flow_slots_max // 8,
        edge_slots_max=metering.edge_slots_max // 8,
        device_slots_max=metering.device_slots_max // 4,
        fan_slots_max=metering.fan_slots_max // 8,
    )
    return shipped._replace(metering=smaller, findings=findings)


@pytest.fixture(scope="module")
def warmed() -> None:
    """Everything was imported, compiled and used once: what that takes is no attack's."""
    siege = Siege(config()).quiet(1)
    for attack in ATTACKS.values():
        siege.attack(attack, 1, A_SECOND)
    siege.end()


@pytest.fixture(scope="module", params=ATTACKS)
def besieged(request: pytest.FixtureRequest, warmed: None) -> tuple[str, Siege]:
    """A siege that is over: ten quiet seconds, ten of attack, a minute and another of quiet."""
    siege = Siege(config()).quiet(QUIET_BEFORE_S)
    siege.attack(ATTACKS[request.param], SECONDS, A_SECOND).quiet(QUIET_S).join().quiet(QUIET_S)
    siege.end()
    return request.param, siege


def test_every_frame_is_counted(besieged: tuple[str, Siege]) -> None:
    name, siege = besieged
    frames = siege.pipeline.frames
    assert frames.frames == siege.frames
    assert frames.frames == frames.processed + sum(frames.ignored().values())
    told = siege.watch.summaries
    assert sum(one.processed + sum(one.ignored.values()) for one in told) == frames.frames
    assert siege.pipeline.conserved(), name


def test_established_talks_stay_whole(besieged: tuple[str, Siege]) -> None:
    siege = besieged[1]
    assert len(siege.watch.kept) >= DEVICES
    assert siege.unbroken() >= KEPT_MIN


def test_devices_of_the_ward_keep_their_place(besieged: tuple[str, Siege]) -> None:
    table = besieged[1].pipeline.table
    macs = set(table.devices["mac"][table.occupied()].tolist())
    assert {number(device(n)[1]) for n in range(DEVICES)} <= macs


def test_memory_does_not_grow(besieged: tuple[str, Siege]) -> None:
    """From the middle of the attack, when every table is full, to its end, and after it."""
    siege = besieged[1]
    end = 1 + QUIET_BEFORE_S + SECONDS
    middle = end - SECONDS // 2
    assert max(siege.memory[middle:end]) - siege.memory[middle - 1] < GROWTH_BYTES
    assert siege.memory[-1] - siege.memory[middle - 1] < 2 * GROWTH_BYTES


def test_it_is_told_and_not_a_million_times(besieged: tuple[str, Siege]) -> None:
    name, siege = besieged
    said = Counter(one.id for one in siege.watch.findings if one.time_ns <= (ATTACK_ENDS_S + QUIET_S) * S)
    assert said.pop("new-device", 0) <= NEW_DEVICES_MAX
    assert set(said) == TOLD[name]
    assert set(said.values()) <= {1}
    if "table-pressure" in said:
        (first,) = [finding for finding in siege.watch.findings if finding.id == "table-pressure"]
        assert first.time_ns // S - START_S <= 1 + QUIET_BEFORE_S + 10, "within ten seconds"


def test_a_flood_makes_no_inventory(besieged: tuple[str, Siege]) -> None:
    """The ward's own pumps have advisories, which fold at the third; invented cards have none."""
    siege = besieged[1]
    own = {number(device(n)[1]) for n in range(DEVICES)} | {number(joiner(n)[1]) for n in range(JOINERS)}
    assert {one.mac for one in siege.watch.postures} <= own
    assert len(siege.watch.postures) <= POSTURES_MAX


def test_a_minute_later_everything_is_as_before(besieged: tuple[str, Siege]) -> None:
    name, siege = besieged
    last = siege.watch.summaries[-1]
    assert (last.flows_evicted, last.ignored) == (0, {})
    lingers = {"edges_evicted"} if name == "answered-flood" else set()  # its flows end when datagrams do: in 120 s
    assert not {"edges_evicted", "devices_evicted", "frames_unplaced"} & set(last.health) - lingers
    assert last.health["detail"] == "full"
    late = {finding.id for finding in siege.watch.findings if finding.time_ns // S > ATTACK_ENDS_S + QUIET_S}
    assert late <= {"new-device"}, "of those that joined"


def test_who_comes_a_minute_later_finds_a_place(besieged: tuple[str, Siege]) -> None:
    """And is named: neither the tables nor the identities are still full of invented cards."""
    roles = besieged[1].roles()
    assert {roles.get(number(joiner(n)[1])) for n in range(JOINERS)} == {"infusion-pump"}


def colliding(secret: tuple[int, int], wanted: set[int], sets: int) -> Table:
    """SYNs whose flows fall into some sets of a cache with this secret: what an attacker makes who knows it."""
    rng, cache, rows = np.random.default_rng(5), FlowCache(config_limits(), secret), Decoder.buffer()
    found = []
    decoder = Decoder()
    while sum(map(len, found)) < AIMED:
        table = syn_flood(rng, 8 * BURST_FRAMES_MAX)
        for start, burst in enumerate(bursts(table, START_S * S, S)):
            count = decoder.decode(burst, rows).count
            cache.hash(rows, count)
            hit = np.isin(rows["flow"][:count] & np.uint64(sets - 1), np.array(sorted(wanted), np.uint64))
            found.append(table[start * BURST_FRAMES_MAX :][:count][hit])
    return np.concatenate(found)


def config_limits() -> FlowLimits:
    """Of these tests' caches."""
    return FlowLimits(config().metering.flow_slots_max)


def sets_of_the_ward(siege: Siege) -> set[int]:
    """Where the ward's talks lie in the cache."""
    cache = siege.pipeline.workers[0].cache
    tags, slots = cache._tags, cache._slots
    ports = slots["key_ports"] >> np.uint64(32)
    ours = (ports & np.uint64(0xFFFF) == PORT) | (ports >> np.uint64(16) == PORT)
    return set((np.flatnonzero((tags != 0) & ours) // WAYS).tolist())


@pytest.mark.parametrize("known", [True, False], ids=["key-known", "key-unknown"])
def test_flows_that_are_meant_to_collide(known: bool) -> None:
    """C2: aimed at the very sets in which the ward's talks lie. Who knows no key hits them no more than anybody."""
    siege = Siege(config()).quiet(5)
    sets = config_limits().slots_max // WAYS
    aimed = colliding(SECRET if known else (1, 2), sets_of_the_ward(siege), sets)[:AIMED]
    assert len(aimed) == AIMED
    for _ in range(10):
        half = len(aimed) // 2
        siege.play_around(aimed[:half], aimed[half:])
    evicted = siege.pipeline.cache.evicted
    siege.quiet(QUIET_S).end()
    assert siege.unbroken() >= KEPT_MIN
    if known:
        assert evicted > 5 * AIMED, "it did hit them"
    else:
        assert evicted < AIMED // 10, "spread like any others: two for each set, and now and then nine meet"
    assert siege.pipeline.conserved()


def test_headers_in_headers_end_somewhere() -> None:
    """C6: each is walked to its limit and counted by its reason; none is told as what it claims to hold."""
    table = stacked(deep_frames())
    (burst,) = bursts(table, START_S * S, S)
    rows = decode(burst)
    assert {Verdict(value) for value in rows["verdict"].tolist()} <= {Verdict.TOO_DEEP, Verdict.METERED}
    assert np.count_nonzero(rows["verdict"] == Verdict.TOO_DEEP) >= 5
    assert rows["tunnels"].max() <= TUNNEL_DEPTH_MAX


def test_payloads_that_lie_cost_no_more_than_their_budget() -> None:
    """C7: every reader is reached, none raises, and what is over the budget of a second is counted."""
    siege = Siege(config()).quiet(1)
    frames = lying_payloads()
    for _ in range(20):
        siege.play(stacked(frames, 50))
    watch = siege.quiet(QUIET_S).end()
    assert siege.pipeline.frames.frames == siege.frames
    assert set(watch.ids()) <= {"new-device"}
