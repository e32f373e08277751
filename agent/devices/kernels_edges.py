"""Relate: flow events -> EDGE rows (who a device talks to, how) and FAN rows (how widely it tries).

Before: copies of biflows that started, progressed or ended. After: the edges of both ends know it, new or changed
edges are in `changed`, and fans that crossed their threshold are in `crossed`. An edge is kept only for a device that
owns the address it speaks from, so a gateway's remote hosts are peers, never devices. Tables are fixed,
set-associative and keyed; a full set gives up its longest silent row. Cost: a few lookups per flow event, nothing per
packet.
"""

import numpy as np

from agent.devices.placing import (
    WAYS,
    Edges,
    Known,
    device_of,
    edge_near,
    edge_rank,
    edge_room,
    find_edge,
    place_edge,
    scope_of,
)
from agent.devices.records import NO_SLOT, EdgeDirection, EdgeGate, FanKind, Rows, Scope
from agent.devices.tallies import clinical_of, fetch_meeting, measure_clinical, meet, peer_digest, service_digest
from agent.devices.trying import (
    ARP_MIN,
    TRACE_FIRST,
    TRACE_LAST,
    WINDOW_NS,
    crossed_by,
    fan_of,
    had_its_share,
    outcome,
)
from agent.flows.records import Direction, FlowEndReason, FlowEvent, FlowMark, FlowState
from agent.jit import LINE, Hashes, Reals, Tags, Words, fetch_line, kernel, leaf
from agent.keyed import sip1, sip3
from agent.packets.records import PacketFlag

AHEAD = 32  # records whose edges are fetched together
# Rows of `ahead`: the devices of both ends, by EdgeDirection, then the digests of their edges, of their peers, and of
# the service; at last the addresses that those are made of, high and low, of the peers by EdgeDirection.
DIGESTS, PEERS, SERVICES, HIGH, LOW, KEPT = 2, 4, 6, 7, 9, 11
U64, U32, U16 = np.uint64, np.uint32, np.uint16
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FEW_PACKETS = 3  # as in the flow cache: an unanswered datagram flow this short is a try, not a stream

E_STARTED, E_PROGRESS, E_ENDED = int(FlowEvent.STARTED), int(FlowEvent.PROGRESS), int(FlowEvent.ENDED)
M_ANSWERED, M_REFUSED, M_HANDSHAKE = int(FlowMark.ANSWERED), int(FlowMark.REFUSED), int(FlowMark.HANDSHAKE)
M_EXCHANGED, M_TWO_WAY = int(FlowMark.EXCHANGED), int(FlowMark.TWO_WAY_DATA)
G_HANDSHAKE, G_TWO_WAY, G_KNOWN = int(EdgeGate.HANDSHAKE), int(EdgeGate.TWO_WAY_DATA), int(EdgeGate.INITIATOR_KNOWN)
G_EXCHANGED, G_REFUSED, G_ANSWERED = int(EdgeGate.EXCHANGED), int(EdgeGate.REFUSED), int(EdgeGate.ANSWERED)
OUT, IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)
ARP_FAN = int(FanKind.ARP)
S_SEGMENT, S_MULTICAST, S_BROADCAST = int(Scope.SEGMENT), int(Scope.MULTICAST), int(Scope.BROADCAST)
R_IDLE, S_SYN = int(FlowEndReason.IDLE), int(FlowState.SYN)
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
def _ends(record: np.void) -> tuple[tuple[np.uint64, np.uint64], tuple[np.uint64, np.uint64], int]:
    """(originator's address, responder's address, responder's port)."""
    low, high = (record["key_lo_hi"], record["key_lo_lo"]), (record["key_hi_hi"], record["key_hi_lo"])
    ports = record["key_ports"]
    if record["originator_is_hi"] == 1:
        return high, low, np.int64(ports >> U64(48))
    return low, high, np.int64((ports >> U64(32)) & U64(0xFFFF))


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
def _is_no_news(record: np.void, port: int) -> bool:
    """The end of a try that was given up before it had failed, and of which everything was told: nothing counts it."""
    if record["event"] != E_ENDED or record["marks"] & M_ANSWERED:
        return False
    told = record["told_forward_packets"] == U32(record["forward_packets"])
    told &= record["told_reverse_packets"] == U32(record["reverse_packets"])
    protocol = np.int64(record["key_ports"] & U64(0xFF))
    return told and not _has_failed(record, protocol) and clinical_of(record, protocol, port) < 0


@leaf
def _concerns(record: np.void, direction: int, device: int) -> bool:
    """Whether an event is news for the device at this end: the responder hears of a flow when it is answered."""
    return device != NO_SLOT and (direction == OUT or record["marks"] & M_ANSWERED != 0)


@leaf
def _digest_all(secret: Hashes, ahead: Hashes) -> None:
    """The words in `ahead` become digests: a fixed number, without a branch, so the compiler takes several at once."""
    key0, key1, services = secret[0], secret[1], ahead[U64(SERVICES)]
    for direction in (OUT, IN):
        digests, peers = ahead[U64(DIGESTS + direction)], ahead[U64(PEERS + direction)]
        high, low = ahead[U64(HIGH + direction)], ahead[U64(LOW + direction)]
        for j in range(AHEAD):
            digests[j] = sip3(key0, key1, digests[j], high[j], low[j])
        for j in range(AHEAD):
            peers[j] = peer_digest(key0, key1, high[j], low[j])
    for j in range(AHEAD):
        services[j] = service_digest(key0, key1, services[j])


