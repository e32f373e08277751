"""One interval of one tap as a summary record: what every device did, who is new, which edges moved, what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agent.devices.records import NO_SLOT, Posture, Rows
from agent.summaries.privacy import EvidenceLike, Pseudonyms
from agent.summaries.stance import stance
from agent.wire.finding import mac_octets
from agent.wire.summary import EVIDENCE_MAX, NAMES_MAX, Card, EdgeRow, Interval, Leg, Row, Summary

PERMILLE = 1000
MAPPED_TOP = 0xFFFF
# Cumulative columns of DEVICE that a summary gives as differences, in the order of wire.summary.Row after its number.
ROW_COLUMNS = (
    "tx_packets", "rx_packets", "tx_octets", "rx_octets", "flows_started", "flows_answered", "flows_failed",
    "flows_accepted", "peers",
)  # fmt: skip
# Columns of DEVICE that a card is made of.
CARD_COLUMNS = ("mac", "vlan", "address_count", "address_hi", "address_lo", "first_ns", "last_ns")
# Columns of EDGE that go into wire.summary.EdgeRow as they are: before the peer, and after it.
EDGE_COLUMNS = (
    "direction", "protocol", "port",
    "scope", "application", "flows", "packets_out", "packets_in", "octets_out", "octets_in",
)  # fmt: skip


class NameLike(Protocol):
    """A name that a device was heard to have."""

    @property
    def value(self) -> str:
        """As it was on the wire."""


class IdentityLike(Protocol):
    """What a card tells of a device (`devices.evidence.Identity`)."""

    @property
    def role(self) -> str:
        """The role that it is taken to have."""

    @property
    def confidence(self) -> float:
        """How sure that is, 0..1."""

    @property
    def vendor(self) -> str:
        """Its maker, a pack's word."""

    @property
    def model(self) -> str:
        """Its model, a pack's word."""

    @property
    def os(self) -> str:
        """Its operating system, a pack's word."""

    @property
    def names(self) -> Sequence[NameLike]:
        """Names from the wire."""

    @property
    def evidence(self) -> Sequence[EvidenceLike]:
        """Reasons, heaviest first."""


class Numbers(Protocol):
    """Who has which number in this run."""

    def number(self, slot: int) -> int:
        """The device's number, -1 before it is promoted."""

    def identity(self, slot: int) -> IdentityLike:
        """What the device is taken to be."""

    def posture(self, slot: int) -> Posture:
        """How it stands."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the interval's numbers rest on."""

    legs: tuple[Leg, ...]
    ignored: dict[str, int]
    duplicates: int
    truncated: int
    processed: int
    flows_exported: int
    flows_evicted: int
    health: dict[str, int | str]


class Contents(NamedTuple):
    """What the tables give to one summary."""

    devices: Rows  # the whole DEVICE table, cumulative
    slots: npt.NDArray[np.int64]  # promoted devices
    changed: list[int]  # slots whose card is new or changed
    edges: Rows  # EDGE rows that moved, with their counts of the interval


def address_octets(hi: int, lo: int) -> bytes:
    """An address as 4 or 16 octets; IPv4 is mapped in the tables."""
    if hi == 0 and lo >> 32 == MAPPED_TOP:
        return (lo & 0xFFFFFFFF).to_bytes(4, "big")
    return (hi << 64 | lo).to_bytes(16, "big")


def _one_each(rows: list[Row]) -> list[Row]:
    """Two addresses of one phone have one number, and in the interval in which it changed them one row."""
    merged: dict[int, Row] = {}
    for row in rows:
        held = merged.get(row.number)
        merged[row.number] = row if held is None else Row(row.number, *map(add, held[1:], row[1:]))
    return rows if len(merged) == len(rows) else list(merged.values())


