"""Rows and edges of a summary by columns of numbers, and back.

Two thirds of a ward's edges are told twice, once from each side, and most are of a few services. So an edge whose other
side says the same goes once, with direction BOTH; what edges of one service share stands in a table of services; and
an address stands in a list, once. Nothing is lost: what comes back is what went in, sorted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from operator import index, sub
from typing import Any, NamedTuple

from agent.wire.codec import LIMITS
from agent.wire.schema import Int, ListOf, Octets, Places, refuse
from agent.wire.varint import NUMBER_BYTES_MAX, number_bytes, put_numbers, take_numbers

NUMBER_MAX = 2**32 - 1
ROWS_MAX = LIMITS.max_array
ORIGINATES, RESPONDS, BOTH = 0, 1, 2
_SERVICE_MOST = (BOTH, 255, 65535, 255, 255, ROWS_MAX)  # direction, protocol, port, scope, application, edges
_BOUNDS = Int(0, ROWS_MAX)
_COLUMN = Octets(most=NUMBER_BYTES_MAX * ROWS_MAX)
ADDRESSES = ListOf(Octets((0, 4, 16)), ROWS_MAX)


class Row(NamedTuple):
    """What one device did in the interval. Flows: started, of those answered and failed; accepted as responder."""

    number: int
    tx_packets: int
    rx_packets: int
    tx_octets: int
    rx_octets: int
    started: int
    answered: int
    failed: int
    accepted: int
    peers: int


class EdgeRow(NamedTuple):
    """Whom a device talked to, and how. `peer_address` is empty when the peer is a device with a number."""

    number: int
    direction: int  # 0 originates, 1 responds
    protocol: int
    port: int
    peer_number: int  # -1: no device of this tap
    peer_address: bytes
    scope: int
    application: int
    flows: int
    packets_out: int
    packets_in: int
    octets_out: int
    octets_in: int


ROW_COLUMNS = len(Row._fields)
SERVICE_COLUMNS = len(_SERVICE_MOST)
EDGE_COLUMNS = 8  # device, peer, place of the peer's address, five counts
ROWS = Places((_BOUNDS, *[_COLUMN] * ROW_COLUMNS))
SERVICES = Places((_BOUNDS, *[_COLUMN] * SERVICE_COLUMNS))
EDGES = Places((_BOUNDS, *[_COLUMN] * EDGE_COLUMNS))
EMPTY_BYTES_MAX = (
    3 * (1 + 3)  # three lists of columns, each with its number of rows
    + 3 * (ROW_COLUMNS + SERVICE_COLUMNS + EDGE_COLUMNS)  # length of a column; a body has less than 64 KiB
    + 3  # length of the list of addresses
)
_ADDRESS_HEAD_BYTES = 2


def row_bytes(row: Row) -> int:
    """Most octets that a row adds to the columns."""
    return sum(map(number_bytes, row))


def edge_bytes(edge: EdgeRow) -> int:
    """Most octets that an edge adds to its columns."""
    place_bytes = number_bytes(ROWS_MAX) if edge.peer_number < 0 else 0
    return sum(map(number_bytes, (edge.number, edge.peer_number + 1, *edge[8:]))) + place_bytes


def shared_of(edge: EdgeRow) -> tuple[tuple[int, ...] | bytes, ...]:
    """What the edge needs in the other two tables, where it stands once for all of them: service and address."""
    kind = edge[2:4] + edge[6:8]
    return (kind, edge.peer_address) if edge.peer_number < 0 else (kind,)


def shared_bytes(thing: tuple[int, ...] | bytes) -> int:
    """Most octets of one of them. A service may come to stand there for each direction and for BOTH."""
    if isinstance(thing, bytes):
        return _ADDRESS_HEAD_BYTES + len(thing)
    return (BOTH + 1) * (1 + sum(map(number_bytes, thing)) + number_bytes(ROWS_MAX))


def _service_of(edge: EdgeRow) -> tuple[int, ...]:
    """What edges of one service share."""
    return edge.direction, edge.protocol, edge.port, edge.scope, edge.application


def put_rows(rows: Iterable[Row]) -> list[Any]:
    """How many, then a column for each field; that of the device numbers as differences."""
    numbers, *counts = _columns(sorted(rows), ROW_COLUMNS)
    _at_most(numbers, NUMBER_MAX, "dv[1]")
    return [len(numbers), *map(put_numbers, (_steps(numbers), *counts))]


def take_rows(table: list[Any]) -> list[Row]:
    """From a checked table; WireError `bad-schema` when the columns do not hold what they should."""
    steps, *counts = _numbers(table, "dv")
    numbers = list(accumulate(steps))
    _at_most(numbers, NUMBER_MAX, "dv[1]")
    return list(map(Row._make, zip(numbers, *counts, strict=True)))


def put_edges(edges: Iterable[EdgeRow]) -> tuple[list[Any], list[bytes], list[Any]]:
    """Services, addresses and edges: a table, a list and a table. WireError for a numbered peer with an address."""
    whole = sorted(edges)
    _at_most([edge.direction for edge in whole], RESPONDS, "sv[1]")
    told = sorted(_folded(whole), key=lambda edge: (_service_of(edge), edge))
    heads: list[tuple[int, ...]] = []
    steps: list[int] = []
    for service, of_it in groupby(told, _service_of):
        fresh = _steps([edge.number for edge in of_it])
        steps += fresh
        heads.append((*service, len(fresh)))
    addresses: dict[bytes, int] = {}
    places = [addresses.setdefault(edge.peer_address, len(addresses)) for edge in told if edge.peer_number < 0]
    if any(edge.peer_address for edge in told if edge.peer_number >= 0):
        raise refuse("an address beside a number", "ed[3]")
    columns = (steps, [edge.peer_number + 1 for edge in told], places, *_columns([edge[8:] for edge in told], 5))
    shared = _columns(heads, SERVICE_COLUMNS)
    _check_heads(shared)
    _at_most([max(edge.number, edge.peer_number) for edge in told], NUMBER_MAX, "ed")
    return [len(heads), *map(put_numbers, shared)], list(addresses), [len(told), *map(put_numbers, columns)]


def take_edges(services: list[Any], addresses: list[bytes], edges: list[Any]) -> list[EdgeRow]:
    """From checked tables, sorted; WireError `bad-schema` when they do not fit each other."""
    heads = _heads(services)
    count, device, peer, address, *counted = edges
    if sum(head[-1] for head in heads) != count:
        raise refuse("services of another number of edges", "sv[6]")
    steps, peers, *counts = _numbers([count, device, peer, *counted], "ed")
    _at_most(peers, NUMBER_MAX + 1, "ed[2]")
    places = take_numbers(address, peers.count(0), "ed[3]")
    _at_most(places, len(addresses) - 1, "ed[3]")
    far = map(addresses.__getitem__, places)
    near = [number - 1 for number in peers]
    columns: list[list[Any]] = [steps, near, [b"" if number else next(far) for number in peers], *counts]
    found: list[EdgeRow] = []
    at = 0
    for head in heads:
        stop = at + head[-1]
        found += _of_service(head, [column[at:stop] for column in columns])
        at = stop
    return sorted(found)


def _numbers(table: list[Any], name: str) -> Iterator[list[int]]:
    """The columns behind a table's count, each of so many numbers."""
    count, *columns = table
    return (take_numbers(column, count, name) for column in columns)


