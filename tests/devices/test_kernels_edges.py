"""Edges and fans: what gates open when, who is a peer, when trying widely is told, and what stays uncounted."""

from math import ceil
from random import Random

import numpy as np
import pytest

from agent.devices import kernels_edges, placing, trying
from agent.devices.records import NO_SLOT, EdgeGate, FanKind, Scope
from agent.devices.statistics import distinct
from agent.devices.table import DeviceTable
from agent.findings import thresholds
from agent.flows.cache import FlowCache, FlowLimits
from agent.packets.records import Application
from tests.devices.bench import GATEWAY, IN, OUT, Bench, hello, session, small, tries
from tests.flows.talks import HOSTS, START_S, Talk, random_frames
from tests.forge import arp
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.octets import group_mac
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, RST, SYN
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES, SECRET, THIN, rows_of

pytestmark = HASHES
S = 1_000_000_000
A, B = HOSTS[0], HOSTS[1]
GREETINGS = [hello(end) for end in HOSTS]
FAILURES = ceil(thresholds.FAN_SCORE_UPPER / thresholds.FAN_STEP_FAILED)  # that reach the upper bound from zero


def fans(bench: Bench, kind: FanKind) -> list[tuple[int, int, int]]:
    """(attempts, failed, reported) of the fans that were told since the last call."""
    told = bench.table.take_fans()
    told = told[told["kind"] == kind]
    return list(zip(told["attempts"].tolist(), told["failed"].tolist(), told["reported"].tolist(), strict=True))


def test_a_session_is_an_edge_of_both_ends() -> None:
    bench = Bench().hear(GREETINGS + session((A, B))).wait(5)
    (out,), (back,) = bench.edges(A[1], OUT), bench.edges(B[1], IN)
    for edge, other in ((out, B), (back, A)):
        assert (edge["protocol"], edge["port"], edge["flows"], edge["answered"], edge["failed"]) == (6, 3613, 1, 1, 0)
        assert edge["peer_device"] == bench.slot(other[1])
        assert edge["scope"] == Scope.SEGMENT
        sure = (
            EdgeGate.HANDSHAKE
            | EdgeGate.TWO_WAY_DATA
            | EdgeGate.INITIATOR_KNOWN
            | EdgeGate.EXCHANGED
            | EdgeGate.ANSWERED
        )
        assert edge["gates"] == sure
        assert edge["rtt_us"] > 0, "of the handshake"
    assert (out["packets_out"], out["packets_in"]) == (back["packets_in"], back["packets_out"]) == (5, 4)
    assert (
        (out["octets_out"], out["octets_in"]) == (back["octets_in"], back["octets_out"]) == (5 * 40 + 16, 4 * 40 + 12)
    )
    assert len(bench.edges(A[1], IN)) == len(bench.edges(B[1], OUT)) == 0
    a, b = bench.device(A[1]), bench.device(B[1])
    assert (a["flows_started"], a["flows_answered"], a["flows_failed"], a["flows_accepted"], a["peers"]) == (
        1,
        1,
        0,
        0,
        1,
    )
    assert (b["flows_started"], b["flows_answered"], b["flows_failed"], b["flows_accepted"], b["peers"]) == (
        0,
        0,
        0,
        1,
        1,
    )


@pytest.mark.parametrize("count", [1, 2, 7])
def test_flows_of_one_edge_add_up(count: int) -> None:
    frames = list(GREETINGS)
    for number in range(count):
        frames += session((A, B), number, (50000 + number, 3613))
    bench = Bench().hear(frames).wait(60)
    for edge in (*bench.edges(A[1], OUT), *bench.edges(B[1], IN)):
        assert (edge["flows"], edge["answered"]) == (count, count)
        assert edge["packets_out"] + edge["packets_in"] == 9 * count


@pytest.mark.parametrize("count", [1, 3])
def test_datagrams_of_one_edge_add_up(count: int) -> None:
    talk = Talk((A, B), frames=list(GREETINGS))
    for number in range(count):
        talk.ports = 50000 + number, 53
        talk.udp(number, b"question")
        talk.udp(number, b"answer", back=True)
    bench = Bench().hear(talk.frames).wait(200)
    for edge in (*bench.edges(A[1], OUT), *bench.edges(B[1], IN)):
        assert (edge["flows"], edge["packets_out"], edge["packets_in"]) == (count, count, count)
    assert sum(bench.edges(B[1], IN)["octets_in"]) == count * (28 + 8)


