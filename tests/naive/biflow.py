"""The flow cache's slow twin: decoded rows in, biflow records (RFC 5103) out, with dicts and no bounds.

Decisions where records.py leaves room:

1. Only METERED rows count. The key is (lower end, higher end, VLAN, inner VLAN, protocol); an end is (address, port).
2. ICMP and ICMPv6: the request's type and code are the port of the end that is asked, the other's is 0. A question and
   its answer are one biflow; the same question the other way is another, and so is every other kind, each way. Later
   fragments have ports 0 and so a biflow of their own.
3. The first packet chooses the originator and nothing changes it: SYN without ACK -> its sender; SYN with ACK -> its
   receiver; a TCP end that sent a SYN/ACK from this port before -> the other end, if that one did not; an ICMP answer
   -> its receiver; two ports of which one is below 1024 -> the side of the higher one; else the sender. Equal ends (a
   land packet) are always forward.
4. A record ends when a packet comes, or the end of the rows, and: closed and either a fresh SYN came or `closed` passed
   (END_DETECTED); silent for as long as `_silence` says (IDLE); older than `active` (ACTIVE; the record that follows
   keeps the originator, how it was chosen, the TCP state and the marks). At the end of the rows: closed ->
   END_DETECTED, overdue -> IDLE, else FORCED. Silence is counted in whole seconds from that of the newest packet; time
   that runs backwards ends nothing.
5. Octets are l3_octets; payload is payload_octets of rows with ports; a data packet is one with payload.
6. Silence: a closed TCP flow `closed`; one whose SYN or SYN/ACK was seen but not the ACK, and whose responder sent no
   payload, `half_open`; one of which one side was heard `other_idle`, else `tcp_idle`. Another flow `other_idle`, but
   `unanswered` while it is up to three packets that nobody answered.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.flows.records import Direction, FlowEndReason, FlowMark, FlowState
from agent.packets.records import PacketFlag, Verdict

S = 1_000_000_000
FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP, ICMP, ICMPV6 = 6, 1, 58
End = tuple[int, int, int]  # address hi, address lo, port
Key = tuple[End, End, int, int, int]  # lower end, higher end, VLAN, inner VLAN, protocol
Row = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In nanoseconds, as in `[metering]` of the configuration."""

    tcp_idle: int = 600 * S
    other_idle: int = 120 * S
    half_open: int = 10 * S
    closed: int = 2 * S
    active: int = 3600 * S
    unanswered: int = 30 * S


@dataclass(slots=True)
class Biflow:
    """One record; index 0 is forward (from the originator), 1 is reverse."""

    key: Key
    originator: End
    responder: End
    direction: Direction
    first_ns: int
    last_ns: int
    macs: tuple[int, int]
    packets: list[int] = field(default_factory=lambda: [0, 0])
    octets: list[int] = field(default_factory=lambda: [0, 0])
    payload: list[int] = field(default_factory=lambda: [0, 0])
    data: list[int] = field(default_factory=lambda: [0, 0])  # counted up to 255
    next: list[int] = field(default_factory=lambda: [0, 0])
    resent: list[int] = field(default_factory=lambda: [0, 0])
    rtt_us: list[int] = field(default_factory=lambda: [0, 0])  # to the responder, to the originator
    step_ns: int = 0
    flags: list[int] = field(default_factory=lambda: [0, 0])
    state: int = 0
    marks: int = 0
    end_reason: FlowEndReason = FlowEndReason.FORCED


def _request(protocol: int, port: int) -> int:
    """Type and code of the question that a type and code may answer (RFC 792, 950, 4443, 4861)."""
    kind, code = port >> 8, port & 255
    answers = {0: 8, 14: 13, 16: 15, 18: 17} if protocol == ICMP else {129: 128, 134: 133, 136: 135}
    return answers.get(kind, kind) << 8 | code


def _typed(row: Row) -> bool:
    return row["protocol"] in {ICMP, ICMPV6} and bool(row["flags"] & PacketFlag.PORTS)


def _ends(row: Row) -> tuple[End, End]:
    ports = row["src_port"], row["dst_port"]
    if _typed(row):
        asked = _request(row["protocol"], row["src_port"])
        ports = (0, asked) if asked == row["src_port"] else (asked, 0)
    return (row["src_hi"], row["src_lo"], ports[0]), (row["dst_hi"], row["dst_lo"], ports[1])


