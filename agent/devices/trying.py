"""How widely a device tries: FAN rows and the sequential test, and the share of tries that is kept. Leaves of kernels.

Each first contact of a device moves the test of its service (many hosts) and of its target (many ports); who crosses
the threshold is given to the judge. Fans are a fixed, set-associative, keyed table: a full set gives up its longest
silent one.
"""

from typing import NamedTuple

import numpy as np

from agent.devices.placing import WAYS
from agent.devices.records import FanKind, Rows
from agent.jit import Reals, Tags, Words, leaf
from agent.keyed import sip3

U64, U32, U16 = np.uint64, np.uint32, np.uint16
HOSTS, PORTS, ARP_FAN = int(FanKind.HOSTS), int(FanKind.PORTS), int(FanKind.ARP)
NS_PER_S, LAST_S, OLDEST_S = 1_000_000_000, 0xFFFFFFFF, 3600

FANS, FANS_EVICTED = 2, 3  # columns of the edges' `counts`, after EDGES and EDGES_EVICTED
# New contacts that nobody answered and that are each kept: so many of one device at once, and so many a second after
# that; more are counted. A scan begins tens of thousands, and who reads them has enough of these; a device that starts
# up or finds its servers gone, dozens. What one device tries in a minute fits a summary's table.
TRIES_KEPT, TRIES_A_SECOND = 128, 32
# Columns of `test`: the sequential test's parameters, from findings/thresholds.py.
STEP_FAILED, STEP_ANSWERED, UPPER, LOWER, HOSTS_MIN, PORTS_MIN, ARP_MIN, WINDOW_NS, TRACE_FIRST, TRACE_LAST = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
)  # fmt: skip
TEST = 10
RAISE_AGAIN = 4  # a fan that was reported is given to the judge again when it has grown fourfold


