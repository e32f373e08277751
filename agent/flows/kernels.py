"""Meter: PACKET rows -> biflows in a fixed, set-associative, keyed table; copies leave as events.

Before: decoded rows. After: every METERED row is counted in one biflow; `out[:n]` are copies of flows that began,
progressed or ended. The cache owns all arrays. Bounded: a packet costs one hash and at most WAYS comparisons whatever
is in the table; a full set gives up its least worthy flow, which leaves with the reason `lack of resources`, so octets
stay exact.
"""

import numpy as np

from agent.flows.keys import TCP, key_of
from agent.flows.lifecycle import (
    ACK,
    ACTIVE,
    EVERY_END,
    M_ANSWERED,
    M_REFUSED,
    RST,
    S_CLOSED,
    SYN,
    advance_tcp,
    follow_sequence,
    learn_server,
    marks_of,
    may_be_clinical,
    originates,
    rank_of,
    time_handshake,
    timeout_s,
    worth_of,
)
from agent.flows.records import FlowEndReason, FlowEvent, Rows
from agent.flows.sets import FAR, NEAR, RANK, WAYS, fetch_first, fetch_set, fetch_slot, find, room
from agent.jit import LINE, Hashes, Seconds, Slots, Tags, Words, fetch_line, kernel, leaf
from agent.packets.records import HintKind, PacketFlag, Verdict

EVENTS_PER_PACKET = 4  # at most: what was not told of a flow that ends, its end, a start
TELL_AHEAD = 8  # events between asking for a slot's lines and copying them
LOOKS = 4  # first payloads per direction that are searched for an application and for hints
U64, U32, U16 = np.uint64, np.uint32, np.uint16
H_FIRST_LATE = int(HintKind.SDC)  # from here on hints matter wherever in a stream they stand

METERED, F_PORTS, F_FRAGMENT = int(Verdict.METERED), int(PacketFlag.PORTS), int(PacketFlag.FRAGMENT)
E_STARTED, E_PROGRESS, E_ENDED = int(FlowEvent.STARTED), int(FlowEvent.PROGRESS), int(FlowEvent.ENDED)
E_UPDATED = int(FlowEvent.UPDATED)
R_IDLE, R_ACTIVE, R_END = int(FlowEndReason.IDLE), int(FlowEndReason.ACTIVE), int(FlowEndReason.END_DETECTED)
R_FORCED, R_RESOURCES = int(FlowEndReason.FORCED), int(FlowEndReason.LACK_OF_RESOURCES)

# Deadlines are kept per slot and, as minima, per group of slots, so that a sweep reads only groups in which something
# is due.
GROUP = 64
NEVER_S = 1 << 60  # the minimum of an empty group
LAST_S = 0xFFFFFFFF  # what a deadline can hold: a flow from after 2106 ends at the next sweep

# Columns of `counts`.
PACKETS, OCTETS, CREATED, EXPORTED, EVICTED, PACKETS_OUT, OCTETS_OUT, IN_TABLE = 0, 1, 2, 3, 4, 5, 6, 7
COUNTS = 8
# Rows of `moved`: slots of flows that moved and by which row, in the order in which they did; the row behind each copy.
MOVED, MOVED_BY, CAUSE = 0, 1, 2
MOVES = 3


@leaf
def _count_end(flow: np.void, counts: Words) -> None:
    """A record has left for good."""
    counts[EXPORTED] += 1
    counts[PACKETS_OUT] += np.int64(flow["forward_packets"] + flow["reverse_packets"])
    counts[OCTETS_OUT] += np.int64(flow["forward_octets"] + flow["reverse_octets"])


@leaf
def _leave(flow: np.void, event: int, reason: int, out: Rows, n: int, counts: Words) -> int:
    """Copy a flow out; an end is counted."""
    flow["event"], flow["end_reason"] = event, reason
    out[n] = flow
    flow["event"], flow["end_reason"] = 0, 0
    flow["told_forward_packets"], flow["told_forward_octets"] = U32(flow["forward_packets"]), flow["forward_octets"]
    flow["told_reverse_packets"], flow["told_reverse_octets"] = U32(flow["reverse_packets"]), flow["reverse_octets"]
    flow["told_marks"] = flow["marks"]
    if event == E_ENDED:
        _count_end(flow, counts)
    return n + 1