def _choose(row: Row, servers: set[End]) -> tuple[bool, Direction]:
    """Whether the sender is the originator, and why."""
    if row["protocol"] == TCP and row["tcp_flags"] & SYN:
        return not row["tcp_flags"] & ACK, Direction.INITIATOR
    if row["protocol"] == TCP and len({end in servers for end in _ends(row)}) == 2:
        return _ends(row)[1] in servers, Direction.LEARNED
    if _typed(row):
        return _request(row["protocol"], row["src_port"]) == row["src_port"], Direction.FIRST_SEEN
    source, target = row["src_port"], row["dst_port"]
    if source != target and min(source, target) < 1024:
        return source > target, Direction.PORT
    return True, Direction.FIRST_SEEN


def _begin(row: Row, key: Key, servers: set[End]) -> Biflow:
    sender, receiver = _ends(row)
    forward, direction = _choose(row, servers)
    ends, macs = (sender, receiver), (row["src_mac"], row["dst_mac"])
    if not forward:
        ends, macs = (receiver, sender), (macs[1], macs[0])
    return Biflow(key, *ends, direction, row["time_ns"], row["time_ns"], macs)


def _follow(flow: Biflow, now_ns: int) -> Biflow:
    """The record after an active timeout."""
    fresh = Biflow(flow.key, flow.originator, flow.responder, flow.direction, now_ns, now_ns, flow.macs)
    fresh.state, fresh.marks, fresh.step_ns = flow.state, flow.marks, flow.step_ns
    return fresh


def _count(flow: Biflow, row: Row) -> None:
    sender, receiver = _ends(row)
    side = 0 if sender in {flow.originator, receiver} else 1
    payload = row["payload_octets"] if row["flags"] & PacketFlag.PORTS else 0
    flow.first_ns, flow.last_ns = min(flow.first_ns, row["time_ns"]), max(flow.last_ns, row["time_ns"])
    flow.packets[side] += 1
    flow.octets[side] += row["l3_octets"]
    flow.payload[side] += payload
    if row["protocol"] == TCP and payload and not row["flags"] & PacketFlag.FRAGMENT:
        _follow_sequence(flow, side, row["tcp_seq"], payload)
    flow.data[side] = min(flow.data[side] + (payload > 0), 255)
    if row["protocol"] == TCP:
        flow.flags[side] |= row["tcp_flags"]
        before, flow.state = flow.state, _state(flow.state, side, row["tcp_flags"])
        _time_handshake(flow, side, row, flow.state & ~before)
    flow.marks |= _marks(flow, side, row)


def _follow_sequence(flow: Biflow, side: int, start: int, payload: int) -> None:
    """RFC 9293 section 3.4: numbers are compared modulo 2**32; what lies before the newest was sent before."""
    behind = (flow.next[side] - start) % 2**32
    again = min(behind, payload) if behind < 2**31 and flow.data[side] else 0
    flow.resent[side] += again
    if again < payload:
        flow.next[side] = (start + payload) % 2**32