def test_gates_open_one_by_one() -> None:
    talk = Talk((A, B))
    bench = Bench().hear(GREETINGS)
    steps = (
        (SYN, b"", False, EdgeGate.INITIATOR_KNOWN),
        (SYN | ACK, b"", True, EdgeGate.ANSWERED),
        (ACK, b"", False, EdgeGate.HANDSHAKE),
        (ACK, b"x", False, 0),
        (ACK, b"y", True, EdgeGate.EXCHANGED),
        (ACK, b"x", False, 0),
        (ACK, b"y", True, EdgeGate.TWO_WAY_DATA),
        (ACK, b"y", True, 0),
    )
    gates = 0
    for flags, data, back, opened in steps:
        talk.frames.clear()
        talk.tcp(1, flags, data, back=back)
        bench.hear(talk.frames)
        gates |= opened
        (edge,) = bench.edges(A[1])
        assert edge["gates"] == gates
        told = bench.table.take_edges()
        assert bool(opened) == bool(np.count_nonzero(told["direction"] == OUT)), "told when a gate opens, and only then"


def test_refusal_and_silence_are_failures() -> None:
    refused, silent = Talk((A, B), (50000, 22)), Talk((A, B), (50001, 23))
    refused.tcp(0, SYN)
    refused.tcp(0, RST | ACK, back=True)
    silent.tcp(0, SYN)
    bench = Bench().hear(GREETINGS + refused.frames + silent.frames).wait(11)
    edges = bench.edges(A[1])
    assert edges["failed"].tolist() == [1, 1]
    assert [int(gates) & EdgeGate.REFUSED for gates in edges["gates"]] == [EdgeGate.REFUSED] * 2
    assert bench.device(A[1])["flows_failed"] == 2
    assert len(bench.edges(B[1])) == 0, "nobody was served"


def test_a_datagram_that_nobody_answers_fails_and_a_stream_does_not() -> None:
    single, stream = Talk((A, B), (50000, 161)), Talk((A, B), (50001, 514))
    single.udp(0, b"x")
    for second in range(8):
        stream.udp(second, b"x")
    bench = Bench().hear(sorted(GREETINGS + single.frames + stream.frames)).wait(600)
    by_port = {int(edge["port"]): int(edge["failed"]) for edge in bench.edges(A[1])}
    assert by_port == {161: 1, 514: 0}


def test_a_remote_host_is_a_peer_and_no_device() -> None:
    far = ("203.0.113.9", GATEWAY[1])
    bench = Bench().hear([*GREETINGS, hello((GATEWAY[0], GATEWAY[1])), *session((A, far), ports=(50000, 443))]).wait(5)
    (edge,) = bench.edges(A[1])
    assert (edge["peer_device"], edge["scope"]) == (NO_SLOT, Scope.INTERNET)
    assert len(bench.edges(GATEWAY[1])) == 0, "the gateway does not own the address"


def test_datagrams_to_a_group() -> None:
    packet = Ipv4(A[0], "224.0.0.251", UDP).octets(Udp(5353, 5353).octets(A[0], "224.0.0.251", b"x" * 12))
    frames = [Frame((START_S + n) * S, ethernet(group_mac("224.0.0.251"), A[1], IPV4, packet)) for n in range(3)]
    bench = Bench().hear(GREETINGS + frames).wait(300)
    (edge,) = bench.edges(A[1])
    assert edge["scope"] == Scope.MULTICAST
    assert not len(bench.table.take_fans())
    used = bench.table._fans[bench.table._fans["used"] != 0]
    assert not len(used[used["kind"] != FanKind.ARP]), "an announcement is no try"


def test_application_of_a_flow_names_its_edge() -> None:
    rows = rows_of(GREETINGS + session((A, B)))
    rows["application"][rows["payload_octets"] > 0] = Application.HL7
    bench = Bench()
    bench.table.attribute(rows, len(rows))
    for events in bench.cache.meter(rows, len(rows)):
        bench.table.relate(events)
    assert bench.edges(A[1])["application"].tolist() == [Application.HL7]