@leaf
def _end(flow: np.void, reason: int, out: Rows, n: int, counts: Words) -> int:
    """A flow ends: what is not told of it yet is told first."""
    if flow["event"] != 0:
        n = _leave(flow, np.int64(flow["event"]), 0, out, n, counts)
    return _leave(flow, E_ENDED, reason, out, n, counts)


@leaf
def _give_up(flow: np.void, every_end: bool, out: Rows, n: int, counts: Words) -> int:
    """A flow ends for lack of room. Nobody answered or refused it and all of it is told: its end is no news.

    But a flow of a clinical protocol is counted when it ends, if it carried anything.
    """
    if flow["event"] != 0:
        n = _leave(flow, np.int64(flow["event"]), 0, out, n, counts)
    moved = U32(flow["forward_packets"]) != flow["told_forward_packets"]
    moved |= U32(flow["reverse_packets"]) != flow["told_reverse_packets"]
    news = every_end or moved or flow["marks"] & (M_ANSWERED | M_REFUSED) != 0
    carried = flow["forward_data"] != 0 or flow["reverse_data"] != 0
    if news or (carried and may_be_clinical(flow)):
        return _leave(flow, E_ENDED, R_RESOURCES, out, n, counts)
    _count_end(flow, counts)
    return n


@leaf
def _begin(
    flow: np.void, row: np.void, key: tuple[np.uint64, ...], source_is_hi: bool, protocol: int, servers: Hashes
) -> None:
    """A new flow in a slot, before its first packet is counted."""
    flow["key_lo_hi"], flow["key_lo_lo"], flow["key_hi_hi"], flow["key_hi_lo"] = key[0], key[1], key[2], key[3]
    flow["key_ports"] = key[4]
    sender_first, direction = originates(row, protocol, servers)
    flow["direction"] = direction
    flow["originator_is_hi"] = np.uint8(source_is_hi == sender_first)
    flow["originator_mac"] = row["src_mac"] if sender_first else row["dst_mac"]
    flow["responder_mac"] = row["dst_mac"] if sender_first else row["src_mac"]
    flow["state"], flow["application"], flow["looked_at"], flow["marks"], flow["told_marks"] = 0, 0, 0, 0, 0
    flow["event"], flow["end_reason"], flow["flags"] = 0, 0, row["flags"]
    flow["first_ns"] = row["time_ns"]
    flow["last_ns"] = row["time_ns"]
    flow["step_ns"] = 0
    _zero(flow)


@leaf
def _zero(flow: np.void) -> None:
    """Delta counts start anew."""
    flow["forward_packets"], flow["forward_octets"], flow["forward_payload"] = U64(0), U64(0), U64(0)
    flow["reverse_packets"], flow["reverse_octets"], flow["reverse_payload"] = U64(0), U64(0), U64(0)
    flow["told_forward_octets"], flow["told_reverse_octets"] = U64(0), U64(0)
    flow["told_forward_packets"], flow["told_reverse_packets"] = U32(0), U32(0)
    flow["forward_data"], flow["reverse_data"] = 0, 0
    flow["forward_next"], flow["reverse_next"] = U32(0), U32(0)
    flow["forward_resent"], flow["reverse_resent"] = U32(0), U32(0)
    flow["rtt_responder_us"], flow["rtt_originator_us"] = U32(0), U32(0)
    flow["tcp_flags_forward"], flow["tcp_flags_reverse"] = 0, 0


@leaf
def _count(flow: np.void, row: np.void, forward: bool) -> None:
    """One packet into a flow. Both directions are written, one of them with nothing: no branch on the direction."""
    payload = U64(row["payload_octets"]) * U64((row["flags"] & F_PORTS) != 0)
    there, back = U64(forward), U64(1) - U64(forward)
    octets, data = U64(row["l3_octets"]), U64(payload > U64(0))
    flow["last_ns"] = max(flow["last_ns"], row["time_ns"])
    flow["forward_packets"] += there
    flow["reverse_packets"] += back
    flow["forward_octets"] += octets * there
    flow["reverse_octets"] += octets * back
    flow["forward_payload"] += payload * there
    flow["reverse_payload"] += payload * back
    flow["forward_data"] += np.uint8(data * there * U64(flow["forward_data"] < 255))
    flow["reverse_data"] += np.uint8(data * back * U64(flow["reverse_data"] < 255))
    flow["tcp_flags_forward"] |= np.uint8(U64(row["tcp_flags"]) * there)
    flow["tcp_flags_reverse"] |= np.uint8(U64(row["tcp_flags"]) * back)