class SummaryBuilder:
    """Remembers the cumulative counts of the last summary, so that each tells of its own interval only."""

    def __init__(self, numbers: Numbers, pseudonyms: Pseudonyms, slots_max: int) -> None:
        self._numbers, self._pseudonyms = numbers, pseudonyms
        self._before = {column: np.zeros(slots_max, np.int64) for column in ROW_COLUMNS}
        self._owners = np.zeros(slots_max, np.uint64)

    def build(self, interval: Interval, coverage: Coverage, contents: Contents) -> Summary:
        """The summary of an interval; call once per interval, in order."""
        devices, slots, edges = contents.devices, contents.slots, contents.edges
        numbers = self._numbers_of(slots, edges["device"], edges["peer_device"])
        return Summary(
            interval=interval,
            legs=coverage.legs,
            ignored=coverage.ignored,
            duplicates=coverage.duplicates,
            truncated=coverage.truncated,
            processed=coverage.processed,
            flows_exported=coverage.flows_exported,
            flows_evicted=coverage.flows_evicted,
            health=coverage.health,
            cards=self._cards(devices, contents.changed),
            rows=self._rows(devices, slots, numbers),
            edges=self._edges(edges, numbers),
        )

    def _cards(self, devices: Rows, slots: list[int]) -> list[Card]:
        """Who some devices are."""
        held = devices[slots]
        columns = zip(*(held[name].tolist() for name in CARD_COLUMNS), strict=True)
        return list(map(self._card, slots, columns))

    def _card(self, slot: int, columns: tuple[Any, ...]) -> Card:
        """Who a device is. Every string passes the last gate here."""
        mac, vlan, count, his, los, first_ns, last_ns = columns
        word = self._pseudonyms.word
        identity = self._numbers.identity(slot)
        evidence = map(self._pseudonyms.evidence, identity.evidence[:EVIDENCE_MAX])
        return Card(
            number=self._numbers.number(slot),
            mac=mac_octets(mac),
            vlan=vlan,
            role=word(identity.role),
            confidence_permille=round(identity.confidence * PERMILLE),
            vendor=word(identity.vendor),
            model=word(identity.model),
            os=word(identity.os),
            addresses=list(map(address_octets, his[:count], los[:count])),
            names=[self._pseudonyms.name(name.value) for name in identity.names[:NAMES_MAX]],
            evidence=[(signal, value, round(weight * PERMILLE)) for signal, value, weight in evidence],
            first_ns=first_ns,
            last_ns=last_ns,
            posture=stance(self._numbers.posture(slot), self._pseudonyms),
        )

    def _rows(self, devices: Rows, slots: npt.NDArray[np.int64], numbers: dict[int, int]) -> list[Row]:
        """Differences since the last summary, for devices that did anything. A slot's new owner starts at zero."""
        held = devices[slots]
        taken_over = slots[self._owners[slots] != held["mac"]]
        self._owners[slots] = held["mac"]
        columns = []
        for column in ROW_COLUMNS:
            before = self._before[column]
            before[taken_over] = 0
            now = held[column].astype(np.int64)
            columns.append(now - before[slots] if column != "peers" else now)
            before[slots] = now
        table = np.stack(columns)
        active = np.flatnonzero(table[:4].any(axis=0))
        named = map(numbers.__getitem__, slots[active].tolist())
        return _one_each(list(map(Row._make, zip(named, *table[:, active].tolist(), strict=True))))

    def _edges(self, edges: Rows, numbers: dict[int, int]) -> list[EdgeRow]:
        """Edges of devices that have a number, in its order; a peer with one is named by it, others by address."""
        named = np.array([numbers[slot] for slot in edges["device"].tolist()], np.int64)
        order = np.argsort(named, kind="stable")
        order = order[named[order] >= 0]
        edges = edges[order]
        peers = [numbers[slot] for slot in edges["peer_device"].tolist()]
        addresses = [
            b"" if peer >= 0 else address_octets(hi, lo)
            for peer, hi, lo in zip(peers, edges["peer_hi"].tolist(), edges["peer_lo"].tolist(), strict=True)
        ]
        columns = [edges[name].tolist() for name in EDGE_COLUMNS]
        rows = zip(named[order].tolist(), *columns[:3], peers, addresses, *columns[3:], strict=True)
        return list(map(EdgeRow._make, rows))

    def _numbers_of(self, *slots: npt.NDArray[np.integer[Any]]) -> dict[int, int]:
        """The number of the device in each of the slots, -1 where none has one; each is asked for once."""
        distinct = np.unique(np.concatenate(slots)).tolist()
        return {slot: self._numbers.number(slot) if slot != NO_SLOT else -1 for slot in distinct}
