"""The table's own promises: lists are told once, counts add up over summaries, a lost slot takes its edges with it."""

from ipaddress import ip_address
from random import Random

import numpy as np
import pytest

from agent.devices.records import EDGE, DeviceFlag
from agent.devices.table import DeviceLimits, DeviceTable, address_text, site_rows
from agent.flows.records import FlowEvent
from agent.service.limits import SCAN_TEST
from tests.devices.bench import IN, OUT, Bench, hello, session, small
from tests.flows.talks import HOSTS, HOSTS6, START_S, random_frames
from tests.forge import arp
from tests.forge.pcap import Frame
from tests.simulators.bursts import HASHES, THIN, rows_of

pytestmark = HASHES
A, B = HOSTS[0], HOSTS[1]
GREETINGS = [hello(end) for end in HOSTS]
S = 1_000_000_000


@pytest.mark.parametrize("slots", [0, 32, 100])
def test_slots_are_powers_of_two(slots: int) -> None:
    for place in range(3):
        wrong = [256, 256, 256]
        wrong[place] = slots
        with pytest.raises(AssertionError):
            DeviceLimits(*wrong, (), SCAN_TEST)
    with pytest.raises(AssertionError):
        DeviceLimits(256, 256, 256, (), SCAN_TEST[:-1])


def test_networks_as_rows() -> None:
    (one, two) = site_rows(("203.0.113.77/24", "2001:db8::/32")).tolist()
    assert one == [0, 0xFFFF_CB00_7100, 2**64 - 1, 0xFFFF_FFFF_FFFF_FF00]
    assert two == [0x20010DB8 << 32, 0, 0xFFFFFFFF << 32, 0]
    assert site_rows(("0.0.0.0/0",)).tolist() == [[0, 0xFFFF << 32, 2**64 - 1, 0xFFFFFFFF << 32]]
    (nothing,) = site_rows(())
    assert nothing[0] & nothing[2] != nothing[0], "no address matches it"


@pytest.mark.parametrize("text", ["10.0.0.1", "255.255.255.255", "::1", "fe80::1", "2001:db8::5"])
def test_addresses_as_people_write_them(text: str) -> None:
    address = ip_address(text)
    raw = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
    assert address_text(raw >> 64, raw & 2**64 - 1) == text


def test_new_edges_are_told_once() -> None:
    table = Bench().hear(GREETINGS + session((A, B))).table
    assert table.has_news()
    assert sorted(table.take_edges()["direction"].tolist()) == [OUT, IN]
    table.take_promoted()
    assert not table.has_news()
    assert not len(table.take_edges())


def test_edges_are_taken_as_they_are() -> None:
    """Random rows: copies equal to the table's, marked as told, without those of a device that lost its slot."""
    random, table = np.random.default_rng(20_261_102), Bench(small(edges=4096)).table
    for _ in range(20):
        table.edges[:] = np.frombuffer(random.bytes(table.edges.nbytes), EDGE)
        table.edges["protocol"][random.integers(0, 4096, random.choice([0, 50]))] = 0
        table.edges["changed"] |= 1
        slots = random.permutation(4096)[: random.choice([0, 1, 700])]
        table._changed[0], table._changed[1 : len(slots) + 1] = len(slots), slots
        taken = table.take_edges()
        assert not len(table.take_edges())
        living = [table.edges[slot : slot + 1] for slot in slots.tolist() if table.edges["protocol"][slot]]
        assert taken.tobytes() == b"".join(row.tobytes() for row in living)
        assert not (taken["changed"] & 1).any()
        assert np.flatnonzero(table.edges["changed"] & 1 == 0).tolist() == sorted(slots.tolist())
        assert not np.shares_memory(taken, table.edges)


