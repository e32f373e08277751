"""Relate: flow events -> EDGE rows (who a device talks to, how) and FAN rows (how widely it tries).

Before: copies of biflows that started, progressed or ended. After: the edges of both ends know it, new or changed
edges are in `changed`, and fans that crossed their threshold are in `crossed`. An edge is kept only for a device that
owns the address it speaks from, so a gateway's remote hosts are peers, never devices. Tables are fixed,
set-associative and keyed; a full set gives up its longest silent row. Cost: a few lookups per flow event, nothing per
packet.
"""

import numpy as np

from agent.devices.placing import WAYS, Edges, Known, device_of, edge_of, edge_slot, scope_of
from agent.devices.records import NO_SLOT, EdgeDirection, EdgeGate, FanKind, Rows, Scope
from agent.devices.tallies import clinical_of, measure_clinical, meet
from agent.flows.records import Direction, FlowEndReason, FlowEvent, FlowMark, FlowState
from agent.jit import LINE, Hashes, Reals, Tags, Words, fetch_line, kernel, leaf
from agent.keyed import sip1, sip3
from agent.packets.records import PacketFlag

AHEAD = 32  # records whose edges are fetched together
# Rows of `ahead`: the devices of both ends, by EdgeDirection, then the digests of their edges.
DIGESTS, KEPT = 2, 4
U64, U32, U16 = np.uint64, np.uint32, np.uint16
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FEW_PACKETS = 3  # as in the flow cache: an unanswered datagram flow this short is a try, not a stream

E_STARTED, E_PROGRESS, E_ENDED = int(FlowEvent.STARTED), int(FlowEvent.PROGRESS), int(FlowEvent.ENDED)
M_ANSWERED, M_REFUSED, M_HANDSHAKE = int(FlowMark.ANSWERED), int(FlowMark.REFUSED), int(FlowMark.HANDSHAKE)
M_EXCHANGED, M_TWO_WAY = int(FlowMark.EXCHANGED), int(FlowMark.TWO_WAY_DATA)
G_HANDSHAKE, G_TWO_WAY, G_KNOWN = int(EdgeGate.HANDSHAKE), int(EdgeGate.TWO_WAY_DATA), int(EdgeGate.INITIATOR_KNOWN)
G_EXCHANGED, G_REFUSED, G_ANSWERED = int(EdgeGate.EXCHANGED), int(EdgeGate.REFUSED), int(EdgeGate.ANSWERED)
OUT, IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)
KIND_OUT, KIND_IN = U64(OUT << 24), U64(IN << 24)
HOSTS, PORTS, ARP_FAN = int(FanKind.HOSTS), int(FanKind.PORTS), int(FanKind.ARP)
S_SEGMENT, S_MULTICAST, S_BROADCAST = int(Scope.SEGMENT), int(Scope.MULTICAST), int(Scope.BROADCAST)
R_IDLE, S_SYN = int(FlowEndReason.IDLE), int(FlowState.SYN)
D_FIRST_SEEN = int(Direction.FIRST_SEEN)
F_GROUP = int(PacketFlag.BROADCAST) | int(PacketFlag.MULTICAST)
F_BROADCAST = int(PacketFlag.BROADCAST)
ETHERTYPE_ARP = 0x0806
LINK = 1

# Columns of `counts`.
FANS, FANS_EVICTED, LISTS_FULL = 2, 3, 4  # after EDGES and EDGES_EVICTED
COUNTS = 5
# Bits of EDGE.changed.
CHANGED, TOUCHED = 1, 2
# Columns of `test`: the sequential test's parameters, from findings/thresholds.py.
STEP_FAILED, STEP_ANSWERED, UPPER, LOWER, HOSTS_MIN, PORTS_MIN, ARP_MIN, WINDOW_NS, TRACE_FIRST, TRACE_LAST = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
)  # fmt: skip
TEST = 10
RAISE_AGAIN = 4  # a fan that was reported is given to the judge again when it has grown fourfold