def _heads(table: list[Any]) -> list[tuple[int, ...]]:
    """The services, each with its number of edges."""
    columns = list(_numbers(table, "sv"))
    _check_heads(columns)
    return list(zip(*columns, strict=True))


def _check_heads(columns: list[list[int]]) -> None:
    for place, (column, most) in enumerate(zip(columns, _SERVICE_MOST, strict=True), 1):
        _at_most(column, most, f"sv[{place}]")
    if 0 in columns[-1]:
        raise refuse("a service without an edge", "sv[6]")


def _of_service(head: tuple[int, ...], columns: list[list[Any]]) -> list[EdgeRow]:
    """The edges of one service; of BOTH what the other side says, too."""
    direction, *shared, count = head
    steps, near, far, *counts = columns
    numbers = list(accumulate(steps))
    _at_most(numbers, NUMBER_MAX, "ed[1]")
    side, protocol, port, scope, application = ([value] * count for value in (direction & RESPONDS, *shared))
    rows = zip(numbers, side, protocol, port, near, far, scope, application, *counts, strict=True)
    found = list(map(EdgeRow._make, rows))
    if direction != BOTH:
        return found
    if -1 in near:
        raise refuse("both sides of an edge to no device", "ed[2]")
    return found + list(map(_other_side, found))


def _other_side(edge: EdgeRow) -> EdgeRow:
    """What the peer's edge would say of the same flows."""
    number, direction, protocol, port, peer, _, scope, application, flows, *counts = edge
    packets_out, packets_in, octets_out, octets_in = counts
    return EdgeRow(
        *(peer, direction ^ RESPONDS, protocol, port, number, b"", scope, application, flows),
        *(packets_in, packets_out, octets_in, octets_out),
    )


def _folded(edges: list[EdgeRow]) -> Iterator[EdgeRow]:
    """The edges, each pair of sides that say the same as the originator's, with direction BOTH."""
    left = Counter(edges)
    for edge in edges:
        if edge.direction != ORIGINATES or edge.peer_number < 0:
            continue
        other = _other_side(edge)
        if left[other]:
            left[other] -= 1
            left[edge] -= 1
            yield edge._replace(direction=BOTH)
    yield from left.elements()


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[int]]:
    """By column, as Python's own integers."""
    if not rows:
        return [[] for _ in range(width)]
    return [list(map(index, column)) for column in zip(*rows, strict=True)]


def _steps(numbers: list[int]) -> list[int]:
    """Differences of rising numbers, the first from 0."""
    return list(map(sub, numbers, [0, *numbers]))


def _at_most(values: list[int], most: int, where: str) -> None:
    if max(values, default=-1) > most:
        raise refuse(f"more than {most}", where)
