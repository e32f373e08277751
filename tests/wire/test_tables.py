"""Rows and edges as columns and back; a slow reader made from the document reads the same."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import WireError
from agent.wire.tables import (
    ADDRESSES,
    BOTH,
    EDGES,
    ROWS,
    SERVICES,
    EdgeRow,
    Row,
    _other_side,
    edge_bytes,
    put_edges,
    put_rows,
    row_bytes,
    take_edges,
    take_rows,
)
from agent.wire.varint import put_numbers
from tests.golden.wire import reader

U63 = st.sampled_from([0, 1, 2, 127, 128, 2**40, 2**63 - 1])  # drawn quickly: a row has nine
NUMBER = st.sampled_from([0, 1, 2, 300, 2**32 - 1])
ROW = st.builds(Row, NUMBER, *[U63] * 9)
ADDRESS = st.sampled_from([b"", bytes(4), bytes([203, 0, 113, 9]), bytes(16)])
PEER = st.tuples(NUMBER, st.just(b"")) | st.tuples(st.just(-1), ADDRESS)
SERVICE = st.sampled_from([(6, 443, 0, 4), (6, 443, 2, 4), (17, 53, 0, 1), (1, 2048, 1, 0), (255, 65535, 255, 255)])
EDGE = st.builds(
    lambda number, direction, service, peer, counts: EdgeRow(
        *(number, direction, service[0], service[1], *peer, service[2], service[3], *counts)
    ),
    NUMBER,
    st.integers(0, 1),
    SERVICE,
    PEER,
    st.tuples(*[U63] * 5),
)


def drawn(seed: int) -> tuple[list[Row], list[EdgeRow]]:
    """A ward's worth of rows and edges without order, many of them small, some other sides among them."""
    rng = Random(seed)

    def count() -> int:
        return rng.randrange(1 << rng.choice((1, 3, 7, 14, 30, 63)))

    rows = [Row(count() % 2**32, *(count() for _ in range(9))) for _ in range(rng.randrange(60))]
    edges: list[EdgeRow] = []
    for _ in range(rng.randrange(80)):
        near = rng.random() < 0.7
        peer = (
            (count() % 2**32, b"") if near else (-1, rng.choice((b"", bytes(4), rng.randbytes(4), rng.randbytes(16))))
        )
        service = (rng.choice((6, 17, count() % 256)), rng.choice((443, 53, count() % 65536)))
        kind = (count() % 256, count() % 256)
        edge = EdgeRow(count() % 2**32, rng.randrange(2), *service, *peer, *kind, *(count() for _ in range(5)))
        edges.append(edge)
        if near and rng.random() < 0.6:
            edges.append(_other_side(edge)._replace(flows=edge.flows + rng.choice((0, 0, 1)) & 2**63 - 1))
    rng.shuffle(edges)
    return rows, edges


PAIR = (
    EdgeRow(1, 0, 6, 443, 2, b"", 0, 4, 1, 10, 8, 1000, 800),
    EdgeRow(2, 1, 6, 443, 1, b"", 0, 4, 1, 8, 10, 800, 1000),
)


def _back(edges: list[EdgeRow]) -> list[EdgeRow]:
    tables = put_edges(edges)
    for field, table in zip((SERVICES, ADDRESSES, EDGES), tables, strict=True):
        field.check(table, "table")
    assert sorted(map(tuple, reader.edges(*tables))) == sorted(edges)
    return take_edges(*tables)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_ward_may_say_comes_back(seed: int) -> None:
    rows, edges = drawn(seed)
    assert take_rows(put_rows(rows)) == sorted(rows)
    assert _back(edges) == sorted(edges)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, max_size=5))
def test_any_rows_come_back_sorted(rows: list[Row]) -> None:
    table = put_rows(rows)
    ROWS.check(table, "dv")
    assert take_rows(table) == sorted(rows)
    assert reader.rows(table) == [list(row) for row in sorted(rows)]


@settings(max_examples=40, deadline=None)
@given(st.lists(EDGE, max_size=6), st.data())
def test_any_edges_come_back_sorted(edges: list[EdgeRow], data: st.DataObject) -> None:
    """Other sides of some of them are thrown in, some twice, some a little different."""
    chosen = data.draw(st.lists(st.sampled_from(edges), max_size=4)) if edges else []
    others = [_other_side(edge) for edge in chosen if edge.peer_number >= 0]
    odd = [edge._replace(flows=edge.flows ^ 1) for edge in others[:3]]
    whole = [*edges, *others, *odd]
    assert _back(whole) == sorted(whole)


def test_numbers_of_numpy_become_plain_ones() -> None:
    rows = [Row(*np.array([number, *[number * 1000] * 9]).tolist()) for number in (3, 1)]
    of_numpy = [Row(*(np.int64(value) for value in row)) for row in rows]
    assert put_rows(of_numpy) == put_rows(rows)
    edges = [EdgeRow(*(np.uint32(v) if isinstance(v, int) else v for v in edge)) for edge in PAIR]
    assert put_edges(edges) == put_edges(PAIR)
    assert list(map(row_bytes, of_numpy)) == list(map(row_bytes, rows))
    assert list(map(edge_bytes, edges)) == list(map(edge_bytes, PAIR))