@pytest.mark.parametrize("refused", [False, True])
def test_host_sweep(*, refused: bool) -> None:
    """Twelve hosts are the least; ten failures more than answers are the bound (Jung 2004)."""
    least = max(thresholds.FAN_HOSTS_MIN, FAILURES)
    targets = [((f"10.1.7.{n}", "00:1b:54:00:00:01"), 445) for n in range(1, 60)]
    below = Bench().hear(GREETINGS + tries(A, targets[: least - 1], refused=refused)).wait(40)
    assert fans(below, FanKind.HOSTS) == []
    above = Bench().hear(GREETINGS + tries(A, targets, refused=refused)).wait(40)
    assert fans(above, FanKind.HOSTS) == [(least, least, 1), (4 * least, 4 * least, 2)]
    assert fans(above, FanKind.HOSTS) == []


def test_port_scan() -> None:
    least = max(thresholds.FAN_PORTS_MIN, FAILURES)
    targets = [(B, port) for port in range(1000, 1000 + 4 * least)]
    below = Bench().hear(GREETINGS + tries(A, targets[: least - 1], refused=True)).wait(40)
    assert fans(below, FanKind.PORTS) == []
    above = Bench().hear(GREETINGS + tries(A, targets, refused=True)).wait(40)
    (first, second) = above.table.take_fans()
    assert (first["attempts"], first["kind"], second["attempts"]) == (least, FanKind.PORTS, 4 * least)
    assert first["device"] == above.slot(A[1])
    assert (int(first["peer_lo"]) & 0xFF, first["port"], first["scope"]) == (2, 0, Scope.SEGMENT)


def test_answers_speak_against_a_scan() -> None:
    good = [((f"10.1.8.{n}", "00:1b:54:00:00:01"), 445) for n in range(1, 100)]
    frames = list(GREETINGS)
    for number, (target, port) in enumerate(good):
        frames += session((A, target), 1 + number / 100, (50000, port))
    bad = [((f"10.1.7.{n}", "00:1b:54:00:00:01"), 445) for n in range(1, 14)]
    bench = Bench().hear(frames + tries(A, bad, refused=True, at_s=3)).wait(40)
    assert fans(bench, FanKind.HOSTS) == [], "the floor buys three more failures"
    more = [((f"10.1.9.{n}", "00:1b:54:00:00:01"), 445) for n in range(1, 5)]
    bench.hear(tries(A, more, refused=True, at_s=41)).wait(60)
    assert len(fans(bench, FanKind.HOSTS)) == 1


def test_trying_one_host_often_is_no_sweep() -> None:
    targets = [(B, 445)] * 50
    frames = []
    for number, (target, port) in enumerate(targets):
        talk = Talk((A, target), (40000 + number, port), frames=frames)
        talk.tcp(1 + number / 10, SYN)
        talk.tcp(1 + number / 10, RST | ACK, back=True)
    bench = Bench().hear(GREETINGS + frames).wait(60)
    assert not len(bench.table.take_fans())
    assert bench.edges(A[1])["failed"].tolist() == [50]


def test_traceroute_is_no_port_scan() -> None:
    frames = list(GREETINGS)
    for port in range(thresholds.FAN_TRACEROUTE_FIRST, thresholds.FAN_TRACEROUTE_FIRST + 60):
        Talk((A, B), (40000, port), frames=frames).udp(1, b"x")
    bench = Bench().hear(frames).wait(200)
    assert not len(bench.table.take_fans())
    assert len(bench.edges(A[1])) == 60


def test_a_silent_window_starts_a_fan_anew() -> None:
    least = max(thresholds.FAN_HOSTS_MIN, FAILURES)
    targets = [((f"10.1.7.{n}", "00:1b:54:00:00:01"), 445) for n in range(1, 2 * least)]
    first, rest = targets[: least - 1], targets[least - 1 :]
    pause = thresholds.FAN_WINDOW_S + 20
    bench = Bench().hear(GREETINGS + tries(A, first, refused=True))
    bench.hear(tries(A, rest[: least - 1], refused=True, at_s=pause)).wait(pause + 20)
    assert fans(bench, FanKind.HOSTS) == []
    bench.hear(tries(A, rest[least - 1 :], refused=True, at_s=pause + 21)).wait(pause + 60)
    assert fans(bench, FanKind.HOSTS) == [(least, least, 1)]