@leaf
def _ends(record: np.void) -> tuple[tuple[np.uint64, np.uint64], tuple[np.uint64, np.uint64], int]:
    """(originator's address, responder's address, responder's port)."""
    low, high = (record["key_lo_hi"], record["key_lo_lo"]), (record["key_hi_hi"], record["key_hi_lo"])
    ports = record["key_ports"]
    if record["originator_is_hi"] == 1:
        return high, low, np.int64(ports >> U64(48))
    return low, high, np.int64((ports >> U64(32)) & U64(0xFFFF))


@leaf
def _look_ahead(
    records: Rows, places: Words, start: int, stop: int, macs: Hashes, devices: Rows, memo: Words, secret: Hashes,
    edges: Rows, tags: Tags, ahead: Hashes,
) -> int:  # fmt: skip
    """Devices and edges of both ends of the records at places[start:stop] into `ahead`, and their lines asked for.

    Returns `stop`.
    """
    key0, key1, sets = secret[0], secret[1], U64(len(tags) // WAYS - 1)
    for i in range(stop, min(stop + AHEAD, len(places))):  # another worker's lie in another core's cache
        fetch_line(records, places[i], 0)
        fetch_line(records, places[i], LINE)
        fetch_line(records, places[i], 2 * LINE)
    for i in range(start, stop):
        record, j = records[U64(places[i])], U64(i - start)
        originator, responder, port = _ends(record)
        out = device_of(macs, devices, memo, secret, record["originator_mac"], originator)
        back = device_of(macs, devices, memo, secret, record["responder_mac"], responder)
        kind = (record["key_ports"] & U64(0xFF)) << U64(16) | U64(port)
        ahead[U64(OUT), j], ahead[U64(IN), j] = U64(out), U64(back)
        there, here = (U64(out) << U64(32)) | KIND_OUT | kind, (U64(back) << U64(32)) | KIND_IN | kind
        ahead[U64(DIGESTS + OUT), j] = sip3(key0, key1, there, responder[0], responder[1])
        ahead[U64(DIGESTS + IN), j] = sip3(key0, key1, here, originator[0], originator[1])
        for direction in (OUT, IN):
            fetch_line(tags, (ahead[U64(DIGESTS + direction), j] & sets) * U64(WAYS), 0)
    for i in range(stop - start):
        for direction in (OUT, IN):
            if ahead[U64(direction), U64(i)] == U64(NO_SLOT):
                continue
            digest = ahead[U64(DIGESTS + direction), U64(i)]
            slot = edge_of(digest, U16(digest >> U64(48)) | U16(1), tags)
            fetch_line(edges, slot, 0)
            fetch_line(edges, slot, LINE)
    return stop


@leaf
def _fan(
    fans: Rows,
    secret: Hashes,
    counts: Words,
    key: tuple[int, int, int, int],
    peer: tuple[np.uint64, np.uint64],
    now_ns: int,
    window_ns: int,
) -> np.void:
    """The fan row of `key` = (kind, device, protocol, port), begun anew after a silence longer than the window."""
    kind, device, protocol, port = key
    word = (U64(device) << U64(32)) | (U64(kind) << U64(24)) | (U64(protocol) << U64(16)) | U64(port)
    base = np.int64(sip3(secret[1], secret[0], word, peer[0], peer[1]) & U64(len(fans) // WAYS - 1)) * WAYS
    slot, oldest, last = -1, base, np.int64(1 << 62)
    for way in range(WAYS):
        row = fans[base + way]
        if row["used"] == 0:
            if slot < 0:
                slot = base + way
            continue
        same = row["device"] == device and row["kind"] == kind and row["protocol"] == protocol and row["port"] == port
        if same and row["peer_lo"] == peer[1] and row["peer_hi"] == peer[0]:
            if now_ns - row["last_ns"] <= window_ns:
                return row
            slot = base + way
            counts[FANS] -= 1
            break
        if row["last_ns"] < last:
            oldest, last = base + way, np.int64(row["last_ns"])
    counts[FANS] += 1
    if slot < 0:
        slot = oldest
        counts[FANS] -= 1
        counts[FANS_EVICTED] += 1
    row = fans[slot]
    row["peer_hi"], row["peer_lo"], row["first_ns"], row["last_ns"] = peer[0], peer[1], now_ns, now_ns
    row["score"], row["device"], row["port"], row["protocol"], row["kind"] = 0.0, device, port, protocol, kind
    row["attempts"], row["answered"], row["failed"], row["used"], row["reported"], row["scope"] = 0, 0, 0, 1, 0, 0
    return row


@leaf
def _crossed(row: np.void, test: Reals, minimum: int, crossed: Rows, n: int) -> int:
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
def _outcome(
    fans: Rows,
    secret: Hashes,
    counts: Words,
    edge: np.void,
    failed: bool,
    now_ns: int,
    test: Reals,
    crossed: Rows,
    n: int,
) -> int:
    """The first outcome of a first contact moves the sequential tests of its service and of its target."""
    device, protocol, port = np.int64(edge["device"]), np.int64(edge["protocol"]), np.int64(edge["port"])
    none = (U64(0), U64(0))
    peer = (edge["peer_hi"], edge["peer_lo"])
    for kind in (HOSTS, PORTS):
        key = (HOSTS, device, protocol, port) if kind == HOSTS else (PORTS, device, protocol, 0)
        row = _fan(fans, secret, counts, key, none if kind == HOSTS else peer, now_ns, np.int64(test[WINDOW_NS]))
        row["attempts"] += 1
        row["last_ns"] = max(row["last_ns"], now_ns)
        row["scope"] = max(row["scope"], edge["scope"])
        if failed:
            row["failed"] += 1
            row["score"] += test[STEP_FAILED]
            minimum = test[HOSTS_MIN] if kind == HOSTS else test[PORTS_MIN]
            n = _crossed(row, test, np.int64(minimum), crossed, n)
        else:
            row["answered"] += 1
            row["score"] = max(row["score"] + test[STEP_ANSWERED], test[LOWER])
    return n


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
def _has_failed(record: np.void, protocol: int) -> bool:
    """Refused, or a try that nobody answered in time."""
    if record["marks"] & M_ANSWERED:
        return False
    if record["marks"] & M_REFUSED:
        return True
    if record["event"] != E_ENDED or record["end_reason"] != R_IDLE or record["reverse_packets"] > 0:
        return False
    if protocol == TCP:
        return bool(record["state"] & S_SYN) or record["forward_packets"] <= U64(FEW_PACKETS)
    return record["forward_packets"] <= U64(FEW_PACKETS)


@leaf
def _begin_edge(edge: np.void, device: int, peer: tuple[np.uint64, np.uint64], kind: np.uint64, now_ns: int) -> None:
    edge["device"], edge["peer_hi"], edge["peer_lo"], edge["peer_device"] = device, peer[0], peer[1], NO_SLOT
    edge["direction"], edge["protocol"] = np.int64(kind >> U64(24)), np.int64(kind >> U64(16)) & 255
    edge["port"] = np.int64(kind) & 0xFFFF
    edge["first_ns"], edge["last_ns"], edge["octets_out"], edge["octets_in"] = now_ns, now_ns, U64(0), U64(0)
    edge["packets_out"], edge["packets_in"], edge["flows"] = U32(0), U32(0), U32(0)
    edge["answered"], edge["failed"], edge["scope"], edge["application"] = U32(0), U32(0), 0, 0
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


@kernel
def relate_records(
    records: Rows, places: Words, known: Known, edges: Edges, fans: Rows, sites: Hashes, test: Reals, counts: Words,
    crossed: Rows, ahead: Hashes, stats: Rows, spare: Hashes,
) -> int:  # fmt: skip
    """Take the flow events at `places`, in that order, into the edges of their ends and into their statistics.

    New and changed edges are listed. `ahead` (KEPT, AHEAD) is room for what the next records need, `spare`
    (EXACT_MAX) for what a full count moves.
    Returns the number of fans in `crossed`.
    """
    macs, devices, memo, secret = known
    rows, tags, changed, touched = edges
    n, base, fetched, size = 0, 0, 0, len(places)
    for i in range(size):
        if i >= fetched:
            base, stop = i, min(i + AHEAD, size)
            fetched = _look_ahead(records, places, i, stop, macs, devices, memo, secret, rows, tags, ahead)
        record, j = records[U64(places[i])], U64(i - base)
        originator, responder, port = _ends(record)
        protocol = np.int64(record["key_ports"] & U64(0xFF))
        now_ns = np.int64(record["last_ns"])
        failed = _has_failed(record, protocol)
        spoken = clinical_of(record, protocol, port)
        for direction in (OUT, IN):
            peer = responder if direction == OUT else originator
            device, other = np.int64(ahead[U64(direction), j]), np.int64(ahead[U64(1 - direction), j])
            if protocol == 0 or device == NO_SLOT or (direction == IN and not record["marks"] & M_ANSWERED):
                continue
            _count_device(devices[device], record, direction, failed)
            kind = (U64(direction) << U64(24)) | (U64(protocol) << U64(16)) | U64(port)
            slot, new = edge_slot(rows, tags, counts, device, peer, kind, ahead[U64(DIGESTS + direction), j])
            edge = rows[slot]
            if new:
                _begin_edge(edge, device, peer, kind, np.int64(record["first_ns"]))
                devices[device]["peers"] += U32(1)
                edge["peer_device"] = other
                edge["scope"] = S_SEGMENT if other != NO_SLOT else scope_of(peer[0], peer[1], sites)
                if record["flags"] & F_GROUP and direction == OUT:
                    edge["scope"] = S_BROADCAST if record["flags"] & F_BROADCAST else S_MULTICAST
            began = record["event"] == E_STARTED if direction == OUT else not record["told_marks"] & M_ANSWERED
            unicast = edge["scope"] != S_MULTICAST and edge["scope"] != S_BROADCAST
            if began or new:
                edge["flows"] += U32(1)
                if unicast:
                    meet(stats[device], secret, peer, kind & U64(0xFFFFFF), spare)
            if spoken >= 0:
                measure_clinical(stats[device], record, spoken, direction == OUT)
            _count(edge, record, failed)
            edge["last_ns"] = max(edge["last_ns"], now_ns)
            if record["application"] != 0:
                edge["application"] = record["application"]
            gates = edge["gates"] | _gates(record) | (G_REFUSED if failed else 0)
            first = not edge["gates"] & (G_ANSWERED | G_REFUSED) and gates & (G_ANSWERED | G_REFUSED)
            trace = protocol == UDP and test[TRACE_FIRST] <= port <= test[TRACE_LAST]
            if direction == OUT and first and unicast and not trace:
                n = _outcome(fans, secret, counts, edge, failed, now_ns, test, crossed, n)
            _list_edge(edge, slot, TOUCHED, touched, counts)
            if new or gates != edge["gates"]:
                edge["gates"] = gates
                _list_edge(edge, slot, CHANGED, changed, counts)
    return n


@kernel
def count_arp(
    rows: Rows, places: Words, macs: Hashes, fans: Rows, secret: Hashes, test: Reals, counts: Words,
    asked: Hashes, crossed: Rows,
) -> int:  # fmt: skip
    """ARP requests among the rows at `places` -> ARP fans: how many addresses one device asks for.

    `asked` remembers keyed hashes of (device, target).
    Returns the number of fans in `crossed`. A hash that another one overwrote is counted twice; the table is far
    larger than what a ward asks for in a window.
    """
    n = 0
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
        fan = _fan(fans, secret, counts, (ARP_FAN, device, 0, 0), (U64(0), U64(0)), now_ns, np.int64(test[WINDOW_NS]))
        word = sip3(secret[0], secret[1], U64(device), row["dst_lo"], U64(fan["first_ns"])) | U64(1)
        place = np.int64(word >> U64(32)) & (len(asked) - 1)
        if asked[place] == word:
            continue
        asked[place] = word
        fan["attempts"] += 1
        fan["last_ns"] = max(fan["last_ns"], now_ns)
        n = _crossed(fan, test, np.int64(test[ARP_MIN]), crossed, n)
    return n