def _time_handshake(flow: Biflow, side: int, row: Row, new: int) -> None:
    """From the tap to an end and back: SYN to SYN/ACK, and SYN/ACK to ACK; at least a microsecond."""
    took_us = min(max((row["time_ns"] - flow.step_ns) // 1000, 1), 2**32 - 1)
    if side == 0 and row["tcp_flags"] & (SYN | ACK) == SYN and not flow.state & FlowState.SYN_ACK:
        flow.step_ns = row["time_ns"]
    elif new & FlowState.SYN_ACK and flow.state & FlowState.SYN:
        flow.rtt_us[0], flow.step_ns = took_us, row["time_ns"]
    elif new & FlowState.ESTABLISHED and flow.rtt_us[0]:
        flow.rtt_us[1] = took_us


def _state(state: int, side: int, flags: int) -> int:
    if flags & SYN and side == 0 and not flags & ACK:
        state |= FlowState.SYN
    if flags & SYN and side == 1 and flags & ACK:
        state |= FlowState.SYN_ACK
    if side == 0 and flags & (ACK | SYN | RST) == ACK and state & FlowState.SYN_ACK:
        state |= FlowState.ESTABLISHED
    if flags & RST:
        state |= FlowState.RESET | FlowState.CLOSED
    if flags & FIN:
        state |= FlowState.FIN_REVERSE if side else FlowState.FIN_FORWARD
    both = FlowState.FIN_FORWARD | FlowState.FIN_REVERSE
    return state | (FlowState.CLOSED if state & both == both else 0)


def _marks(flow: Biflow, side: int, row: Row) -> int:
    """What this packet lets us tell of the flow."""
    flags, marks = row["tcp_flags"], 0
    if row["protocol"] != TCP:
        answered = side == 1
    elif side == 1 and flags & RST:
        answered = False
        marks |= 0 if flow.marks & FlowMark.ANSWERED else FlowMark.REFUSED
    else:
        middle = not flow.state & FlowState.SYN  # the originator's SYN was not seen: any answer is one
        answered = bool(flow.state & FlowState.SYN_ACK) or (middle and side == 1)
    if flow.state & FlowState.ESTABLISHED and flow.state & FlowState.SYN:
        marks |= FlowMark.HANDSHAKE
    marks |= FlowMark.ANSWERED if answered else 0
    marks |= FlowMark.EXCHANGED if min(flow.data) > 0 else 0
    return marks | (FlowMark.TWO_WAY_DATA if min(flow.data) >= 2 else 0)


def _silence(flow: Biflow, timeouts: Timeouts) -> int:
    """How long this flow may be silent."""
    if flow.key[4] != TCP:
        tried = flow.packets[1] == 0 and flow.packets[0] <= 3
        return min(timeouts.unanswered, timeouts.other_idle) if tried else timeouts.other_idle
    if flow.state & FlowState.CLOSED:
        return timeouts.closed
    begun = flow.state & (FlowState.SYN | FlowState.SYN_ACK) and not flow.state & FlowState.ESTABLISHED
    if begun and not flow.data[1]:
        return timeouts.half_open
    return timeouts.tcp_idle if flow.packets[1] else timeouts.other_idle


def _ended(flow: Biflow, now_ns: int, timeouts: Timeouts, *, fresh: bool) -> FlowEndReason | None:
    """Why a record is over by now; `fresh` when a new SYN has come."""
    closed = flow.state & FlowState.CLOSED
    if closed and fresh:
        return FlowEndReason.END_DETECTED
    if now_ns // S - flow.last_ns // S >= _silence(flow, timeouts) // S:
        return FlowEndReason.END_DETECTED if closed else FlowEndReason.IDLE
    if now_ns - flow.first_ns > timeouts.active:
        return FlowEndReason.ACTIVE
    return None


def biflows(rows: Iterable[Row], timeouts: Timeouts | None = None) -> Iterator[Biflow]:
    """Every record, those that ended first, first; what is left at the end in order of appearance."""
    timeouts = timeouts or Timeouts()
    open_flows: dict[Key, Biflow] = {}
    servers: set[End] = set()
    now_ns = 0
    for row in rows:
        if row["verdict"] != Verdict.METERED:
            continue
        now_ns = max(now_ns, row["time_ns"])
        low, high = sorted(_ends(row))
        key = (low, high, row["vlan"], row["vlan_inner"], row["protocol"])
        flow = open_flows.get(key)
        if flow is not None:
            fresh = row["protocol"] == TCP and row["tcp_flags"] & (SYN | ACK) == SYN
            reason = _ended(flow, row["time_ns"], timeouts, fresh=fresh)
            if reason is not None:
                flow.end_reason = reason
                yield open_flows.pop(key)
                flow = _follow(flow, row["time_ns"]) if reason == FlowEndReason.ACTIVE else None
        if flow is None:
            flow = _begin(row, key, servers)
        open_flows[key] = flow
        _count(flow, row)
        if row["protocol"] == TCP and row["tcp_flags"] & (SYN | ACK | RST) == SYN | ACK:
            servers.add(_ends(row)[0])
    for flow in open_flows.values():
        reason = _ended(flow, now_ns, timeouts, fresh=bool(flow.state & FlowState.CLOSED))
        flow.end_reason = FlowEndReason.FORCED if reason in {None, FlowEndReason.ACTIVE} else reason or flow.end_reason
        yield flow