@leaf
def _look(flow: np.void, row: np.void, forward: bool, protocol: int) -> None:
    """Take the application of a first payload; past LOOKS payloads of a stream a hint is no news (datagrams stay).

    An operation of SDC, a log-in and an exploit come when a session has been talking for a while: they stay too.
    """
    if row["payload_caplen"] == 0:
        return
    shift = 0 if forward else 4
    looks = (np.int64(flow["looked_at"]) >> shift) & 15
    if looks < LOOKS:
        flow["looked_at"] += 1 << shift
        if flow["application"] == 0:
            flow["application"] = row["application"]
    elif protocol == TCP and row["hint"] < H_FIRST_LATE:
        row["hint"] = 0


@leaf
def _tell(slots: Rows, moved: Slots, listed: int, out: Rows, n: int, counts: Words) -> int:
    """Copy out what moved and was not told when it ended; a slot that was given up and taken again is listed twice."""
    for i in range(listed):
        later = moved[MOVED, min(i + TELL_AHEAD, listed - 1)]
        fetch_line(slots, later, 0)
        fetch_line(slots, later, LINE)
        fetch_line(slots, later, 2 * LINE)
        flow = slots[moved[MOVED, i]]
        if flow["event"] != 0:
            moved[CAUSE, n] = moved[MOVED_BY, i]
            n = _leave(flow, np.int64(flow["event"]), 0, out, n, counts)
    return n


@leaf
def _caused(moved: Slots, before: int, n: int, row: int) -> None:
    """Events that left at once: which row made them leave."""
    for i in range(before, n):
        moved[CAUSE, i] = row


