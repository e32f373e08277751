"""Where things are: a device's slot, an edge's slot, an address's scope. Leaves of the kernels.

A table is sets of WAYS slots; a keyed hash chooses the set.
"""

from typing import NamedTuple

import numpy as np

from agent.devices.records import NO_SLOT, EdgeGate, Rows, Scope
from agent.jit import Hashes, Tags, Words, leaf
from agent.keyed import sip1

WAYS = 8
MEMO_BITS = 12  # addresses found lately: the devices of a ward several times over
MEMO = 1 << MEMO_BITS
U64, U16 = np.uint64, np.uint16
MEMO_FACTOR = U64(0x9E3779B97F4A7C15)

S_SEGMENT, S_SITE, S_INTERNET = int(Scope.SEGMENT), int(Scope.SITE), int(Scope.INTERNET)
S_MULTICAST, S_BROADCAST = int(Scope.MULTICAST), int(Scope.BROADCAST)
MAPPED_TOP = U64(0xFFFF)
RANK_NS = U64((1 << 63) - 1)
G_ANSWERED = int(EdgeGate.ANSWERED)

# Columns of the edges' `counts`.
EDGES, EDGES_EVICTED = 0, 1


class Known(NamedTuple):
    """The devices, as kernels that only look them up are given them."""

    macs: Hashes  # by slot; 0 = free
    devices: Rows  # DEVICE
    memo: Words  # (MEMO,) slots found lately
    secret: Hashes  # (2,) the tables' key


class Edges(NamedTuple):
    """The edges, as kernels are given them."""

    rows: Rows  # EDGE
    tags: Tags  # by slot; 0 = free
    ranks: Hashes  # by slot: `edge_rank`
    changed: Words  # slots for the judge; the first entry counts the others
    touched: Words  # slots for the summary, likewise


@leaf
def scope_of(hi: np.uint64, lo: np.uint64, sites: Hashes) -> int:
    """Scope of an address (IANA special-purpose registries, RFC 6890); `sites` rows are (hi, lo, mask hi, mask lo)."""
    for i in range(len(sites)):
        if hi & sites[i, 2] == sites[i, 0] and lo & sites[i, 3] == sites[i, 1]:
            return S_SITE
    if hi == U64(0) and lo >> U64(32) == MAPPED_TOP:
        address = np.int64(lo & U64(0xFFFFFFFF))
        top = address >> 24
        if address == 0xFFFFFFFF or address == 0:
            return S_BROADCAST
        if 224 <= top < 240:
            return S_MULTICAST
        if top == 10 or address >> 20 == 0xAC1 or address >> 16 == 0xC0A8 or address >> 22 == 0x6440 >> 6:
            return S_SITE
        return S_SEGMENT if top == 127 or address >> 16 == 0xA9FE else S_INTERNET
    top = np.int64(hi >> U64(48))
    if top >> 8 == 0xFF:
        return S_MULTICAST
    if top & 0xFFC0 == 0xFE80 or (hi == U64(0) and lo <= U64(1)):
        return S_SEGMENT
    return S_SITE if top & 0xFE00 == 0xFC00 else S_INTERNET


@leaf
def slot_of(macs: Hashes, secret: Hashes, mac: np.uint64) -> tuple[int, int]:
    """(slot that holds this MAC or -1, first slot of its set)."""
    base = np.int64(sip1(secret[0], secret[1], mac) & U64(len(macs) // WAYS - 1)) * WAYS
    for way in range(WAYS):
        if macs[base + way] == mac:
            return base + way, base
    return -1, base


@leaf
def memo_place(mac: np.uint64) -> int:
    """Chosen by a plain mix: whoever makes addresses collide there only loses the shortcut."""
    return np.int64((mac * MEMO_FACTOR) >> U64(64 - MEMO_BITS))


@leaf
def recall(macs: Hashes, secret: Hashes, memo: Words, mac: np.uint64) -> tuple[int, int]:
    """As `slot_of`, after a look at where this address was found last."""
    place = memo_place(mac)
    slot = memo[place]
    if macs[slot] == mac:
        return slot, slot - slot % WAYS
    slot, base = slot_of(macs, secret, mac)
    if slot >= 0:
        memo[place] = slot
    return slot, base


@leaf
def owned(device: np.void, hi: np.uint64, lo: np.uint64) -> int:
    """Index of an address among the device's own, or -1."""
    for i in range(np.int64(device["address_count"])):
        if device["address_lo"][i] == lo and device["address_hi"][i] == hi:
            return i
    return -1


@leaf
def device_of(
    macs: Hashes, devices: Rows, memo: Words, secret: Hashes, mac: np.uint64, address: tuple[np.uint64, np.uint64]
) -> int:
    """Slot of the device with this MAC if the address is its own, else NO_SLOT."""
    if mac == U64(0):
        return NO_SLOT
    slot, _ = recall(macs, secret, memo, mac)
    if slot >= 0 and owned(devices[slot], address[0], address[1]) >= 0:
        return slot
    return NO_SLOT


@leaf
def edge_rank(last_ns: int, gates: int) -> np.uint64:
    """Who stays when a set is full, as one number: what was answered before a try, then what spoke last."""
    return (U64(gates & G_ANSWERED != 0) << U64(63)) | (U64(last_ns) & RANK_NS)


@leaf
def find_edge(
    rows: Rows, tags: Tags, device: int, peer: tuple[np.uint64, np.uint64], kind: np.uint64, digest: np.uint64
) -> int:
    """The slot of an edge, or -1. `kind` = direction << 24 | protocol << 16 | port."""
    base, tag = np.int64(digest & U64(len(tags) // WAYS - 1)) * WAYS, U16(digest >> U64(48)) | U16(1)
    for way in range(WAYS):
        if tags[base + way] != tag:
            continue
        edge = rows[base + way]
        its_kind = (U64(edge["direction"]) << U64(24)) | (U64(edge["protocol"]) << U64(16)) | U64(edge["port"])
        if edge["device"] == device and edge["peer_lo"] == peer[1] and edge["peer_hi"] == peer[0] and its_kind == kind:
            return base + way
    return -1


@leaf
def edge_room(tags: Tags, ranks: Hashes, digest: np.uint64) -> int:
    """A free slot of an edge's set, or the one to give up: a scan's tries give way to each other, contacts to none."""
    base = np.int64(digest & U64(len(tags) // WAYS - 1)) * WAYS
    chosen, least = base, ranks[U64(base)]
    for way in range(WAYS):
        if tags[base + way] == 0:
            return base + way
        rank = ranks[U64(base + way)]
        if rank < least:
            chosen, least = base + way, rank
    return chosen


@leaf
def edge_tagged(tags: Tags, digest: np.uint64) -> int:
    """Where an edge is by its tag alone, or -1: worth asking for ahead, not to be believed."""
    base, tag = np.int64(digest & U64(len(tags) // WAYS - 1)) * WAYS, U16(digest >> U64(48)) | U16(1)
    for way in range(WAYS):
        if tags[base + way] == tag:
            return base + way
    return -1


@leaf
def place_edge(tags: Tags, counts: Words, slot: int, digest: np.uint64) -> None:
    """A new edge takes a slot that `edge_room` gave."""
    counts[EDGES] += np.int64(tags[slot] == 0)
    counts[EDGES_EVICTED] += np.int64(tags[slot] != 0)
    tags[slot] = U16(digest >> U64(48)) | U16(1)
