"""Which ends an event is news for, in which order, and that what is asked for ahead is what is read later."""

import numpy as np
import pytest

from agent.devices import ends, placing, tallies, trying
from agent.devices.records import NO_SLOT, FanKind, Rows
from agent.flows.records import BIFLOW, FlowEndReason, FlowEvent, FlowMark
from agent.jit import Hashes, Words, kernel
from agent.keyed import sip3
from tests.devices.bench import IN, OUT, Bench, hello, number
from tests.flows.talks import HOSTS
from tests.simulators.bursts import HASHES, SECRET

pytestmark = HASHES
(A, A_MAC), (B, B_MAC) = HOSTS[0], HOSTS[1]
GATEWAY_MAC = number("00:1b:54:00:00:01")
MAPPED = 0xFFFF << 32
SERVICE = 443
U64 = np.uint64


@kernel
def _collect(
    records: Rows, places: Words, start: int, known: placing.Known, ahead: Hashes, first: int
) -> tuple[int, int]:
    return ends.collect(records, places, start, known, ahead, first)


@kernel
def _digest(secret: Hashes, ahead: Hashes, first: int) -> None:
    ends.digest_all(secret, ahead, first)


def low(address: str) -> int:
    """An IPv4 address as the lower half of a mapped one."""
    return MAPPED | int.from_bytes(bytes(map(int, address.split("."))))


def record(
    marks: int = 0, *, event: FlowEvent = FlowEvent.STARTED, told: int = 0, port: int = SERVICE,
    responder: tuple[str, int] = (B, number(B_MAC)),
) -> np.void:  # fmt: skip
    """A TCP biflow that A began; one packet, of which `told` were told before."""
    row: np.void = np.zeros(1, BIFLOW)[0]
    row["key_lo_lo"], row["key_hi_lo"] = low(A), low(responder[0])
    row["key_ports"] = 50_000 << 48 | port << 32 | 6
    row["originator_mac"], row["responder_mac"] = number(A_MAC), responder[1]
    row["forward_packets"], row["told_forward_packets"], row["marks"], row["event"] = 1, told, marks, event
    row["end_reason"] = FlowEndReason.LACK_OF_RESOURCES if event == FlowEvent.ENDED else 0
    return row


@pytest.fixture
def bench() -> Bench:
    """A ward in which A and B have said who they are."""
    return Bench().hear([hello(HOSTS[0]), hello(HOSTS[1])])


def room() -> Hashes:
    """As a device table has it."""
    return np.full((ends.KEPT, 2 * ends.ENDS), 0xEE, np.uint64)


def told(bench: Bench, *rows: np.void) -> list[tuple[int, int, int, int]]:
    """(record, direction, device, peer's device) of each end."""
    records, ahead = np.stack(rows), room()
    stop, n = _collect(records, np.arange(len(rows)), 0, bench.table._known, ahead, 0)
    assert stop == len(rows)
    columns = (ahead[ends.PLACE], ahead[ends.KIND] >> U64(24), ahead[ends.DEVICE], ahead[ends.OTHER])
    return [tuple(int(column[j]) for column in columns) for j in range(n)]


def test_a_try_is_news_for_who_tries_and_an_answer_for_both(bench: Bench) -> None:
    a, b = bench.slot(A_MAC), bench.slot(B_MAC)
    assert told(bench, record(), record(FlowMark.ANSWERED)) == [(0, OUT, a, b), (1, OUT, a, b), (1, IN, b, a)]


def test_a_host_behind_a_gateway_is_a_peer_and_no_device(bench: Bench) -> None:
    far = record(FlowMark.ANSWERED, responder=("203.0.113.9", GATEWAY_MAC))
    assert told(bench, far) == [(0, OUT, bench.slot(A_MAC), NO_SLOT)]
    stranger = record()
    stranger["originator_mac"] = GATEWAY_MAC
    assert told(bench, stranger) == [], "A's address does not make the gateway A"


