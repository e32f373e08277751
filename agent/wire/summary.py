"""A summary's content: what one interval of one tap held, by columns, so that zlib finds the likeness.

A summary that would not fit one message is split (`wire.parts`): every part names the interval and its place, only the
first carries the counts, so adding up parts counts nothing twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import index, itemgetter, sub
from typing import Any, NamedTuple

from agent.wire.codec import LIMITS
from agent.wire.header import HEADER_BYTES_MAX
from agent.wire.schema import (
    COUNT,
    I64_MAX,
    TIME,
    Columns,
    Int,
    ListOf,
    MapOf,
    Octets,
    OneOf,
    Places,
    Record,
    Text,
    clip,
    refuse,
)
from agent.wire.types import RULES, MessageType

LEGS_MAX = 8
NAME_OCTETS = 64  # vendor, model, os, one name
NAMES_MAX = 8
ADDRESSES_MAX = 8
EVIDENCE_MAX = 16
CARDS_MAX = 512  # per part
SIGNAL_OCTETS, VALUE_OCTETS = 32, 96
PARTS_MAX = 1024
NUMBER_MAX = 2**32 - 1
_NUMBER = Int(0, NUMBER_MAX)
_U16 = Int(0, 65535)
_U8 = Int(0, 255)
_PERMILLE = Int(0, 1000)

INTERVAL = Places((TIME, TIME, COUNT, Int(0, PARTS_MAX - 1), Int(1, PARTS_MAX)))
LEG = Places((Text(32), COUNT, COUNT, COUNT, COUNT, COUNT))
CARD = Places(
    (
        _NUMBER,
        Octets((6, 8)),  # 8: a device of a link without MACs, a keyed hash of its address
        _U16,
        Text(32),
        _PERMILLE,
        Text(NAME_OCTETS),
        Text(NAME_OCTETS),
        Text(NAME_OCTETS),
        ListOf(Octets((4, 16)), ADDRESSES_MAX),
        ListOf(Text(NAME_OCTETS), NAMES_MAX),
        ListOf(Places((Text(SIGNAL_OCTETS), Text(VALUE_OCTETS), Int(-32768, 32767))), EVIDENCE_MAX),
        TIME,
        TIME,
    )
)
ROWS = Columns((_NUMBER, *[COUNT] * 9), LIMITS.max_array)
EDGES = Columns(
    (_NUMBER, Int(0, 1), _U8, _U16, Int(-1, 2**32 - 1), Octets((0, 4, 16)), _U8, _U8, *[COUNT] * 5), LIMITS.max_array
)
SCHEMA = Record(
    {
        "iv": INTERVAL,
        "lg": ListOf(LEG, LEGS_MAX),
        "ig": MapOf(COUNT, 16),
        "cv": Places((COUNT, COUNT, COUNT, COUNT, COUNT)),
        "he": MapOf(OneOf((Int(-I64_MAX, I64_MAX), Text(72))), 48),
        "ca": ListOf(CARD, CARDS_MAX),
        "dv": ROWS,
        "ed": EDGES,
    }
)
_COUNTS = ("duplicates", "truncated", "processed", "flows_exported", "flows_evicted")
_TABLES = ("ca", "dv", "ed")
FIXED_BYTES_MAX = (
    1  # encoding octet
    + 1  # [header, content]
    + HEADER_BYTES_MAX
    + SCHEMA.max_bytes
    - sum(SCHEMA.fields[key].max_bytes for key in _TABLES)
    + 3  # length of the list of cards
    + ROWS.empty_bytes_max
    + EDGES.empty_bytes_max
)
TABLE_BYTES = RULES[MessageType.SUMMARY].body_bytes_max - FIXED_BYTES_MAX  # left for cards, rows and edges of one part


class Interval(NamedTuple):
    """When: [start, end) in ns since 1970; empty intervals folded in before it; which part of how many."""

    start_ns: int
    end_ns: int
    empty_before: int = 0
    part: int = 0
    parts: int = 1


class Leg(NamedTuple):
    """What one leg counted since takeover: frames and octets of the interval, losses and transmissions in all."""

    name: str
    frames: int
    octets: int
    dropped: int
    frozen: int
    tx_packets: int


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


class Card(NamedTuple):
    """Who a device is. `number` holds for the run; `mac` has 6 octets, 8 for a link without MACs."""

    number: int
    mac: bytes
    vlan: int
    role: str
    confidence_permille: int
    vendor: str = ""
    model: str = ""
    os: str = ""
    addresses: Sequence[bytes] = ()
    names: Sequence[str] = ()
    evidence: Sequence[tuple[str, str, int]] = ()
    first_ns: int = 0
    last_ns: int = 0

    def to_list(self) -> list[Any]:
        """In field order; texts cut to what a card may hold, surplus names and evidence (the last) left out."""
        return [
            index(self.number),
            self.mac,
            index(self.vlan),
            clip(self.role, 32),
            index(self.confidence_permille),
            clip(self.vendor, NAME_OCTETS),
            clip(self.model, NAME_OCTETS),
            clip(self.os, NAME_OCTETS),
            list(self.addresses[:ADDRESSES_MAX]),
            [clip(name, NAME_OCTETS) for name in self.names[:NAMES_MAX]],
            [
                [clip(signal, SIGNAL_OCTETS), clip(value, VALUE_OCTETS), index(weight)]
                for signal, value, weight in self.evidence[:EVIDENCE_MAX]
            ],
            index(self.first_ns),
            index(self.last_ns),
        ]

    @classmethod
    def from_list(cls, places: list[Any]) -> "Card":
        """From a checked list."""
        card = list(places)
        card[8], card[9] = tuple(card[8]), tuple(card[9])
        card[10] = tuple((signal, value, weight) for signal, value, weight in card[10])
        return cls(*card)


@dataclass(frozen=True, slots=True)
class Summary:
    """One interval (or one part of it). Rows and edges leave sorted by device number."""

    interval: Interval
    legs: Sequence[Leg] = ()
    ignored: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    truncated: int = 0
    processed: int = 0
    flows_exported: int = 0
    flows_evicted: int = 0
    health: dict[str, int | str] = field(default_factory=dict)
    cards: Sequence[Card] = ()
    rows: Sequence[Row] = ()
    edges: Sequence[EdgeRow] = ()

    def to_content(self) -> dict[str, Any]:
        """The map of the wire; numbers of numpy become plain integers here."""
        return {
            "iv": [index(value) for value in self.interval],
            "lg": [[leg.name, *map(index, leg[1:])] for leg in self.legs],
            "ig": {reason: index(count) for reason, count in self.ignored.items()},
            "cv": [index(getattr(self, name)) for name in _COUNTS],
            "he": {
                key: clip(value, 72) if isinstance(value, str) else index(value) for key, value in self.health.items()
            },
            "ca": [card.to_list() for card in self.cards],
            "dv": _columns(self.rows, len(Row._fields)),
            "ed": _columns(self.edges, len(EdgeRow._fields)),
        }

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Summary":
        """From content that `body.decode` has checked; WireError when device numbers overflow."""
        return cls(
            Interval(*content["iv"]),
            tuple(Leg(*leg) for leg in content["lg"]),
            dict(content["ig"]),
            **dict(zip(_COUNTS, content["cv"], strict=True)),
            health=dict(content["he"]),
            cards=tuple(Card.from_list(card) for card in content["ca"]),
            rows=tuple(Row(*row) for row in _rows(content["dv"])),
            edges=tuple(EdgeRow(*row) for row in _rows(content["ed"])),
        )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """By device number, that column as differences (RFC: none; small numbers deflate well)."""
    if not rows:
        return [[] for _ in range(width)]
    numbers, *columns = map(_plain, zip(*sorted(rows, key=itemgetter(0)), strict=True))
    return [list(map(sub, numbers, [0, *numbers])), *columns]


def _plain(column: Sequence[Any]) -> list[Any]:
    """Octets as they are, integers of any kind as Python's own; a column is of one kind throughout."""
    return list(column) if type(column[0]) in {bytes, int} else list(map(index, column))


def _rows(columns: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
    numbers = list(accumulate(columns[0]))
    if numbers and numbers[-1] > NUMBER_MAX:
        raise refuse("device numbers that add up to too much", "summary")
    return zip(numbers, *columns[1:], strict=True)