@leaf
def had_its_share(device: np.void, now_ns: int) -> bool:
    """Whether a device has begun as many contacts without an answer as are kept one by one.

    `tries` counts those that were kept, less what the seconds since have forgiven.
    """
    second = min(max(now_ns // NS_PER_S, 0), LAST_S)
    passed = second - np.int64(device["tries_s"])  # negative: a flow that ends was heard last some time ago
    if passed > 0 or passed < -OLDEST_S:
        forgiven = passed * TRIES_A_SECOND if passed > 0 else TRIES_KEPT
        device["tries"] = U32(max(np.int64(device["tries"]) - forgiven, 0))
        device["tries_s"] = U32(second)
    if device["tries"] >= U32(TRIES_KEPT):
        return True
    device["tries"] += U32(1)
    return False


class Fans(NamedTuple):
    """The fans, as kernels are given them."""

    rows: Rows  # FAN
    tags: Tags  # by slot; 0 = free
    last_ns: Words  # by slot: who gives way is the longest silent
    crossed: Rows  # FAN: those that crossed their threshold in this call


@leaf
def fan_digest(
    key0: np.uint64, key1: np.uint64, kind: int, device: np.uint64, service: np.uint64, hi: np.uint64, lo: np.uint64
) -> np.uint64:
    """Where a fan is. `service` is protocol << 16 | port. The key is turned around: no digest of another table's."""
    return sip3(key1, key0, (device << U64(32)) | (U64(kind) << U64(24)) | service, hi, lo)


@leaf
def fan_near(tags: Tags, last_ns: Words, digest: np.uint64) -> int:
    """Where a fan is or will be, by its tag alone: worth asking for ahead, not to be believed."""
    base, tag = np.int64(digest & U64(len(tags) // WAYS - 1)) * WAYS, U16(digest >> U64(48)) | U16(1)
    for way in range(WAYS):
        if tags[base + way] == tag:
            return base + way
    return _fan_room(tags, last_ns, base)


@leaf
def _fan_room(tags: Tags, last_ns: Words, base: int) -> int:
    """A free slot of a set, or the one to give up."""
    chosen, oldest = base, last_ns[U64(base)]
    for way in range(WAYS):
        if tags[base + way] == 0:
            return base + way
        if last_ns[U64(base + way)] < oldest:
            chosen, oldest = base + way, last_ns[U64(base + way)]
    return chosen


@leaf
def fan_of(
    fans: Fans, counts: Words, key: tuple[int, int, int, int], peer: tuple[np.uint64, np.uint64], digest: np.uint64,
    now_ns: int, window_ns: int,
) -> int:  # fmt: skip
    """The slot of `key` = (kind, device, protocol, port), begun anew after a silence longer than the window."""
    kind, device, protocol, port = key
    rows, tags, last_ns, _ = fans
    base, tag = np.int64(digest & U64(len(tags) // WAYS - 1)) * WAYS, U16(digest >> U64(48)) | U16(1)
    slot = -1
    for way in range(WAYS):
        if tags[base + way] != tag:
            continue
        row = rows[base + way]
        same = row["device"] == device and row["kind"] == kind and row["protocol"] == protocol and row["port"] == port
        if same and row["peer_lo"] == peer[1] and row["peer_hi"] == peer[0]:
            if now_ns - last_ns[base + way] <= window_ns:
                return base + way
            slot = base + way
            break
    if slot < 0:
        slot = _fan_room(tags, last_ns, base)
        counts[FANS] += np.int64(tags[slot] == 0)
        counts[FANS_EVICTED] += np.int64(tags[slot] != 0)
    row = rows[slot]
    tags[slot], last_ns[slot] = tag, now_ns
    row["peer_hi"], row["peer_lo"], row["first_ns"], row["last_ns"] = peer[0], peer[1], now_ns, now_ns
    row["score"], row["device"], row["port"], row["protocol"], row["kind"] = 0.0, device, port, protocol, kind
    row["attempts"], row["answered"], row["failed"], row["used"], row["reported"], row["scope"] = 0, 0, 0, 1, 0, 0
    return slot


@leaf
def crossed_by(row: np.void, test: Reals, minimum: int, crossed: Rows, n: int) -> int:
    """Give a fan to the judge when it crosses its threshold, and again each time it has grown fourfold."""
    wanted = np.int64(minimum)
    for _ in range(np.int64(row["reported"])):
        wanted *= RAISE_AGAIN
    size = row["attempts"] if row["kind"] == ARP_FAN else row["failed"]
    if size < wanted or n >= len(crossed) or (row["kind"] != ARP_FAN and row["score"] < test[UPPER]):
        return n
    row["reported"] += 1
    crossed[n] = row
    return n + 1


@leaf
def outcome(
    fans: Fans, counts: Words, edge: np.void, digests: tuple[np.uint64, np.uint64], failed: bool, now_ns: int,
    test: Reals, n: int,
) -> int:  # fmt: skip
    """The first outcome of a first contact moves the sequential tests of its service and of its target.

    `digests`: where these two are, by FanKind.
    """
    device, protocol, port = np.int64(edge["device"]), np.int64(edge["protocol"]), np.int64(edge["port"])
    none = (U64(0), U64(0))
    peer = (edge["peer_hi"], edge["peer_lo"])
    for kind in (HOSTS, PORTS):
        key = (HOSTS, device, protocol, port) if kind == HOSTS else (PORTS, device, protocol, 0)
        whom, digest = (none, digests[0]) if kind == HOSTS else (peer, digests[1])
        slot = fan_of(fans, counts, key, whom, digest, now_ns, np.int64(test[WINDOW_NS]))
        row = fans.rows[slot]
        row["attempts"] += 1
        row["last_ns"] = max(row["last_ns"], now_ns)
        fans.last_ns[slot] = row["last_ns"]
        row["scope"] = max(row["scope"], edge["scope"])
        if failed:
            row["failed"] += 1
            row["score"] += test[STEP_FAILED]
            minimum = test[HOSTS_MIN] if kind == HOSTS else test[PORTS_MIN]
            n = crossed_by(row, test, np.int64(minimum), fans.crossed, n)
        else:
            row["answered"] += 1
            row["score"] = max(row["score"] + test[STEP_ANSWERED], test[LOWER])
    return n
