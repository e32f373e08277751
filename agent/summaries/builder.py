"""One interval of one tap as a summary record: what every device did, who is new, which edges moved, what was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agent.devices.records import NO_SLOT, Rows
from agent.summaries.privacy import EvidenceLike, Pseudonyms
from agent.wire.finding import mac_octets
from agent.wire.summary import ADDRESSES_MAX, EVIDENCE_MAX, NAMES_MAX, Card, EdgeRow, Interval, Leg, Row, Summary

PERMILLE = 1000
MAPPED_TOP = 0xFFFF
# Cumulative columns of DEVICE that a summary gives as differences, in the order of wire.summary.Row after its number.
ROW_COLUMNS = (
    "tx_packets", "rx_packets", "tx_octets", "rx_octets", "flows_started", "flows_answered", "flows_failed",
    "flows_accepted", "peers",
)  # fmt: skip


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


class SummaryBuilder:
    """Remembers the cumulative counts of the last summary, so that each tells of its own interval only."""

    def __init__(self, numbers: Numbers, pseudonyms: Pseudonyms, slots_max: int) -> None:
        self._numbers, self._pseudonyms = numbers, pseudonyms
        self._before = {column: np.zeros(slots_max, np.int64) for column in ROW_COLUMNS}
        self._owners = np.zeros(slots_max, np.uint64)

    def build(self, interval: Interval, coverage: Coverage, contents: Contents) -> Summary:
        """The summary of an interval; call once per interval, in order."""
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
            cards=[self.card(contents.devices, slot) for slot in contents.changed],
            rows=self._rows(contents.devices, contents.slots),
            edges=self._edges(contents.edges),
        )

    def card(self, devices: Rows, slot: int) -> Card:
        """Who a device is. Names and evidence pass the last gate here."""
        device, identity = devices[slot], self._numbers.identity(slot)
        evidence = [self._pseudonyms.evidence(item) for item in identity.evidence[:EVIDENCE_MAX]]
        count = min(int(device["address_count"]), ADDRESSES_MAX)
        return Card(
            number=self._numbers.number(slot),
            mac=mac_octets(int(device["mac"])),
            vlan=int(device["vlan"]),
            role=identity.role,
            confidence_permille=round(identity.confidence * PERMILLE),
            vendor=identity.vendor,
            model=identity.model,
            os=identity.os,
            addresses=[
                address_octets(int(device["address_hi"][i]), int(device["address_lo"][i])) for i in range(count)
            ],
            names=[self._pseudonyms.name(name.value) for name in identity.names[:NAMES_MAX]],
            evidence=[(signal, value, round(weight * PERMILLE)) for signal, value, weight in evidence],
            first_ns=int(device["first_ns"]),
            last_ns=int(device["last_ns"]),
        )

    def _rows(self, devices: Rows, slots: npt.NDArray[np.int64]) -> list[Row]:
        """Differences since the last summary, for devices that did anything. A slot's new owner starts at zero."""
        taken_over = slots[self._owners[slots] != devices["mac"][slots]]
        self._owners[slots] = devices["mac"][slots]
        columns = []
        for column in ROW_COLUMNS:
            before = self._before[column]
            before[taken_over] = 0
            now = devices[column][slots].astype(np.int64)
            columns.append(now - before[slots] if column != "peers" else now)
            before[slots] = now
        table = np.stack(columns, axis=1)
        active = np.flatnonzero(table[:, :4].any(axis=1))
        return [Row(self._numbers.number(int(slots[i])), *table[i].tolist()) for i in active]

    def _edges(self, edges: Rows) -> list[EdgeRow]:
        """Edges of devices that have a number; a peer with a number is named by it, any other by its address."""
        columns = {name: edges[name].tolist() for name in EDGE_COLUMNS}
        numbers = [self._numbers.number(slot) for slot in edges["device"].tolist()]
        peers = [self._numbers.number(slot) if slot != NO_SLOT else -1 for slot in edges["peer_device"].tolist()]
        addresses = map(address_octets, edges["peer_hi"].tolist(), edges["peer_lo"].tolist())
        whats = zip(columns["direction"], columns["protocol"], columns["port"], strict=True)
        counts = zip(*(columns[name] for name in EDGE_COLUMNS[3:]), strict=True)
        return [
            EdgeRow(number, *what, peer, b"" if peer >= 0 else address, *count)
            for number, what, peer, address, count in zip(numbers, whats, peers, addresses, counts, strict=True)
            if number >= 0
        ]