@leaf
def _look_ahead(
    records: Rows, places: Words, start: int, macs: Hashes, devices: Rows, memo: Words, secret: Hashes,
    edges: Rows, tags: Tags, ranks: Hashes, ahead: Hashes, stats: Rows,
) -> int:  # fmt: skip
    """Devices and edges of both ends of the next records at `places` into `ahead`, and their lines asked for.

    Returns where those end.
    """
    stop = min(start + AHEAD, len(places))
    sets = U64(len(tags) // WAYS - 1)
    for i in range(stop, min(stop + AHEAD, len(places))):  # another worker's lie in another core's cache
        fetch_line(records, places[i], 0)
        fetch_line(records, places[i], LINE)
        fetch_line(records, places[i], 2 * LINE)
    for i in range(start, stop):
        record, j = records[U64(places[i])], U64(i - start)
        originator, responder, port = _ends(record)
        ahead[U64(OUT), j], ahead[U64(IN), j] = U64(NO_SLOT), U64(NO_SLOT)
        if _is_no_news(record, port):
            continue
        out = device_of(macs, devices, memo, secret, record["originator_mac"], originator)
        back = device_of(macs, devices, memo, secret, record["responder_mac"], responder)
        fetch_line(devices, out, 2 * LINE)
        fetch_line(devices, back, 2 * LINE)
        kind = (record["key_ports"] & U64(0xFF)) << U64(16) | U64(port)
        ahead[U64(OUT), j], ahead[U64(IN), j], ahead[U64(SERVICES), j] = U64(out), U64(back), kind
        ahead[U64(DIGESTS + OUT), j] = (U64(out) << U64(32)) | (U64(OUT) << U64(24)) | kind
        ahead[U64(DIGESTS + IN), j] = (U64(back) << U64(32)) | (U64(IN) << U64(24)) | kind
        ahead[U64(HIGH + OUT), j], ahead[U64(LOW + OUT), j] = responder[0], responder[1]
        ahead[U64(HIGH + IN), j], ahead[U64(LOW + IN), j] = originator[0], originator[1]
    _digest_all(secret, ahead)
    for i in range(stop - start):
        record = records[U64(places[start + i])]
        for direction in (OUT, IN):
            device = np.int64(ahead[U64(direction), U64(i)])
            if _concerns(record, direction, device):
                digest = ahead[U64(DIGESTS + direction), U64(i)]
                fetch_line(tags, (digest & sets) * U64(WAYS), 0)
                fetch_line(ranks, (digest & sets) * U64(WAYS), 0)
                fetch_meeting(stats, device, ahead[U64(PEERS + direction), U64(i)], ahead[U64(SERVICES), U64(i)])
    for i in range(stop - start):
        record = records[U64(places[start + i])]
        for direction in (OUT, IN):
            if _concerns(record, direction, np.int64(ahead[U64(direction), U64(i)])):
                slot = edge_near(tags, ranks, ahead[U64(DIGESTS + direction), U64(i)])
                fetch_line(edges, slot, 0)
                fetch_line(edges, slot, LINE)
    return stop


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
    rows, tags, ranks, changed, touched = edges
    n, base, fetched, size = 0, 0, 0, len(places)
    for i in range(size):
        if i >= fetched:
            base = i
            fetched = _look_ahead(records, places, i, macs, devices, memo, secret, rows, tags, ranks, ahead, stats)
        record, j = records[U64(places[i])], U64(i - base)
        originator, responder, port = _ends(record)
        protocol = np.int64(record["key_ports"] & U64(0xFF))
        now_ns = np.int64(record["last_ns"])
        failed = _has_failed(record, protocol)
        spoken = clinical_of(record, protocol, port)
        for direction in (OUT, IN):
            peer = responder if direction == OUT else originator
            device, other = np.int64(ahead[U64(direction), j]), np.int64(ahead[U64(1 - direction), j])
            if protocol == 0 or not _concerns(record, direction, device):
                continue
            _count_device(devices[device], record, direction, failed)
            kind = (U64(direction) << U64(24)) | (U64(protocol) << U64(16)) | U64(port)
            digest = ahead[U64(DIGESTS + direction), j]
            slot = find_edge(rows, tags, device, peer, kind, digest)
            new = slot < 0
            scope = _peer_scope(record, direction, peer, other, sites) if new else np.int64(rows[slot]["scope"])
            unicast = scope != S_MULTICAST and scope != S_BROADCAST
            began = record["event"] == E_STARTED if direction == OUT else not record["told_marks"] & M_ANSWERED
            if (began or new) and unicast:
                meet(stats[device], ahead[U64(PEERS + direction), j], ahead[U64(SERVICES), j], spare)
            if spoken >= 0:
                measure_clinical(stats[device], record, spoken, direction == OUT)
            if new and not record["marks"] & M_ANSWERED and had_its_share(devices[device], now_ns):
                counts[UNKEPT] += np.int64(began)
                continue
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
            if direction == OUT and first and unicast and not trace:
                n = outcome(fans, secret, counts, edge, failed, now_ns, test, crossed, n)
            ranks[slot] = edge_rank(np.int64(edge["last_ns"]), gates)
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
        fan = fan_of(fans, secret, counts, (ARP_FAN, device, 0, 0), (U64(0), U64(0)), now_ns, np.int64(test[WINDOW_NS]))
        word = sip3(secret[0], secret[1], U64(device), row["dst_lo"], U64(fan["first_ns"])) | U64(1)
        place = np.int64(word >> U64(32)) & (len(asked) - 1)
        if asked[place] == word:
            continue
        asked[place] = word
        fan["attempts"] += 1
        fan["last_ns"] = max(fan["last_ns"], now_ns)
        n = crossed_by(fan, test, np.int64(test[ARP_MIN]), crossed, n)
    return n
