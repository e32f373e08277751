"""Which ends an event is news for, and what is asked for before they are worked on. Leaves of the edges' kernel.

A flow event is news for its originator, and once it is answered for its responder. Of the next so many ends the digests
are made and the lines of memory asked for while those before them are counted: no table here fits a core's cache, and
the memory takes as long to answer as a hundred steps of the processor.
"""

import numpy as np

from agent.devices.placing import WAYS, Edges, Known, device_of, edge_room, edge_tagged
from agent.devices.records import NO_SLOT, EdgeDirection, Rows
from agent.devices.tallies import clinical_of, fetch_clinical, fetch_meeting, peer_digest, service_digest
from agent.devices.trying import HOSTS, PORTS, TRIES_KEPT, Fans, fan_digest, fan_near
from agent.flows.records import FlowEndReason, FlowEvent, FlowMark, FlowState
from agent.jit import LINE, Hashes, Words, fetch_line, leaf
from agent.keyed import sip3

ENDS = 32  # ends of records whose sets are asked for together, while the ends before them are worked on
NEAR = 8  # ends between asking for an edge's lines and reading them
FURTHER = 32  # records between asking for a record's lines and reading them
# Columns of `ahead`, by end: the record's place, what it is (`kind` = direction << 24 | protocol << 16 | port), its
# device and the peer's, the peer's address, the clinical protocol that is spoken and 1 more; then the digests of its
# edge, its peer, its service, and its fans by FanKind.
PLACE, KIND, DEVICE, OTHER, HIGH, LOW, SPOKEN, DIGEST, PEER, SERVICE, TRIED, KEPT = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12
FEW_PACKETS = 3  # as in the flow cache: an unanswered datagram flow this short is a try, not a stream
SERVICE_BITS, PROTOCOL_BITS = np.uint64(0xFFFFFF), np.uint64(0xFF0000)  # of a kind
TCP = 6
U64, U32 = np.uint64, np.uint32

E_ENDED, R_IDLE, S_SYN = int(FlowEvent.ENDED), int(FlowEndReason.IDLE), int(FlowState.SYN)
M_ANSWERED, M_REFUSED = int(FlowMark.ANSWERED), int(FlowMark.REFUSED)
OUT, IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)


@leaf
def _ends(record: np.void) -> tuple[tuple[np.uint64, np.uint64], tuple[np.uint64, np.uint64], int]:
    """(originator's address, responder's address, responder's port)."""
    low, high = (record["key_lo_hi"], record["key_lo_lo"]), (record["key_hi_hi"], record["key_hi_lo"])
    ports = record["key_ports"]
    if record["originator_is_hi"] == 1:
        return high, low, np.int64(ports >> U64(48))
    return low, high, np.int64((ports >> U64(32)) & U64(0xFFFF))


@leaf
def has_failed(record: np.void, protocol: int) -> bool:
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
def _is_no_news(record: np.void, protocol: int) -> bool:
    """The end of a try that was given up before it had failed, and of which everything was told.

    Nothing counts it, unless it is of a clinical protocol.
    """
    if record["event"] != E_ENDED or record["marks"] & M_ANSWERED:
        return False
    told = record["told_forward_packets"] == U32(record["forward_packets"])
    told &= record["told_reverse_packets"] == U32(record["reverse_packets"])
    return told and not has_failed(record, protocol)


@leaf
def _may_settle(record: np.void) -> bool:
    """Whether an event may bring the first outcome of a contact: an answer that is new, a refusal, the end of a try."""
    if record["marks"] & M_ANSWERED:
        return not record["told_marks"] & M_ANSWERED
    return record["marks"] & M_REFUSED != 0 or record["event"] == E_ENDED


@leaf
def digest_all(secret: Hashes, ahead: Hashes, first: int) -> None:
    """Digests of ends from `first` on: a fixed number, without a branch, so the compiler takes several at once."""
    key0, key1, last = secret[0], secret[1], first + ENDS
    kinds, devices = ahead[U64(KIND), first:last], ahead[U64(DEVICE), first:last]
    high, low = ahead[U64(HIGH), first:last], ahead[U64(LOW), first:last]
    edges, peers = ahead[U64(DIGEST), first:last], ahead[U64(PEER), first:last]
    services = ahead[U64(SERVICE), first:last]
    hosts, ports = ahead[U64(TRIED + HOSTS), first:last], ahead[U64(TRIED + PORTS), first:last]
    for j in range(ENDS):
        edges[j] = sip3(key0, key1, devices[j] << U64(32) | kinds[j], high[j], low[j])
    for j in range(ENDS):
        peers[j] = peer_digest(key0, key1, high[j], low[j])
    for j in range(ENDS):
        services[j] = service_digest(key0, key1, kinds[j] & SERVICE_BITS)
    for j in range(ENDS):
        hosts[j] = fan_digest(key0, key1, HOSTS, devices[j], kinds[j] & SERVICE_BITS, U64(0), U64(0))
    for j in range(ENDS):
        ports[j] = fan_digest(key0, key1, PORTS, devices[j], kinds[j] & PROTOCOL_BITS, high[j], low[j])


