"""Relate: flow events -> EDGE rows (who a device talks to, how) and FAN rows (how widely it tries).

Before: copies of biflows that started, progressed or ended. After: the edges of both ends know it, new or changed
edges are in `changed`, and fans that crossed their threshold are in `crossed`. An edge is kept only for a device that
owns the address it speaks from, so a gateway's remote hosts are peers, never devices. Tables are fixed,
set-associative and keyed; a full set gives up its longest silent row. Cost: a few lookups per flow event, nothing per
packet.
"""

import numpy as np

from agent.devices.ends import (
    DEVICE,
    DIGEST,
    ENDS,
    FURTHER,
    HIGH,
    KIND,
    LOW,
    NEAR,
    OTHER,
    PEER,
    PLACE,
    SERVICE,
    SPOKEN,
    TRIED,
    collect,
    digest_all,
    fetch_near,
    fetch_sets,
    has_failed,
)
from agent.devices.placing import WAYS, Edges, Known, edge_rank, edge_room, find_edge, place_edge, scope_of
from agent.devices.records import NO_SLOT, EdgeDirection, EdgeGate, FanKind, Rows, Scope
from agent.devices.tallies import measure_clinical, meet
from agent.devices.trying import (
    ARP_MIN,
    HOSTS,
    PORTS,
    TRACE_FIRST,
    TRACE_LAST,
    WINDOW_NS,
    Fans,
    crossed_by,
    fan_digest,
    fan_of,
    had_its_share,
    outcome,
)
from agent.flows.records import Direction, FlowEvent, FlowMark
from agent.jit import LINE, Hashes, Reals, Words, fetch_line, kernel, leaf
from agent.keyed import sip1, sip3
from agent.packets.records import PacketFlag

U64, U32 = np.uint64, np.uint32
UDP = 17

E_STARTED, E_ENDED = int(FlowEvent.STARTED), int(FlowEvent.ENDED)
M_ANSWERED, M_HANDSHAKE = int(FlowMark.ANSWERED), int(FlowMark.HANDSHAKE)
M_EXCHANGED, M_TWO_WAY = int(FlowMark.EXCHANGED), int(FlowMark.TWO_WAY_DATA)
G_HANDSHAKE, G_TWO_WAY, G_KNOWN = int(EdgeGate.HANDSHAKE), int(EdgeGate.TWO_WAY_DATA), int(EdgeGate.INITIATOR_KNOWN)
G_EXCHANGED, G_REFUSED, G_ANSWERED = int(EdgeGate.EXCHANGED), int(EdgeGate.REFUSED), int(EdgeGate.ANSWERED)
OUT, IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)
ARP_FAN = int(FanKind.ARP)
S_SEGMENT, S_MULTICAST, S_BROADCAST = int(Scope.SEGMENT), int(Scope.MULTICAST), int(Scope.BROADCAST)
D_FIRST_SEEN = int(Direction.FIRST_SEEN)
F_GROUP = int(PacketFlag.BROADCAST) | int(PacketFlag.MULTICAST)
F_BROADCAST = int(PacketFlag.BROADCAST)
ETHERTYPE_ARP = 0x0806
LINK = 1

# Columns of `counts`.
LISTS_FULL, UNKEPT = 4, 5  # after those of `placing` and `trying`
COUNTS = 6
# Bits of EDGE.changed.
CHANGED, TOUCHED = 1, 2


@leaf
def _gates(record: np.void) -> int:
    """What the flow's marks say, as EdgeGate bits."""
    marks, gates = record["marks"], 0
    if marks & M_HANDSHAKE:
        gates |= G_HANDSHAKE
    if marks & M_TWO_WAY:
        gates |= G_TWO_WAY
    if marks & M_EXCHANGED:
        gates |= G_EXCHANGED
    if marks & M_ANSWERED:
        gates |= G_ANSWERED
    if record["direction"] != D_FIRST_SEEN:
        gates |= G_KNOWN
    return gates


@leaf
def _peer_scope(record: np.void, direction: int, peer: tuple[np.uint64, np.uint64], other: int, sites: Hashes) -> int:
    """Where the peer lies: a device that owns the address is on this segment; a frame to a group says so itself."""
    if record["flags"] & F_GROUP and direction == OUT:
        return S_BROADCAST if record["flags"] & F_BROADCAST else S_MULTICAST
    return S_SEGMENT if other != NO_SLOT else scope_of(peer[0], peer[1], sites)


@leaf
def _begin_edge(edge: np.void, device: int, peer: tuple[np.uint64, np.uint64], kind: np.uint64, now_ns: int) -> None:
    edge["device"], edge["peer_hi"], edge["peer_lo"], edge["peer_device"] = device, peer[0], peer[1], NO_SLOT
    edge["direction"], edge["protocol"] = np.int64(kind >> U64(24)), np.int64(kind >> U64(16)) & 255
    edge["port"] = np.int64(kind) & 0xFFFF
    edge["first_ns"], edge["last_ns"], edge["octets_out"], edge["octets_in"] = now_ns, now_ns, U64(0), U64(0)
    edge["packets_out"], edge["packets_in"], edge["flows"] = U32(0), U32(0), U32(0)
    edge["answered"], edge["failed"], edge["scope"], edge["application"] = U32(0), U32(0), 0, 0
    edge["rtt_us"] = U32(0)
    edge["gates"] = 0  # `changed` stays: the slot is on its lists already, once


