"""A summary's content: what one interval of one tap held; rows and edges by columns (`wire.tables`).

A summary that would not fit one message is split (`wire.parts`): every part names the interval and its place, only the
first carries the counts, so adding up parts counts nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Any, NamedTuple

from agent.wire import tables
from agent.wire.header import HEADER_BYTES_MAX
from agent.wire.schema import (
    COUNT,
    I64_MAX,
    TIME,
    Int,
    ListOf,
    MapOf,
    Octets,
    OneOf,
    Places,
    Record,
    Text,
    clip,
)
from agent.wire.tables import NUMBER_MAX, EdgeRow, Row
from agent.wire.types import RULES, MessageType

__all__ = ["Card", "EdgeRow", "Interval", "Leg", "Row", "Summary"]

LEGS_MAX = 8
NAME_OCTETS = 64  # vendor, model, os, one name
NAMES_MAX = 8
ADDRESSES_MAX = 8
EVIDENCE_MAX = 16
POSTURE_MAX = 24
CARDS_MAX = 512  # per part
SIGNAL_OCTETS, VALUE_OCTETS = 32, 96
ASPECT_OCTETS = 16
PARTS_MAX = 1024
_NUMBER = Int(0, NUMBER_MAX)
_U16 = Int(0, 65535)
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
        ListOf(Places((Text(ASPECT_OCTETS), Text(NAME_OCTETS))), POSTURE_MAX),
    )
)
SCHEMA = Record(
    {
        "iv": INTERVAL,
        "lg": ListOf(LEG, LEGS_MAX),
        "ig": MapOf(COUNT, 16),
        "cv": Places((COUNT, COUNT, COUNT, COUNT, COUNT)),
        "he": MapOf(OneOf((Int(-I64_MAX, I64_MAX), Text(72))), 48),
        "ca": ListOf(CARD, CARDS_MAX),
        "dv": tables.ROWS,
        "sv": tables.SERVICES,
        "ad": tables.ADDRESSES,
        "ed": tables.EDGES,
    },
)
_COUNTS = ("duplicates", "truncated", "processed", "flows_exported", "flows_evicted")
_TABLES = ("ca", "dv", "sv", "ad", "ed")
FIXED_BYTES_MAX = (
    1  # encoding octet
    + 1  # [header, content]
    + HEADER_BYTES_MAX
    + SCHEMA.max_bytes
    - sum(SCHEMA.fields[key].max_bytes for key in _TABLES)
    + 3  # length of the list of cards
    + tables.EMPTY_BYTES_MAX
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


class Card(NamedTuple):
    """Who a device is and how it stands. `number` holds for the run; `mac` has 6 octets, 8 for a link without MACs."""

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
    posture: Sequence[tuple[str, str]] = ()  # (aspect, word); see summaries.privacy

    def to_list(self) -> list[Any]:
        """In field order; texts cut to what a card may hold, of what is too much the last left out."""
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
            [[clip(aspect, ASPECT_OCTETS), clip(word, NAME_OCTETS)] for aspect, word in self.posture[:POSTURE_MAX]],
        ]

    @classmethod
    def from_list(cls, places: list[Any]) -> "Card":
        """From a checked list; one of the first version ends before the posture."""
        card = list(places)
        card[8], card[9] = tuple(card[8]), tuple(card[9])
        card[10] = tuple((signal, value, weight) for signal, value, weight in card[10])
        card[13:] = (tuple((aspect, word) for aspect, word in posture) for posture in card[13:])
        return cls(*card)


@dataclass(frozen=True, slots=True)
class Summary:
    """One interval (or one part of it). Rows and edges leave sorted."""

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
        services, addresses, edges = tables.put_edges(self.edges)
        return {
            "iv": [index(value) for value in self.interval],
            "lg": [[leg.name, *map(index, leg[1:])] for leg in self.legs],
            "ig": {reason: index(count) for reason, count in self.ignored.items()},
            "cv": [index(getattr(self, name)) for name in _COUNTS],
            "he": {
                key: clip(value, 72) if isinstance(value, str) else index(value) for key, value in self.health.items()
            },
            "ca": [card.to_list() for card in self.cards],
            "dv": tables.put_rows(self.rows),
            "sv": services,
            "ad": addresses,
            "ed": edges,
        }

    @classmethod
    def from_content(cls, content: dict[str, Any]) -> "Summary":
        """From content that `body.decode` has checked; WireError when the columns of a table do not fit each other."""
        return cls(
            **told_beside_tables(content),
            rows=tuple(tables.take_rows(content["dv"])),
            edges=tuple(tables.take_edges(content["sv"], content["ad"], content["ed"])),
        )


def told_beside_tables(content: dict[str, Any]) -> dict[str, Any]:
    """What the first version says in the same way: all but rows and edges, as arguments of a Summary."""
    return {
        "interval": Interval(*content["iv"]),
        "legs": tuple(Leg(*leg) for leg in content["lg"]),
        "ignored": dict(content["ig"]),
        **dict(zip(_COUNTS, content["cv"], strict=True)),
        "health": dict(content["he"]),
        "cards": tuple(map(Card.from_list, content["ca"])),
    }