def test_the_end_of_a_try_of_which_all_was_told_is_no_news_unless_it_is_clinical(bench: Bench) -> None:
    given_up = record(event=FlowEvent.ENDED, told=1)
    assert told(bench, given_up) == []
    assert told(bench, record(event=FlowEvent.ENDED, told=0)), "what was not told of it yet"
    given_up["end_reason"] = FlowEndReason.IDLE
    assert told(bench, given_up), "it has failed"
    clinical = record(event=FlowEvent.ENDED, told=1, port=104)
    clinical["forward_data"], clinical["state"] = 1, 1
    assert told(bench, clinical)


def test_a_flow_without_a_protocol_is_nobodys(bench: Bench) -> None:
    row = record(FlowMark.ANSWERED)
    row["key_ports"] = SERVICE << 32
    assert told(bench, row) == []


def test_all_ends_come_in_order_half_by_half(bench: Bench) -> None:
    count, answered = 5 * ends.ENDS, [place for place in range(5 * ends.ENDS) if place % 3]
    rows = [record(FlowMark.ANSWERED if place % 3 else 0) for place in range(count)]
    records, places, ahead, found = np.stack(rows), np.arange(count)[::-1].copy(), room(), []
    at, first = 0, 0
    while at < count:
        at, n = _collect(records, places, at, bench.table._known, ahead, first)
        assert 0 < n <= ends.ENDS
        kinds = ahead[ends.KIND, first : first + n] >> U64(24)
        found += list(zip(ahead[ends.PLACE, first : first + n].tolist(), kinds.tolist(), strict=True))
        first = ends.ENDS - first
    expected = [(place, way) for place in places.tolist() for way in ((OUT, IN) if place in answered else (OUT,))]
    assert found == expected


@pytest.mark.parametrize("first", [0, ends.ENDS])
def test_digests_are_those_that_the_tables_use(bench: Bench, first: int) -> None:
    ahead, key0, key1 = room(), *map(U64, SECRET)
    _collect(np.stack([record()]), np.arange(1), 0, bench.table._known, ahead, first)
    before = ahead.copy()
    _digest(np.array(SECRET, np.uint64), ahead, first)
    device, service, peer = U64(bench.slot(A_MAC)), U64(6 << 16 | SERVICE), (U64(0), U64(low(B)))
    edge = device << U64(32) | U64(OUT << 24) | service
    assert ahead[ends.DIGEST, first] == sip3(key0, key1, edge, *peer)
    assert ahead[ends.PEER, first] == tallies.peer_digest(key0, key1, *peer)
    assert ahead[ends.SERVICE, first] == tallies.service_digest(key0, key1, service)
    hosts = trying.fan_digest(key0, key1, int(FanKind.HOSTS), device, service, U64(0), U64(0))
    ports = trying.fan_digest(key0, key1, int(FanKind.PORTS), device, U64(6 << 16), *peer)
    assert ahead[ends.TRIED + FanKind.HOSTS, first] == hosts
    assert ahead[ends.TRIED + FanKind.PORTS, first] == ports
    other = ends.ENDS - first
    assert (ahead[:, other : other + ends.ENDS] == before[:, other : other + ends.ENDS]).all(), "the half in use"


def test_an_edge_is_looked_for_where_it_was_put(bench: Bench) -> None:
    records, table = np.stack([record(FlowMark.ANSWERED)]), bench.table
    table.relate(records)
    ahead = room()
    _, n = _collect(records, np.arange(1), 0, table._known, ahead, 0)
    _digest(np.array(SECRET, np.uint64), ahead, 0)
    assert n == 2
    for j in range(n):
        slot = placing.edge_tagged(table._edge_tags, ahead[ends.DIGEST, j])
        assert table.edges[slot]["direction"] == ahead[ends.KIND, j] >> U64(24)
        assert table.edges[slot]["device"] == ahead[ends.DEVICE, j]