@leaf
def _count(edge: np.void, record: np.void, failed: bool) -> None:
    """What a flow did since its last event, from this device's side; its outcome when it ends.

    A responder's edge hears of a flow only when it is answered: then of all that came before.
    """
    forward_octets, reverse_octets = record["forward_octets"], record["reverse_octets"]
    forward_packets, reverse_packets = U32(record["forward_packets"]), U32(record["reverse_packets"])
    out = edge["direction"] == OUT
    if out or record["told_marks"] & M_ANSWERED:
        forward_octets -= record["told_forward_octets"]
        reverse_octets -= record["told_reverse_octets"]
        forward_packets -= record["told_forward_packets"]
        reverse_packets -= record["told_reverse_packets"]
    edge["octets_out"] += forward_octets if out else reverse_octets
    edge["octets_in"] += reverse_octets if out else forward_octets
    edge["packets_out"] += U32(forward_packets if out else reverse_packets)
    edge["packets_in"] += U32(reverse_packets if out else forward_packets)
    if record["rtt_responder_us"] != U32(0):
        edge["rtt_us"] = record["rtt_responder_us"]
    if record["event"] != E_ENDED:
        return
    if record["marks"] & M_ANSWERED:
        edge["answered"] += U32(1)
    elif failed:
        edge["failed"] += U32(1)


@leaf
def _count_device(device: np.void, record: np.void, direction: int, failed: bool) -> None:
    """A flow's start and end in its device's totals."""
    if direction == OUT and record["event"] == E_STARTED:
        device["flows_started"] += U32(1)
    if record["event"] != E_ENDED:
        return
    if direction == IN:
        device["flows_accepted"] += U32(1) if record["marks"] & M_ANSWERED else U32(0)
    elif record["marks"] & M_ANSWERED:
        device["flows_answered"] += U32(1)
    elif failed:
        device["flows_failed"] += U32(1)


@leaf
def _list_edge(edge: np.void, slot: int, bit: int, listed: Words, counts: Words) -> None:
    """Put an edge on a list unless it is there."""
    if edge["changed"] & bit:
        return
    if listed[0] + 1 >= len(listed):
        counts[LISTS_FULL] += 1
        return
    edge["changed"] |= bit
    listed[0] += 1
    listed[listed[0]] = slot


@leaf
def _relate_end(
    records: Rows, devices: Rows, edges: Edges, fans: Fans, stats: Rows, sites: Hashes, test: Reals, counts: Words,
    n: int, ahead: Hashes, place: int, spare: Hashes,
) -> int:  # fmt: skip
    """One end of a record into its device, its edge and its fans. Returns the number of fans in `crossed`."""
    j = U64(place)
    rows, tags, ranks, changed, touched = edges
    record, kind = records[ahead[U64(PLACE), j]], ahead[U64(KIND), j]
    direction, protocol, port = np.int64(kind >> U64(24)), np.int64(kind >> U64(16)) & 255, np.int64(kind) & 0xFFFF
    device, other = np.int64(ahead[U64(DEVICE), j]), np.int64(ahead[U64(OTHER), j])
    peer, digest = (ahead[U64(HIGH), j], ahead[U64(LOW), j]), ahead[U64(DIGEST), j]
    spoken, out = np.int64(ahead[U64(SPOKEN), j]) - 1, direction == OUT
    now_ns, failed = np.int64(record["last_ns"]), has_failed(record, protocol)
    _count_device(devices[device], record, direction, failed)
    slot = find_edge(rows, tags, device, peer, kind, digest)
    new = slot < 0
    scope = _peer_scope(record, direction, peer, other, sites) if new else np.int64(rows[slot]["scope"])
    unicast = scope != S_MULTICAST and scope != S_BROADCAST
    began = record["event"] == E_STARTED if out else not record["told_marks"] & M_ANSWERED
    if (began or new) and unicast:
        meet(stats[device], ahead[U64(PEER), j], ahead[U64(SERVICE), j], spare)
    if spoken >= 0:
        measure_clinical(stats[device], record, spoken, out)
    if new and not record["marks"] & M_ANSWERED and had_its_share(devices[device], now_ns):
        counts[UNKEPT] += np.int64(began)
        return n
    if new:
        slot = edge_room(tags, ranks, digest)
        place_edge(tags, counts, slot, digest)
        _begin_edge(rows[slot], device, peer, kind, np.int64(record["first_ns"]))
        rows[slot]["peer_device"], rows[slot]["scope"] = other, scope
        devices[device]["peers"] += U32(1)
    edge = rows[slot]
    edge["flows"] += U32(began or new)
    _count(edge, record, failed)
    edge["last_ns"] = max(edge["last_ns"], now_ns)
    if record["application"] != 0:
        edge["application"] = record["application"]
    gates = edge["gates"] | _gates(record) | (G_REFUSED if failed else 0)
    first = not edge["gates"] & (G_ANSWERED | G_REFUSED) and gates & (G_ANSWERED | G_REFUSED)
    trace = protocol == UDP and test[TRACE_FIRST] <= port <= test[TRACE_LAST]
    if out and first and unicast and not trace:
        tried = ahead[U64(TRIED + HOSTS), j], ahead[U64(TRIED + PORTS), j]
        n = outcome(fans, counts, edge, tried, failed, now_ns, test, n)
    ranks[slot] = edge_rank(np.int64(edge["last_ns"]), gates)
    _list_edge(edge, slot, TOUCHED, touched, counts)
    if new or gates != edge["gates"]:
        edge["gates"] = gates
        _list_edge(edge, slot, CHANGED, changed, counts)
    return n