def test_counts_of_all_summaries_add_up() -> None:
    """Living flows included: what an interval's update told is not told again when the flow ends."""
    bench = Bench(small(edges=8192)).hear(
        GREETINGS
        + [Frame(START_S * S, b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) + b"\x88\xb5") for _, mac in HOSTS6]
    )
    frames = random_frames(Random(12), 2500 // THIN, 1)
    rows = rows_of(frames)
    told = dict.fromkeys(("packets_out", "packets_in", "octets_out", "octets_in", "flows"), 0)

    def take(most: int) -> int:
        edges, waiting = bench.table.take_counts(most)
        for name in told:
            told[name] += int(edges[name].sum(dtype=np.int64))
        return waiting

    events = []
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        second = int(part["time_ns"][0]) // S
        bench.table.attribute(part, len(part))
        for source in (bench.cache.expire(second), bench.cache.meter(part, len(part)), bench.cache.update()):
            for copies in source:
                events.append(copies.copy())
                bench.table.relate(copies)
        take(10)  # too few: the others wait
    for copies in bench.cache.expire(0, forced=True):
        events.append(copies.copy())
        bench.table.relate(copies)
    while take(50):
        pass
    assert bench.table.edge_counts[1] == 0, "no edge was evicted"
    ends = np.concatenate(events)
    ends = ends[ends["event"] == FlowEvent.ENDED]
    assert told["packets_out"] > 0
    out = bench.table.edges["direction"] == OUT
    assert told["flows"] >= int(bench.table.edges["answered"].sum())
    assert out.any()
    assert told["packets_out"] + told["packets_in"] <= 2 * int(
        (ends["forward_packets"] + ends["reverse_packets"]).sum()
    )


def test_what_is_touched_can_be_seen_before_it_is_taken() -> None:
    bench = Bench().hear(GREETINGS + session((A, B), 1, (50000, 3613)) + session((A, B), 20, (50001, 80)))
    seen, whole = bench.table.touched(100)
    assert whole
    again, waiting = bench.table.take_counts(100)
    assert (seen == again).all() or set(seen["port"]) == set(again["port"])
    assert seen["flows"].sum() == again["flows"].sum() > 0
    assert waiting == 0
    assert not len(bench.table.touched(100)[0])


def test_a_cut_view_of_what_is_touched_says_so() -> None:
    bench = Bench().hear(GREETINGS + session((A, B), 1, (50000, 3613)) + session((A, B), 20, (50001, 80)))
    seen, whole = bench.table.touched(1)
    assert (len(seen), whole) == (1, False)


def test_counts_of_an_originator_are_its_flows_exactly() -> None:
    """Every flow that A began, in packets and octets, is in A's edges; every answered one in B's."""
    frames = list(GREETINGS)
    for number in range(6):
        frames += session((A, B), number * 30, (50000 + number, 3613))
    bench = Bench().hear(GREETINGS)
    told = []
    for start in range(0, len(frames), 7):
        bench.hear(frames[start : start + 7])
        for copies in bench.cache.update():
            bench.table.relate(copies)
        told.append(bench.table.take_counts(100)[0])
    bench.pass_time(0, forced=True)
    told.append(bench.table.take_counts(100)[0])
    edges = np.concatenate(told)
    for mac, direction in ((A[1], OUT), (B[1], IN)):
        own = edges[(edges["device"] == bench.slot(mac)) & (edges["direction"] == direction)]
        assert int(own["flows"].sum()) == 6
        assert int(own["packets_out"].sum() + own["packets_in"].sum()) == 6 * 9
        assert int(own["octets_out"].sum() + own["octets_in"].sum()) == 6 * (9 * 40 + 28)


def test_waiting_edges_keep_their_counts() -> None:
    frames = list(GREETINGS)
    for number in range(5):
        frames += session((A, HOSTS[number + 1]), 0)
    table = Bench().hear(frames).wait(5).table
    first, waiting = table.take_counts(3)
    assert (len(first), waiting) == (3, 7)
    second, waiting = table.take_counts(100)
    assert (len(second), waiting) == (7, 0)
    assert int(first["packets_out"].sum() + second["packets_out"].sum()) == 5 * 9
    assert table.take_counts(100)[1] == 0


def test_a_slot_s_new_owner_starts_without_edges() -> None:
    bench = Bench(small(devices=64)).hear(GREETINGS + session((A, B))).wait(5)
    table, before = bench.table, {bench.slot(mac) for _, mac in HOSTS}
    day = 25 * 3600
    table.take_promoted()
    table.take_edges()
    old = np.count_nonzero(table.edges["protocol"])
    assert old == 2
    crowd = [(f"10.3.0.{n}", f"00:1b:78:00:00:{n:02x}") for n in range(200)]
    bench.hear([hello(end, day) for end in crowd])
    fresh = table.take_promoted()
    assert before <= set(fresh.tolist()), "all old devices have lost their slots"
    table.disown(fresh)
    assert not table.edges["protocol"].any()
    first, second = crowd[0], crowd[1]
    placed = [end for end in crowd if bench.slot(end[1]) >= 0]
    first, second = placed[0], placed[1]
    bench.hear(session((first, second), day + 10))
    assert len(bench.edges(first[1])) == 1
    table.disown(fresh)
    assert len(bench.edges(first[1])) == 1, "what it did itself stays"


def test_edges_of_a_device_that_lost_its_slot_are_not_told() -> None:
    bench = Bench(small(devices=64)).hear(GREETINGS + session((A, B)))
    bench.hear(
        [Frame((START_S + 25 * 3600) * S, arp.gratuitous((f"00:1b:78:00:00:{n:02x}", "10.3.0.1"))) for n in range(200)]
    )
    bench.table.disown(bench.table.take_promoted())
    assert not len(bench.table.take_edges())
    assert not len(bench.table.take_counts(100)[0])


def test_occupied_in_order_of_appearance() -> None:
    order = list(reversed(HOSTS))
    bench = Bench().hear([hello(end, n) for n, end in enumerate(order)])
    assert bench.table.occupied().tolist() == [bench.slot(mac) for _, mac in order]
    assert [bench.table.addresses(slot)[0][1] & 0xFFFFFFFF for slot in bench.table.occupied()] == [
        int(ip_address(address)) for address, _ in order
    ]
    assert (bench.table.devices["flags"][bench.table.occupied()] & DeviceFlag.PROMOTED).all()


def test_each_table_draws_its_own_secret() -> None:
    rows, places = rows_of([hello(A)]), set()
    for _ in range(12):
        table = DeviceTable(small())
        table.attribute(rows, 1)
        places.add(int(table.occupied()[0]))
    assert len(places) > 1
