"""The device table: owns devices, edges and fans; gives the judge what changed, the summary what was counted."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from itertools import islice

import numpy as np
import numpy.typing as npt

from agent.devices import ends, kernels, kernels_edges, placing, trying
from agent.devices.records import ADDRESSES_MAX, DEVICE, EDGE, EXACT_MAX, FAN, STATS, DeviceFlag, Rows
from agent.jit import Words, aligned_rows

ARP_ASKED_SLOTS = 1 << 15  # far above what one ward asks for in a window of five minutes
CROSSED_MAX = 4096  # fans over their threshold in one turn; more are counted by the judge's cap anyway
MAPPED_IPV4 = 0xFFFF00000000
FORWARDERS_MAX = 64  # gateways of old that are known from their first frame on
CONFIRM_NS = 60_000_000_000  # after which a gateway of old that has forwarded for nobody is none
DOUBT_NS = 60 * CONFIRM_NS  # and one that has for so few that a host may have as many addresses
PLACES = np.arange(1 << 15)  # of rows that are taken as they lie; no call takes more
PROMOTIONS = 2 * len(PLACES)  # a row may promote its sender and its receiver


@dataclass(frozen=True, slots=True)
class DeviceLimits:
    """Slots (powers of two of at least 64), and what the scan test is parametrised with."""

    device_slots_max: int = 4096
    edge_slots_max: int = 131_072
    fan_slots_max: int = 16_384
    site_networks: tuple[str, ...] = ()
    scan_test: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        for slots in (self.device_slots_max, self.edge_slots_max, self.fan_slots_max):
            assert slots >= 64
            assert slots & (slots - 1) == 0, "set indexes are taken from the low bits of hashes"
        assert len(self.scan_test) == trying.TEST


def site_rows(networks: tuple[str, ...]) -> npt.NDArray[np.uint64]:
    """CIDR texts as (hi, lo, mask hi, mask lo); IPv4 mapped. An empty site has one row that no address matches."""
    rows = []
    for text in networks:
        network = ip_network(text, strict=False)
        if not isinstance(network, IPv6Network):
            base, bits = MAPPED_IPV4 | int(network.network_address), 96 + network.prefixlen
        else:
            base, bits = int(network.network_address), network.prefixlen
        mask = ((1 << bits) - 1) << (128 - bits)
        rows.append([base >> 64, base & (1 << 64) - 1, mask >> 64, mask & (1 << 64) - 1])
    return np.array(rows or [[1, 1, 0, 0]], np.uint64)


def address_text(hi: int, lo: int) -> str:
    """An address as people write it."""
    if hi == 0 and lo >> 32 == 0xFFFF:
        return str(IPv4Address(lo & 0xFFFFFFFF))
    return str(IPv6Address(hi << 64 | lo))


def _listed(slots: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The slots of a list whose first entry is its length."""
    return slots[1 : slots[0] + 1]


def _rows_at(edges: Rows, slots: npt.NDArray[np.int64]) -> Rows:
    """Copies of rows. `take` copies a row whole; an index would copy it field by field, in fifteen times the time."""
    rows: Rows = edges.take(slots)
    return rows


def _living(edges: Rows) -> Rows:
    """Without the edges of a device that has lost its slot."""
    living = edges["protocol"] != 0
    rows: Rows = edges if living.all() else edges.compress(living)
    return rows


