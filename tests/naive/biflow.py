"""The flow cache's slow twin: decoded rows in, biflow records (RFC 5103) out, with dicts and no bounds.

Decisions where records.py leaves room:

1. Only METERED rows count. The key is (lower end, higher end, VLAN, inner VLAN, protocol); an end is (address, port).
2. ICMP and ICMPv6: both ports of the key are 0, so all echoes and errors between two hosts are one biflow; the ports
   told are those of the first packet. Later fragments have ports 0 and so a biflow of their own.
3. The first packet chooses the originator and nothing changes it: SYN without ACK -> its sender; SYN with ACK -> its
   receiver; exactly one side's port a service port -> the other side; else the sender. `service_ports` is a parameter.
   Equal ends (a land packet) are always forward.
4. A record ends when a packet comes, or the end of the rows, and: closed and either a fresh SYN came or `closed` passed
   (END_DETECTED); silent for longer than `half_open` while only one side of a TCP SYN spoke, or than `tcp_idle` or
   `other_idle` (IDLE); older than `active` (ACTIVE; the record that follows keeps the originator, how it was chosen,
   the TCP state and the marks). At the end of the rows: closed -> END_DETECTED, overdue -> IDLE, else FORCED.
   Silence is counted from the newest packet; time that runs backwards ends nothing.
5. Octets are l3_octets; payload is payload_octets; a data packet is one with payload.
6. A flow is met in its middle when its first packet has no SYN.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from agent.flows.records import Direction, FlowEndReason, FlowMark, FlowState
from agent.packets.records import Verdict

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
    data: list[int] = field(default_factory=lambda: [0, 0])
    flags: list[int] = field(default_factory=lambda: [0, 0])
    state: int = 0
    marks: int = 0
    middle: bool = False  # no SYN began it
    end_reason: FlowEndReason = FlowEndReason.FORCED


def _ends(row: Row) -> tuple[End, End]:
    echo = row["protocol"] in {ICMP, ICMPV6}
    ports = (0, 0) if echo else (row["src_port"], row["dst_port"])
    return (row["src_hi"], row["src_lo"], ports[0]), (row["dst_hi"], row["dst_lo"], ports[1])


def _choose(row: Row, service_ports: Container[int]) -> tuple[bool, Direction]:
    """Whether the sender is the originator, and why."""
    if row["protocol"] == TCP and row["tcp_flags"] & SYN:
        return not row["tcp_flags"] & ACK, Direction.INITIATOR
    source, target = row["src_port"] in service_ports, row["dst_port"] in service_ports
    if row["protocol"] not in {ICMP, ICMPV6} and source != target:
        return target, Direction.PORT
    return True, Direction.FIRST_SEEN


def _begin(row: Row, key: Key, service_ports: Container[int]) -> Biflow:
    sender, receiver = _ends(row)
    forward, direction = _choose(row, service_ports)
    if row["protocol"] in {ICMP, ICMPV6}:
        sender, receiver = (*sender[:2], row["src_port"]), (*receiver[:2], row["dst_port"])
    ends, macs = (sender, receiver), (row["src_mac"], row["dst_mac"])
    if not forward:
        ends, macs = (receiver, sender), (macs[1], macs[0])
    flow = Biflow(key, *ends, direction, row["time_ns"], row["time_ns"], macs)
    flow.middle = row["protocol"] == TCP and not row["tcp_flags"] & SYN
    return flow


def _follow(flow: Biflow, now_ns: int) -> Biflow:
    """The record after an active timeout."""
    fresh = Biflow(flow.key, flow.originator, flow.responder, flow.direction, now_ns, now_ns, flow.macs)
    fresh.state, fresh.marks, fresh.middle = flow.state, flow.marks, flow.middle
    return fresh


def _count(flow: Biflow, row: Row) -> None:
    sender, receiver = _ends(row)
    echo = row["protocol"] in {ICMP, ICMPV6}
    side = 0 if sender == ((*flow.originator[:2], 0) if echo else flow.originator) or sender == receiver else 1
    flow.first_ns, flow.last_ns = min(flow.first_ns, row["time_ns"]), max(flow.last_ns, row["time_ns"])
    flow.packets[side] += 1
    flow.octets[side] += row["l3_octets"]
    flow.payload[side] += row["payload_octets"]
    flow.data[side] += row["payload_octets"] > 0
    if row["protocol"] == TCP:
        flow.flags[side] |= row["tcp_flags"]
        flow.state = _state(flow.state, side, row["tcp_flags"])
    flow.marks |= _marks(flow, side, row)


def _state(state: int, side: int, flags: int) -> int:
    if flags & SYN and side == 0 and not flags & ACK:
        state |= FlowState.SYN
    if flags & SYN and side == 1 and flags & ACK:
        state |= FlowState.SYN_ACK
    if side == 0 and flags & ACK and not flags & SYN and state & FlowState.SYN_ACK:
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
    else:
        answered = bool(flow.state & FlowState.SYN_ACK) or (flow.middle and side == 1 and not flags & RST)
        marks |= FlowMark.HANDSHAKE if flow.state & FlowState.ESTABLISHED and flow.state & FlowState.SYN else 0
        if side == 1 and flags & RST and not (flow.marks & FlowMark.ANSWERED or answered):
            marks |= FlowMark.REFUSED
    marks |= FlowMark.ANSWERED if answered else 0
    marks |= FlowMark.EXCHANGED if min(flow.payload) > 0 else 0
    return marks | (FlowMark.TWO_WAY_DATA if min(flow.data) >= 2 else 0)


def _silence(flow: Biflow, timeouts: Timeouts) -> int:
    """How long this flow may be silent."""
    if flow.key[4] != TCP:
        return timeouts.other_idle
    if flow.state & FlowState.CLOSED:
        return timeouts.closed
    half = flow.state & FlowState.SYN and not flow.packets[1]
    return timeouts.half_open if half else timeouts.tcp_idle


def _ended(flow: Biflow, now_ns: int, timeouts: Timeouts, *, fresh: bool) -> FlowEndReason | None:
    """Why a record is over by now; `fresh` when a new SYN has come."""
    closed = flow.state & FlowState.CLOSED
    if closed and fresh:
        return FlowEndReason.END_DETECTED
    if now_ns - flow.last_ns > _silence(flow, timeouts):
        return FlowEndReason.END_DETECTED if closed else FlowEndReason.IDLE
    if now_ns - flow.first_ns > timeouts.active:
        return FlowEndReason.ACTIVE
    return None


def biflows(
    rows: Iterable[Row], timeouts: Timeouts | None = None, service_ports: Container[int] = range(1, 1024)
) -> Iterator[Biflow]:
    """Every record, those that ended first, first; what is left at the end in order of appearance."""
    timeouts = timeouts or Timeouts()
    open_flows: dict[Key, Biflow] = {}
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
            flow = _begin(row, key, service_ports)
        open_flows[key] = flow
        _count(flow, row)
    for flow in open_flows.values():
        reason = _ended(flow, now_ns, timeouts, fresh=bool(flow.state & FlowState.CLOSED))
        flow.end_reason = FlowEndReason.FORCED if reason in {None, FlowEndReason.ACTIVE} else reason or flow.end_reason
        yield flow