@kernel
def meter_burst(
    rows: Rows, start: int, count: int, slots: Rows, tags: Tags, due_s: Seconds, groups_s: Words,
    limits: Words, counts: Words, out: Rows, moved: Slots, servers: Hashes,
) -> tuple[int, int, int]:  # fmt: skip
    """Count rows[start:count] into the table; stops at a full `out`.

    Rows were given to `hash_flows` before. What happens to a flow within one call is told once, at its end: a start and
    all that was seen of its handshake are one event. `moved` is (MOVES, places of `out`). `servers` (SERVERS_SIZE) is
    the key and the services that were seen to accept connections.
    Returns (row to go on with, copies in `out`, how many of those left at once and not at the end).
    """
    mask, n, listed = U64(len(slots) // WAYS - 1), 0, 0
    fetch_first(rows, start, count, slots, tags, due_s)
    for i in range(start, count):
        row = rows[i]
        if i + FAR < count:
            fetch_set(rows, i + FAR, tags, due_s)
        if i + NEAR < count:
            fetch_slot(rows, i + NEAR, slots, tags, due_s)
        if row["verdict"] != METERED:
            continue
        if n + listed + EVENTS_PER_PACKET > len(out):
            return i, _tell(slots, moved, listed, out, n, counts), n
        protocol, flags, digest = np.int64(row["protocol"]), np.int64(row["tcp_flags"]), row["flow"]
        source_is_hi, key = key_of(row, protocol)
        base, tag = np.int64(digest & mask) * WAYS, U16(digest >> U64(48)) | U16(1)
        slot = find(slots, tags, base, tag, key)
        fresh, before = slot < 0, n
        if slot >= 0 and slots[slot]["state"] & S_CLOSED and flags & (SYN | ACK) == SYN:
            n = _end(slots[slot], R_END, out, n, counts)  # the port is used again
            counts[IN_TABLE] -= 1
            fresh = True
        elif fresh:
            slot = room(tags, due_s, base, np.int64(row["time_ns"]))
            if tags[slot] != 0:
                n = _give_up(slots[slot], limits[EVERY_END] != 0, out, n, counts)
                counts[EVICTED] += 1
                counts[IN_TABLE] -= 1
            tags[slot] = tag
        flow = slots[slot]
        if fresh:
            _begin(flow, row, key, source_is_hi, protocol, servers)
            counts[CREATED] += 1
            counts[IN_TABLE] += 1
        elif row["time_ns"] - flow["first_ns"] > limits[ACTIVE] * 1_000_000_000:
            n = _end(flow, R_ACTIVE, out, n, counts)
            _zero(flow)
            flow["first_ns"] = row["time_ns"]
        _caused(moved, before, n, i)
        forward = (flow["originator_is_hi"] == 1) == source_is_hi
        if protocol == TCP and row["payload_octets"] > 0 and row["flags"] & (F_PORTS | F_FRAGMENT) == F_PORTS:
            follow_sequence(flow, row, forward)
        _count(flow, row, forward)
        _look(flow, row, forward, protocol)
        counts[PACKETS] += 1
        counts[OCTETS] += np.int64(row["l3_octets"])
        if protocol == TCP:
            state = np.int64(flow["state"])
            advance_tcp(flow, flags, forward)
            if flags & SYN or state != flow["state"]:
                time_handshake(flow, row, flags, forward, state)
            if flags & (SYN | ACK | RST) == SYN | ACK:
                learn_server(row, servers)
        marks = marks_of(flow, protocol, flags, forward)
        new_mark, flow["marks"] = marks != flow["marks"], marks
        ends_s = np.int64(flow["last_ns"]) // 1_000_000_000 + timeout_s(flow, protocol, limits)
        place, way = U64(slot // WAYS), U64(slot % WAYS)
        due_s[place, way] = U32(min(ends_s, LAST_S))
        due_s[place, U64(RANK) + way] = U32(rank_of(worth_of(flow), np.int64(flow["last_ns"])))
        if ends_s < groups_s[slot // GROUP]:
            groups_s[slot // GROUP] = ends_s
        if fresh or (new_mark and flow["event"] == 0):
            flow["event"] = E_STARTED if fresh else E_PROGRESS
            moved[MOVED, listed], moved[MOVED_BY, listed] = slot, i
            listed += 1
    return count, _tell(slots, moved, listed, out, n, counts), n


@kernel
def expire_flows(
    now_s: int, forced: bool, start: int, slots: Rows, tags: Tags, due_s: Seconds, groups_s: Words,
    counts: Words, out: Rows,
) -> tuple[int, int]:  # fmt: skip
    """End what is past its deadline (all of it when `forced`), from group `start`. Returns (next group, copies)."""
    n = 0
    for group in range(start, len(groups_s)):
        if groups_s[group] == NEVER_S or (groups_s[group] > now_s and not forced):
            continue
        if n + GROUP > len(out):
            return group, n
        earliest = np.int64(NEVER_S)
        for slot in range(group * GROUP, (group + 1) * GROUP):
            deadline = np.int64(due_s[U64(slot // WAYS), U64(slot % WAYS)])
            if deadline == 0:
                continue
            if deadline > now_s and not forced:
                earliest = min(earliest, deadline)
                continue
            flow = slots[slot]
            reason = R_END if flow["state"] & S_CLOSED else (R_IDLE if deadline <= now_s else R_FORCED)
            n = _leave(flow, E_ENDED, reason, out, n, counts)
            counts[IN_TABLE] -= 1
            tags[slot] = 0
            due_s[U64(slot // WAYS), U64(slot % WAYS)] = 0
        groups_s[group] = earliest
    return len(groups_s), n


@kernel
def update_flows(start: int, slots: Rows, tags: Tags, counts: Words, out: Rows) -> tuple[int, int]:
    """Tell of every living flow that has moved since its last event, from slot `start`. Returns (next slot, copies)."""
    n = 0
    for slot in range(start, len(tags)):
        if tags[slot] == 0:
            continue
        flow = slots[slot]
        forward, reverse = U32(flow["forward_packets"]), U32(flow["reverse_packets"])
        if forward == flow["told_forward_packets"] and reverse == flow["told_reverse_packets"]:
            continue
        if n >= len(out):
            return slot, n
        n = _leave(flow, E_UPDATED, 0, out, n, counts)
    return len(tags), n


@kernel
def next_deadline(groups_s: Words) -> int:
    """No flow ends before this second; NEVER_S when none is open. A minimum may be early, never late."""
    earliest = np.int64(NEVER_S)
    for group in range(len(groups_s)):
        earliest = min(earliest, groups_s[group])
    return earliest