class DeviceTable:
    """Devices by MAC address, edges and fans by keyed hash. Nothing grows; what had no room is counted."""

    def __init__(self, limits: DeviceLimits, secret: tuple[int, int] | None = None) -> None:
        self._secret = np.array(secret or (secrets.randbits(64), secrets.randbits(64)), np.uint64)
        self._sites = site_rows(limits.site_networks)
        self._test = np.array(limits.scan_test, np.float64)
        self._macs = np.zeros(limits.device_slots_max, np.uint64)
        self._forwarders = np.zeros(0, np.uint64)
        self._doors = np.zeros(limits.device_slots_max // placing.WAYS, np.uint64)
        self.devices = aligned_rows(limits.device_slots_max, DEVICE)
        self.stats = aligned_rows(limits.device_slots_max, STATS)
        self.edges: Rows = aligned_rows(limits.edge_slots_max, EDGE)
        self._edge_tags = np.zeros(limits.edge_slots_max, np.uint16)
        self._edge_ranks = aligned_rows(limits.edge_slots_max, np.uint64).view(np.uint64)
        self._ahead = np.zeros((ends.KEPT, 2 * ends.ENDS), np.uint64)
        self._spare = np.zeros(EXACT_MAX, np.uint64)
        self._fans = aligned_rows(limits.fan_slots_max, FAN)
        self._asked = np.zeros(ARP_ASKED_SLOTS, np.uint64)
        self._changed = np.zeros(limits.edge_slots_max + 1, np.int64)  # the first entry counts the others
        self._touched = np.zeros(limits.edge_slots_max + 1, np.int64)
        self._crossed = np.zeros(CROSSED_MAX, FAN)
        tags, times = np.zeros(limits.fan_slots_max, np.uint16), np.zeros(limits.fan_slots_max, np.int64)
        self._tried = trying.Fans(self._fans, tags, times, self._crossed)
        self._crossings: list[Rows] = []
        self._memo = np.zeros(placing.MEMO, np.int64)
        self._fresh = np.zeros(PROMOTIONS, np.uint32)
        self._known = placing.Known(self._macs, self.devices, self._memo, self._secret)
        self._placed = placing.Edges(self.edges, self._edge_tags, self._edge_ranks, self._changed, self._touched)
        self._promoted: list[npt.NDArray[np.uint32]] = []
        self.counts = np.zeros(kernels.COUNTS, np.int64)
        self.edge_counts = np.zeros(kernels_edges.COUNTS, np.int64)

    def attribute(self, rows: Rows, places: int | Words) -> None:
        """Count decoded rows for their senders and receivers, and ARP requests for their fans.

        `places`: the first so many, or those, in that order.
        """
        order = PLACES[:places] if isinstance(places, int) else places
        arps = self.counts[kernels.ARPS]
        n = kernels.attribute_burst(
            rows, order, self._macs, self.devices, self._secret, self._sites, self.counts, self._fresh, self._memo,
            self.stats, self._doors, self._forwarders,
        )  # fmt: skip
        if n:
            self._promoted.append(self._fresh[:n].copy())
        if self.counts[kernels.ARPS] != arps:
            self._count_arp(rows, order)

    def expect_gateways(self, macs: Iterable[int]) -> None:
        """These forward for others, as it was known before a restart: provisionally (`confirm_gateways`).

        A flood of such memories is cut short.
        """
        self._forwarders = np.fromiter(islice(macs, FORWARDERS_MAX), np.uint64)

    def confirm_gateways(self, now_ns: int) -> None:
        """Who was taken for a gateway from memory, and has not shown that it is one in time, is none any more.

        For more addresses than a host may have it speaks as a gateway; for none or one as a host; in between that is
        not known until it had time enough.
        """
        if not len(self._forwarders):
            return
        known = np.isin(self._macs, self._forwarders) & (self._macs != 0)
        for slot in np.flatnonzero(known & (self.devices["first_ns"] <= now_ns - CONFIRM_NS)):
            device = self.devices[slot]
            hosts, age_ns = int(device["foreign"]).bit_count(), now_ns - int(device["first_ns"])
            if kernels.FOREIGN_MIN <= hosts <= ADDRESSES_MAX and age_ns < DOUBT_NS:
                continue
            if hosts <= ADDRESSES_MAX:
                device["flags"] &= 0xFF ^ DeviceFlag.GATEWAY
                self.counts[kernels.GATEWAYS] += 1
            self._forwarders = self._forwarders[self._forwarders != device["mac"]]

    def load(self, rows: Rows, records: Rows) -> None:
        """Bring every kernel of this room into memory, with no rows and no records."""
        self.attribute(rows, 0)
        self._count_arp(rows, PLACES[:0])
        self.relate(records)

    def _count_arp(self, rows: Rows, order: Words) -> None:
        crossed = kernels_edges.count_arp(
            rows, order, self._macs, self._tried, self._secret, self._test, self.edge_counts, self._asked
        )
        self._keep_crossings(crossed)

    def relate(self, records: Rows, places: Words | None = None) -> None:
        """Take flow events into the edges of both ends: all, or those at `places`, in that order."""
        order = PLACES[: len(records)] if places is None else places
        crossed = kernels_edges.relate_records(
            records, order, self._known, self._placed, self._tried, self._sites, self._test, self.edge_counts,
            self._ahead, self.stats, self._spare,
        )  # fmt: skip
        self._keep_crossings(crossed)

    def _keep_crossings(self, crossed: int) -> None:
        if crossed and len(self._crossings) < CROSSED_MAX:
            self._crossings.append(self._crossed[:crossed].copy())

    def take_edges(self) -> Rows:
        """Copies of the edges that are new or whose gates changed since the last call, oldest first."""
        copies: Rows = np.empty(self._changed[0], EDGE)
        return copies[: kernels_edges.take_changed(self.edges, self._changed, copies)]

    def disown(self, slots: npt.NDArray[np.uint32]) -> None:
        """Free the edges that an earlier owner of these slots left behind: a new device starts with none."""
        used = np.flatnonzero((self.edges["protocol"] != 0) & np.isin(self.edges["device"], slots))
        owners = self.edges["device"][used]
        stale = used[self.edges["first_ns"][used] < self.devices["first_ns"][owners]]
        self.edges["protocol"][stale] = 0
        self._edge_tags[stale] = 0

    def take_counts(self, most: int) -> tuple[Rows, int]:
        """Up to `most` edges whose flows ended or started since they were last taken, and how many are still waiting.

        Their counts start anew, so that the edges of all summaries add up; those that wait keep theirs.
        """
        edges, active = self.edges, _listed(self._touched).copy()
        chosen, waiting = active[:most], active[most:]
        copies = _rows_at(edges, chosen)
        for column in ("flows", "packets_out", "packets_in", "octets_out", "octets_in"):
            edges[column][chosen] = 0
        edges["changed"][chosen] &= 0xFF ^ kernels_edges.TOUCHED
        self._touched[0] = len(waiting)
        self._touched[1 : len(waiting) + 1] = waiting
        return _living(copies), len(waiting)

    def touched(self, most: int) -> tuple[Rows, bool]:
        """Copies of up to `most` edges that `take_counts` would take, and whether these are all; nothing is reset."""
        active = _listed(self._touched)
        return _living(_rows_at(self.edges, active[:most])), len(active) <= most

    def take_fans(self) -> Rows:
        """Copies of the fans that crossed their threshold since the last call."""
        fans = np.concatenate(self._crossings) if self._crossings else self._crossed[:0]
        self._crossings = []
        return fans

    def take_promoted(self) -> npt.NDArray[np.uint32]:
        """Slots of the devices that were promoted since the last call."""
        slots = np.concatenate(self._promoted) if self._promoted else self._fresh[:0]
        self._promoted = []
        return slots

    def has_news(self) -> bool:
        """Whether the judge has anything to look at."""
        return bool(self._changed[0] or self._crossings or self._promoted)

    @property
    def attributed(self) -> int:
        """Frames that were given to `attribute` and counted, in a device or as unplaced."""
        return int(self.counts[kernels.ATTRIBUTED])

    def gateways_changed(self) -> int:
        """A number that is another one whenever a device became a gateway or lost its slot."""
        return int(self.counts[kernels.GATEWAYS] + self.counts[kernels.EVICTED])

    def pressure(self) -> tuple[int, int, int]:
        """(edges given up or not kept, devices that lost their slot, frames of senders that found none) so far."""
        counts = self.counts
        edges = int(self.edge_counts[placing.EDGES_EVICTED] + self.edge_counts[kernels_edges.UNKEPT])
        return edges, int(counts[kernels.EVICTED]), int(counts[kernels.UNPLACED])

    def occupied(self) -> npt.NDArray[np.int64]:
        """Slots of promoted devices, in the order they were first seen."""
        slots = np.flatnonzero((self._macs != 0) & (self.devices["flags"] & DeviceFlag.PROMOTED != 0))
        order = np.lexsort((self.devices["mac"][slots], self.devices["first_ns"][slots]))
        return slots[order]

    def addresses(self, slot: int) -> list[tuple[int, int]]:
        """(hi, lo) of each address the device owns."""
        device = self.devices[slot]
        return [(int(device["address_hi"][i]), int(device["address_lo"][i])) for i in range(device["address_count"])]

    def conserved(self) -> bool:
        """Frames attributed = frames of devices in the table + of devices that lost their slot + unplaced ones.

        And what a device sent is what it sent near and far, by size, and after a gap or first.
        """
        placed = np.flatnonzero(self._macs)
        devices, stats = self.devices[placed], self.stats[placed]
        sent, counts = devices["tx_packets"], self.counts
        left = counts[kernels.EVICTED_PACKETS] + counts[kernels.UNPLACED]
        return bool(
            counts[kernels.ATTRIBUTED] == int(sent.sum()) + left
            and (stats["tx"][:, ::2].sum(axis=1) == sent).all()
            and (stats["tx"][:, 1::2].sum(axis=1) == devices["tx_octets"]).all()
            and (stats["rx"][:, ::2].sum(axis=1) == devices["rx_packets"]).all()
            and (stats["rx"][:, 1::2].sum(axis=1) == devices["rx_octets"]).all()
            and (stats["sizes"].sum(axis=1) == sent).all()
            and (stats["gaps"].sum(axis=1) + np.uint64(1) == sent).all()
        )