def asking(wanted: range, at_s: float = 1) -> list[Frame]:
    """ARP requests of A, twice each."""
    names = [f"10.1.{n >> 8}.{n & 255}" for n in wanted for _ in range(2)]
    return [
        Frame(round((START_S + at_s + i / 1000) * S), arp.request((A[1], A[0]), name)) for i, name in enumerate(names)
    ]


def test_arp_sweep() -> None:
    least = thresholds.FAN_ARP_MIN
    bench = Bench().hear(GREETINGS + asking(range(least - 1)))
    assert fans(bench, FanKind.ARP) == []
    bench.hear(asking(range(least - 1, 4 * least + 1), 2))  # one of them is its own address
    assert fans(bench, FanKind.ARP) == [(least, 0, 1), (4 * least, 0, 2)]
    tried = bench.table._tried
    assert (tried.last_ns == tried.rows["last_ns"]).all(), "silence counts from the last one asked for"
    late = thresholds.FAN_WINDOW_S + 10
    bench.hear(asking(range(least + 1), late))
    assert fans(bench, FanKind.ARP) == [(least, 0, 1)], "a new window counts the same addresses anew"


def test_full_edge_sets_give_up_their_oldest() -> None:
    frames = list(GREETINGS)
    for number in range(2000 // THIN):
        Talk((A, (f"10.2.{number >> 8}.{number & 255}", GATEWAY[1])), (40000, 80), frames=frames).tcp(
            1 + number / (trying.TRIES_A_SECOND - 1),
            SYN,  # slower than a device's share of tries: the table's bound is asked for
        )
    bench = Bench(small(edges=64)).hear(frames)
    counts = bench.table.edge_counts
    assert counts[placing.EDGES] == 64
    assert counts[placing.EDGES_EVICTED] >= 2000 // THIN - 64
    assert counts[kernels_edges.LISTS_FULL] == 0
    newest = f"10.2.{(2000 // THIN - 1) >> 8}.{(2000 // THIN - 1) & 255}".split(".")
    assert any(int(edge["peer_lo"]) & 0xFF == int(newest[3]) for edge in bench.edges(A[1]))
    edges, waiting = bench.table.take_counts(1000)
    assert (len(edges), waiting) == (64, 0), "each slot is listed once, whoever has it"
    assert len(bench.table.take_edges()) == 64


def test_full_fan_sets_give_up_their_oldest() -> None:
    targets = [((f"10.1.{n % 7}.{n % 250 + 1}", GATEWAY[1]), 1000 + n) for n in range(400 // THIN)]
    bench = Bench(small(fans=64)).hear(GREETINGS + tries(A, targets, refused=True)).wait(30)
    counts = bench.table.edge_counts
    assert counts[trying.FANS] <= 64
    assert np.count_nonzero(bench.table._fans["used"]) == counts[trying.FANS]
    assert counts[trying.FANS_EVICTED] > 0 or THIN > 1


MANY = trying.TRIES_KEPT + 100


def spread(count: int, at_s: float = 1, *, port: int = 445) -> list[Frame]:
    """Within half a second, a SYN each from A to hosts that nobody answers for."""
    targets = [((f"10.{2 + (n >> 8)}.0.{n & 255}", GATEWAY[1]), port) for n in range(count)]
    return tries(A, targets, refused=False, step_s=0.5 / count, at_s=at_s)


def test_tries_beyond_a_device_s_share_of_a_second_are_counted_and_not_kept() -> None:
    bench = Bench().hear(GREETINGS + spread(MANY))
    counts, device = bench.table.edge_counts, bench.device(A[1])
    assert len(bench.edges(A[1])) == counts[placing.EDGES] == trying.TRIES_KEPT
    assert counts[kernels_edges.UNKEPT] == MANY - trying.TRIES_KEPT == bench.table.pressure()[0]
    assert device["flows_started"] == MANY
    stat = bench.table.stats[bench.slot(A[1])]
    assert abs(distinct(stat["peers"], int(stat["peers_used"])) - MANY) < MANY / 5, "distinct peers know of all"
    assert (stat["ports_used"], device["tx_packets"]) == (1, MANY + 1)


def test_each_second_has_its_share_and_each_device_its_own() -> None:
    bench = Bench(small(edges=16384)).hear(GREETINGS + spread(MANY))
    bench.hear(tries(B, [((f"10.9.0.{n}", GATEWAY[1]), 80) for n in range(50)], refused=False, at_s=1.5, step_s=0.001))
    assert len(bench.edges(B[1])) == 50
    bench.hear(spread(2 * trying.TRIES_A_SECOND, 3, port=446))
    assert len(bench.edges(A[1])) == trying.TRIES_KEPT + 2 * trying.TRIES_A_SECOND


def test_what_is_answered_is_kept_however_much_is_tried() -> None:
    answered = Talk((A, B), (50000, 3613))
    answered.tcp(1.9, SYN)
    bench = Bench().hear(GREETINGS + spread(MANY) + answered.frames)
    assert not len(bench.edges(B[1]))
    answered.frames.clear()
    answered.tcp(1.95, SYN | ACK, back=True)
    bench.hear(answered.frames)
    (back,) = bench.edges(B[1], IN)
    out = bench.edges(A[1], OUT)
    assert back["flows"] == 1
    assert np.count_nonzero(out["gates"] & EdgeGate.ANSWERED) == 1


def test_a_known_contact_is_counted_however_much_is_tried() -> None:
    again = Talk((A, ("10.2.0.0", GATEWAY[1])), (40001, 445))  # the first that was tried
    again.tcp(1.9, SYN)
    bench = Bench().hear(GREETINGS + spread(MANY) + again.frames)
    flows = bench.edges(A[1])["flows"]
    assert (flows.max(), flows.sum()) == (2, trying.TRIES_KEPT + 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_ends_that_are_no_news_change_nothing(seed: int) -> None:
    """The tables are the same whether the cache tells every end or only those that say something."""
    rng = Random(seed)
    frames = GREETINGS + [frame._replace(time_ns=frame.time_ns + S) for frame in random_frames(rng, 3000 // THIN, 0.02)]
    rows, tables = rows_of(frames), []
    for every_end in (True, False):
        cache, table = FlowCache(FlowLimits(slots_max=64), SECRET), DeviceTable(small(edges=8192), SECRET)
        for start in range(0, len(rows), 100):
            part = rows[start : start + 100].copy()
            table.attribute(part, len(part))
            cache.hash(part, len(part))
            for events in cache.meter_hashed(part, len(part), every_end=every_end):
                table.relate(events)
        assert cache.evicted > 100 // THIN
        tables.append(table)
    for name in ("devices", "stats", "edges", "edge_counts"):
        assert getattr(tables[0], name).tobytes() == getattr(tables[1], name).tobytes(), name


def test_it_does_not_matter_how_many_events_are_taken_together() -> None:
    """They are looked at ahead, half a buffer while the other half is counted: no event sees less of those before."""
    frames = GREETINGS + random_frames(Random(6), 3000 // THIN, 1)
    one, many = Bench(small(edges=64, fans=64)), Bench(small(edges=64, fans=64))
    rows = rows_of(sorted(frames, key=lambda frame: frame.time_ns))
    for bench in (one, many):
        bench.table.attribute(rows, len(rows))
    for events in one.cache.meter(rows, len(rows)):
        copies = events.copy()
        one.table.relate(copies)
        for place in range(len(copies)):
            many.table.relate(copies[place : place + 1])
    assert one.table.edge_counts[placing.EDGES_EVICTED] > 0
    for kept in ("edges", "_edge_tags", "_edge_ranks", "_fans", "devices", "edge_counts", "_changed", "_touched"):
        assert (getattr(one.table, kept) == getattr(many.table, kept)).all(), kept
    assert one.table.stats.tobytes() == many.table.stats.tobytes()
    tried = one.table._tried
    assert ((tried.tags != 0) == (tried.rows["used"] != 0)).all()
    assert (tried.last_ns == tried.rows["last_ns"]).all(), "who gives way is told by when a fan spoke last"