@leaf
def _note_end(
    ahead: Hashes, n: int, place: int, kind: np.uint64, devices: tuple[int, int], peer: tuple[np.uint64, np.uint64],
    spoken: int,
) -> None:  # fmt: skip
    """One end of a record: whose it is, and what."""
    j = U64(n)
    ahead[U64(PLACE), j], ahead[U64(KIND), j], ahead[U64(SPOKEN), j] = U64(place), kind, U64(spoken + 1)
    ahead[U64(DEVICE), j], ahead[U64(OTHER), j] = U64(devices[0]), U64(devices[1])
    ahead[U64(HIGH), j], ahead[U64(LOW), j] = peer[0], peer[1]


@leaf
def collect(records: Rows, places: Words, start: int, known: Known, ahead: Hashes, first: int) -> tuple[int, int]:
    """The ends that the next records at `places` are news for, in their order, into `ahead` from `first` on.

    The responder's end hears of a flow when it is answered. Returns (where those records end, how many ends).
    """
    macs, devices, memo, secret = known
    i, n, size = start, first, len(places)
    while i < size and n + 2 <= first + ENDS:
        if i + FURTHER < size:  # another worker's lie in another core's cache
            fetch_line(records, places[i + FURTHER], 0)
            fetch_line(records, places[i + FURTHER], LINE)
            fetch_line(records, places[i + FURTHER], 2 * LINE)
        place = places[i]
        i += 1
        record = records[U64(place)]
        originator, responder, port = _ends(record)
        protocol = np.int64(record["key_ports"] & U64(0xFF))
        spoken = clinical_of(record, protocol, port)
        if protocol == 0 or (spoken < 0 and _is_no_news(record, protocol)):
            continue
        out = device_of(macs, devices, memo, secret, record["originator_mac"], originator)
        back = device_of(macs, devices, memo, secret, record["responder_mac"], responder)
        kind = U64(protocol << 16 | port)
        _note_end(ahead, n, place, U64(OUT << 24) | kind, (out, back), responder, spoken)
        n += np.int64(out != NO_SLOT)
        _note_end(ahead, n, place, U64(IN << 24) | kind, (back, out), originator, spoken)
        n += np.int64(back != NO_SLOT) & np.int64(record["marks"] & M_ANSWERED != 0)
    return i, n - first


@leaf
def fetch_sets(stats: Rows, edges: Edges, ahead: Hashes, first: int, n: int) -> None:
    """Ask for the lines of `n` ends: of their device's statistics and their edge's set.

    Devices, and the tags and times of fans, are small enough to be near: to ask for them costs more than it saves.
    """
    tags, ranks, sets = edges.tags, edges.ranks, U64(len(edges.tags) // WAYS - 1)
    for i in range(first, first + n):
        j = U64(i)
        device, base = np.int64(ahead[U64(DEVICE), j]), (ahead[U64(DIGEST), j] & sets) * U64(WAYS)
        fetch_line(tags, base, 0)
        fetch_line(ranks, base, 0)
        fetch_meeting(stats, device, ahead[U64(PEER), j], ahead[U64(SERVICE), j])
        if ahead[U64(SPOKEN), j] != U64(0):
            fetch_clinical(stats, device)


@leaf
def fetch_near(records: Rows, devices: Rows, edges: Edges, fans: Fans, ahead: Hashes, place: int) -> None:
    """Ask for the lines of an end's edge and fans, or of those they will put out; the sets were asked for before."""
    j = U64(place)
    digest, record = ahead[U64(DIGEST), j], records[ahead[U64(PLACE), j]]
    slot = edge_tagged(edges.tags, digest)
    if slot < 0:
        tries = devices[np.int64(ahead[U64(DEVICE), j])]["tries"]
        if tries >= U32(TRIES_KEPT) and not record["marks"] & M_ANSWERED:
            return  # most likely it is only counted
        slot = edge_room(edges.tags, edges.ranks, digest)
    fetch_line(edges.rows, slot, 0)
    fetch_line(edges.rows, slot, LINE)
    if ahead[U64(KIND), j] >> U64(24) == U64(OUT) and _may_settle(record):
        fetch_line(fans.rows, fan_near(fans.tags, fans.last_ns, ahead[U64(TRIED + HOSTS), j]), 0)
        fetch_line(fans.rows, fan_near(fans.tags, fans.last_ns, ahead[U64(TRIED + PORTS), j]), 0)