def test_an_edge_whose_other_side_says_the_same_is_told_once() -> None:
    services, addresses, edges = put_edges(PAIR)
    assert (services[0], services[1], edges[0], addresses) == (1, bytes([BOTH]), 1, [])
    assert take_edges(services, addresses, edges) == list(PAIR)


@pytest.mark.parametrize("change", [{"flows": 2}, {"octets_in": 999}, {"application": 9}, {"port": 444}, {"scope": 1}])
def test_an_edge_whose_other_side_says_something_else_is_told_twice(change: dict[str, int]) -> None:
    edges = [PAIR[0], PAIR[1]._replace(**change)]
    services, _, columns = put_edges(edges)
    assert BOTH not in services[1]
    assert columns[0] == 2
    assert _back(edges) == sorted(edges)


def test_each_side_is_used_once() -> None:
    edges = [PAIR[0], PAIR[0], PAIR[1], *PAIR, PAIR[1], PAIR[1]]
    assert Counter(_back(edges)) == Counter(edges)
    services, _, columns = put_edges(edges)
    assert dict(zip(services[1], services[6], strict=True)) == {1: 1, BOTH: 3}
    assert columns[0] == 4


def test_a_device_that_talks_to_itself() -> None:
    own = EdgeRow(7, 0, 17, 53, 7, b"", 0, 1, 1, 2, 2, 20, 20)
    assert _back([own, own._replace(direction=1)]) == [own, own._replace(direction=1)]
    assert _back([own, own]) == [own, own]


def test_an_address_stands_once() -> None:
    far = EdgeRow(1, 0, 6, 443, -1, bytes([203, 0, 113, 9]), 2, 4, 1, 1, 1, 1, 1)
    edges = [far, far._replace(number=2), far._replace(port=80), far._replace(number=5, peer_address=b"")]
    _, addresses, _ = put_edges(edges)
    assert sorted(addresses) == [b"", bytes([203, 0, 113, 9])]
    assert _back(edges) == sorted(edges)


@pytest.mark.parametrize(
    "change",
    [
        {"direction": 2},
        {"direction": -1},
        {"protocol": 256},
        {"port": 65536},
        {"scope": 256},
        {"application": 256},
        {"number": -1},
        {"number": 2**32},
        {"number": 2**63},
        {"peer_number": 2**32},
        {"peer_number": -2},
        {"peer_address": bytes(4)},  # beside a number
        {"octets_in": 2**63},
        {"flows": -1},
    ],
)
def test_what_has_no_place_is_not_written(change: dict[str, Any]) -> None:
    with pytest.raises(WireError) as refused:
        put_edges([PAIR[0]._replace(**change)])
    assert refused.value.reason == "bad-schema"


def _tables() -> list[list[Any]]:
    return [list(table) for table in put_edges([*PAIR, EdgeRow(3, 0, 17, 53, -1, bytes(4), 1, 1, *[1] * 5)])]


def _put(table: int, place: int, *values: int) -> Callable[[list[list[Any]]], None]:
    def change(tables: list[list[Any]]) -> None:
        tables[table][place] = put_numbers(values)

    return change


def _count(table: int, count: int) -> Callable[[list[list[Any]]], None]:
    def change(tables: list[list[Any]]) -> None:
        tables[table][0] = count

    return change


@pytest.mark.parametrize(
    "change",
    [
        _count(0, 1),
        _count(0, 4096),
        _count(2, 1),
        _count(2, 3),
        _put(0, 1, 3, 0),  # direction
        _put(0, 2, 256, 0),  # protocol
        _put(0, 3, 65536, 0),
        _put(0, 4, 256, 0),
        _put(0, 5, 256, 0),
        _put(0, 6, 2, 0),  # a service without an edge
        _put(0, 6, 1, 2),  # more edges than there are
        _put(0, 1, 2, 2),  # both sides of an edge whose peer is no device
        _put(2, 1, 2**32, 1),  # a device beyond 32 bits
        _put(2, 2, 0, 2**32 + 1),  # a peer
        _put(2, 2, 0, 0),  # an address too few
        _put(2, 2, 1, 1),  # an address too many
        _put(2, 3, 1),  # of no address
        _put(2, 3),
        _put(2, 8, 1),
        lambda tables: tables[1].clear(),
    ],
)
def test_tables_that_do_not_fit_each_other_are_refused(change: Callable[[list[list[Any]]], None]) -> None:
    tables = _tables()
    take_edges(tables[0], tables[1], tables[2])
    change(tables)
    with pytest.raises(WireError) as refused:
        take_edges(tables[0], tables[1], tables[2])
    assert refused.value.reason == "bad-schema"


def test_devices_that_add_up_beyond_32_bits_are_refused() -> None:
    table = put_rows([Row(2**32 - 1, *[1] * 9)] * 2)
    take_rows(table)
    with pytest.raises(WireError):
        take_rows([2, put_numbers([2**32 - 1, 1]), *table[2:]])
    with pytest.raises(WireError):
        put_rows([Row(2**32, *[1] * 9)])