@kernel
def relate_records(
    records: Rows, places: Words, known: Known, edges: Edges, fans: Fans, sites: Hashes, test: Reals, counts: Words,
    ahead: Hashes, stats: Rows, spare: Hashes,
) -> int:  # fmt: skip
    """Take the flow events at `places`, in that order, into the edges of their ends and into their statistics.

    New and changed edges are listed. `ahead` (KEPT, 2 * ENDS) is room for what the next records need, `spare`
    (EXACT_MAX) for what a full count moves.
    Returns the number of fans in `crossed`.
    """
    devices, secret = known.devices, known.secret
    n, i, size, now, ends = 0, 0, len(places), 0, 0
    while i < size or ends > 0:
        later, coming = ENDS - now, 0
        if i < size:
            i, coming = collect(records, places, i, known, ahead, later)
            digest_all(secret, ahead, later)
            fetch_sets(stats, edges, ahead, later, coming)
        for at in range(ends):
            near = now + at + NEAR if at + NEAR < ends else later + at + NEAR - ends
            if at + NEAR < ends + coming:
                fetch_near(records, devices, edges, fans, ahead, near)
            n = _relate_end(records, devices, edges, fans, stats, sites, test, counts, n, ahead, now + at, spare)
        now, ends = later, coming
    return n


@kernel
def count_arp(
    rows: Rows, places: Words, macs: Hashes, fans: Fans, secret: Hashes, test: Reals, counts: Words,
    asked: Hashes,
) -> int:  # fmt: skip
    """ARP requests among the rows at `places` -> ARP fans: how many addresses one device asks for.

    `asked` remembers keyed hashes of (device, target).
    Returns the number of fans in `crossed`. A hash that another one overwrote is counted twice; the table is far
    larger than what a ward asks for in a window.
    """
    n, none, window_ns = 0, (U64(0), U64(0)), np.int64(test[WINDOW_NS])
    for i in range(len(places)):
        row = rows[U64(places[i])]
        if row["verdict"] != LINK or row["ethertype"] != ETHERTYPE_ARP or row["dst_port"] != 1:
            continue
        if row["src_lo"] == row["dst_lo"]:
            continue  # gratuitous: it asks for itself
        now_ns = np.int64(row["time_ns"])
        base = np.int64(sip1(secret[0], secret[1], row["src_mac"]) & U64(len(macs) // WAYS - 1)) * WAYS
        device = -1
        for way in range(WAYS):
            if macs[base + way] == row["src_mac"] and row["src_mac"] != U64(0):  # a free slot has the MAC 0
                device = base + way
        if device < 0:
            continue
        digest = fan_digest(secret[0], secret[1], ARP_FAN, U64(device), U64(0), U64(0), U64(0))
        key = (ARP_FAN, device, 0, 0)
        slot = fan_of(fans, counts, key, none, digest, now_ns, window_ns)
        fan = fans.rows[slot]
        word = sip3(secret[0], secret[1], U64(device), row["dst_lo"], U64(fan["first_ns"])) | U64(1)
        place = np.int64(word >> U64(32)) & (len(asked) - 1)
        if asked[place] == word:
            continue
        asked[place] = word
        fan["attempts"] += 1
        fan["last_ns"] = max(fan["last_ns"], now_ns)
        fans.last_ns[slot] = fan["last_ns"]
        n = crossed_by(fan, test, np.int64(test[ARP_MIN]), fans.crossed, n)
    return n


@kernel
def take_changed(rows: Rows, listed: Words, out: Rows) -> int:
    """Copies of the edges on a list of changed ones, in its order, and the list is empty.

    Without those whose device has lost its slot. Returns how many are in `out`.
    """
    n, count = 0, listed[0]
    for i in range(1, count + 1):
        later = listed[min(i + FURTHER, count)]
        fetch_line(rows, later, 0)
        fetch_line(rows, later, LINE)
        edge = rows[listed[i]]
        edge["changed"] &= 255 ^ CHANGED
        out[n] = edge
        n += np.int64(edge["protocol"] != 0)
    listed[0] = 0
    return n
