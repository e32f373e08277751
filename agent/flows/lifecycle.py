"""The life of one flow: who began it, how far it came, when it may be forgotten. Leaves of the meter's kernels."""

import numpy as np

from agent.flows.keys import ICMP, ICMPV6, TCP, request_type
from agent.flows.records import Direction, FlowMark, FlowState
from agent.jit import Hashes, Words, leaf
from agent.keyed import sip3
from agent.packets.records import Application as App
from agent.packets.records import PacketFlag

F_PORTS = int(PacketFlag.PORTS)
FIN, SYN, RST, ACK = 1, 2, 4, 16
S_SYN, S_SYN_ACK, S_ESTABLISHED = int(FlowState.SYN), int(FlowState.SYN_ACK), int(FlowState.ESTABLISHED)
S_RESET, S_FIN_F, S_FIN_R = int(FlowState.RESET), int(FlowState.FIN_FORWARD), int(FlowState.FIN_REVERSE)
S_CLOSED = int(FlowState.CLOSED)
M_ANSWERED, M_REFUSED, M_HANDSHAKE = int(FlowMark.ANSWERED), int(FlowMark.REFUSED), int(FlowMark.HANDSHAKE)
M_EXCHANGED, M_TWO_WAY = int(FlowMark.EXCHANGED), int(FlowMark.TWO_WAY_DATA)
M_SETTLED = M_ANSWERED | M_HANDSHAKE | M_EXCHANGED | M_TWO_WAY
D_INITIATOR, D_PORT, D_FIRST = int(Direction.INITIATOR), int(Direction.PORT), int(Direction.FIRST_SEEN)
D_LEARNED = int(Direction.LEARNED)
U64, U32 = np.uint64, np.uint32
# A bit for each application that is clinical, and for TLS, in which one may run.
CLINICAL = U64(
    1 << App.DICOM | 1 << App.HL7 | 1 << App.IEEE11073 | 1 << App.INTELLIVUE | 1 << App.CAPSULE | 1 << App.TLS
)
SERVERS = 8192  # services that accepted a connection lately, over all devices of a ward; a power of two
SERVER_WAYS = 4
SERVERS_KEY = 2  # words of the table's key; behind it are the marks, then the services, then when each was learned
PORT_MARKS = 1024  # set for ports on which anybody ever was seen to accept: most ends' are not, and need no look
SERVERS_FROM = SERVERS_KEY + PORT_MARKS
SERVERS_SIZE = SERVERS_FROM + 2 * SERVERS
US_MAX = 0xFFFFFFFF
WORTH_MAX = 4
# Silence is compared in steps of 2^20 ns, a millisecond; the clock of the ranks begins anew after six days. A packet
# may be 18 minutes older than the newest of another flow, and both still rank right.
CLOCK_SHIFT, CLOCK_BITS, CLOCK_BACK = 20, 29, 1 << 20
CLOCK_MASK = (1 << CLOCK_BITS) - 1
FEW_PACKETS = 3  # an unanswered datagram flow this short is a try, not a stream

# Columns of `limits`, in seconds.
TCP_IDLE, UDP_IDLE, HALF_OPEN, CLOSED, ACTIVE, UNANSWERED = 0, 1, 2, 3, 4, 5
LIMITS = 6
EVERY_END = LIMITS  # one more, of the cache: whether ends are told that say nothing new


@leaf
def timeout_s(flow: np.void, protocol: int, limits: Words) -> int:
    """How long this flow may be silent."""
    state = flow["state"]
    if protocol == TCP:
        if state & S_CLOSED:
            return limits[CLOSED]
        if (state & S_SYN or state & S_SYN_ACK) and not state & S_ESTABLISHED and flow["reverse_data"] == 0:
            return limits[HALF_OPEN]
        return limits[TCP_IDLE] if flow["reverse_packets"] > 0 else limits[UDP_IDLE]
    if not flow["marks"] & M_ANSWERED and flow["reverse_packets"] == 0 and flow["forward_packets"] <= FEW_PACKETS:
        return limits[UNANSWERED]
    return limits[UDP_IDLE]


@leaf
def worth_of(flow: np.void) -> int:
    """Who stays when a set is full: closed flows go first, then half-open, one-sided, both-sided, at last talks."""
    state = flow["state"]
    if state & S_CLOSED:
        return 0
    if state & S_SYN and not state & S_ESTABLISHED:
        return 1
    if flow["reverse_packets"] == 0 or flow["forward_packets"] == 0:
        return 2
    return 4 if flow["marks"] & M_TWO_WAY else 3  # a flood of questions and answers has one of each


@leaf
def may_be_clinical(flow: np.void) -> bool:
    """Whether somebody may count this flow as one of a clinical protocol when it ends, by what it says or its ports."""
    spoken = np.int64(flow["application"])
    if spoken != 0:
        return bool(CLINICAL >> U64(spoken) & U64(1)) if spoken < 64 else True
    for port in (flow["key_ports"] >> U64(48), (flow["key_ports"] >> U64(32)) & U64(0xFFFF)):
        dicom = port == U64(104) or port == U64(2762) or port == U64(11112)
        monitor = port == U64(24005) or port == U64(24105) or port == U64(5090)
        if dicom or monitor or port == U64(2575) or port == U64(6464):
            return True
    return False


@leaf
def rank_of(worth: int, last_ns: int) -> int:
    """A flow's place among those of its set, as one number that stands beside its deadline: nobody reads eight rows."""
    return (worth << CLOCK_BITS) | ((last_ns >> CLOCK_SHIFT) & CLOCK_MASK)


@leaf
def yields(rank: int, now_ns: int) -> int:
    """How soon a flow of this rank gives way, the higher the sooner: the least worthy, of those the longest silent."""
    silent = ((now_ns >> CLOCK_SHIFT) - rank + CLOCK_BACK) & CLOCK_MASK
    return ((WORTH_MAX - (rank >> CLOCK_BITS)) << CLOCK_BITS) | silent


@leaf
def _server(hi: np.uint64, lo: np.uint64, port: int, servers: Hashes) -> tuple[int, np.uint64]:
    """(first place, digest) of a TCP service in the table of those that answered."""
    digest = sip3(servers[0], servers[1], hi, lo, U64(port)) | U64(1)
    sets = U64((len(servers) - SERVERS_FROM) // (2 * SERVER_WAYS))
    return SERVERS_FROM + np.int64((digest >> U64(32)) & (sets - U64(1))) * SERVER_WAYS, digest


@leaf
def learn_server(row: np.void, servers: Hashes) -> None:
    """The sender of a SYN/ACK serves that port. A full set gives up its first: bounded, and learned again.

    Several workers have one table; the earliest time counts, so it does not matter who comes first.
    """
    port = np.int64(row["src_port"])
    mark = SERVERS_KEY + (port & (PORT_MARKS - 1))
    if servers[mark] == U64(0):  # other cores read this line all the time
        servers[mark] = U64(1)
    place, digest = _server(row["src_hi"], row["src_lo"], port, servers)
    chosen, times = place, (len(servers) - SERVERS_FROM) // 2
    now = U64(row["time_ns"])
    for way in range(SERVER_WAYS - 1, -1, -1):
        if servers[place + way] == U64(0):
            chosen = place + way
    for way in range(SERVER_WAYS):
        if servers[place + way] == digest:
            chosen = place + way
    if servers[chosen] != digest or now < servers[chosen + times]:
        servers[chosen + times] = now
        servers[chosen] = digest


@leaf
def _serves(hi: np.uint64, lo: np.uint64, port: int, now: np.uint64, servers: Hashes) -> bool:
    """Whether this end was seen to accept connections before."""
    if servers[SERVERS_KEY + (port & (PORT_MARKS - 1))] == U64(0):
        return False
    place, digest = _server(hi, lo, port, servers)
    found, times = False, (len(servers) - SERVERS_FROM) // 2
    for way in range(SERVER_WAYS):
        found = found or (servers[place + way] == digest and servers[place + way + times] <= now)
    return found


@leaf
def originates(row: np.void, protocol: int, servers: Hashes) -> tuple[bool, int]:
    """Whether the sender of a flow's first packet is its originator, and how that is known."""
    if protocol == TCP:
        flags = row["tcp_flags"] & (SYN | ACK)
        if flags == SYN:
            return True, D_INITIATOR
        if flags == SYN | ACK:
            return False, D_INITIATOR
        now = U64(row["time_ns"])
        sender = _serves(row["src_hi"], row["src_lo"], np.int64(row["src_port"]), now, servers)
        receiver = _serves(row["dst_hi"], row["dst_lo"], np.int64(row["dst_port"]), now, servers)
        if sender != receiver:
            return receiver, D_LEARNED
    if (protocol == ICMP or protocol == ICMPV6) and row["flags"] & F_PORTS:
        port = np.int64(row["src_port"])
        return request_type(protocol, port) == port, D_FIRST
    source, destination = np.int64(row["src_port"]), np.int64(row["dst_port"])
    if source != destination and (source < 1024 or destination < 1024):  # one well-known port: it is the responder's
        return source > destination, D_PORT
    return True, D_FIRST


@leaf
def advance_tcp(flow: np.void, flags: int, forward: bool) -> None:
    """TCP state from one segment's flags (RFC 9293 section 3.3.2, as far as a listener needs it)."""
    state = flow["state"]
    if not flags & (SYN | FIN | RST) and (state & (S_SYN_ACK | S_ESTABLISHED)) != S_SYN_ACK:
        return  # nothing that most segments carry can change it
    if flags & RST:
        state |= S_RESET | S_CLOSED
    if flags & SYN:
        if forward and not flags & ACK:
            state |= S_SYN
        elif not forward and flags & ACK:
            state |= S_SYN_ACK
    elif forward and flags & ACK and state & S_SYN_ACK and not flags & RST:
        state |= S_ESTABLISHED
    if flags & FIN:
        state |= S_FIN_F if forward else S_FIN_R
        if state & S_FIN_F and state & S_FIN_R:
            state |= S_CLOSED
    flow["state"] = state


@leaf
def time_handshake(flow: np.void, row: np.void, flags: int, forward: bool, before: int) -> None:
    """Round trips of the handshake, each from the tap to one end and back (as tcptrace and Zeek measure them).

    `before` is the state before this segment. A repeated SYN starts the watch anew; what is seen once is kept.
    """
    now, state = np.int64(row["time_ns"]), np.int64(flow["state"])
    if forward and flags & (SYN | ACK) == SYN and not state & S_SYN_ACK:
        flow["step_ns"] = now
    elif state & S_SYN_ACK and not before & S_SYN_ACK and state & S_SYN:
        flow["rtt_responder_us"] = U32(min(max((now - np.int64(flow["step_ns"])) // 1000, 1), US_MAX))
        flow["step_ns"] = now
    elif state & S_ESTABLISHED and not before & S_ESTABLISHED and flow["rtt_responder_us"] != U32(0):
        flow["rtt_originator_us"] = U32(min(max((now - np.int64(flow["step_ns"])) // 1000, 1), US_MAX))


@leaf
def follow_sequence(flow: np.void, row: np.void, forward: bool) -> None:
    """Payload at sequence numbers that were passed already is counted apart (RFC 9293 section 3.4: modulo 2**32)."""
    payload = np.int64(row["payload_octets"])
    start = np.int64(row["tcp_seq"])
    end = (start + payload) & US_MAX
    first = flow["forward_data"] == 0 if forward else flow["reverse_data"] == 0
    newest = np.int64(flow["forward_next"] if forward else flow["reverse_next"])
    passed = ((newest - start + 0x80000000) & US_MAX) - 0x80000000  # how far the newest is beyond this one's start
    again = min(max(passed, 0), payload)
    if first:
        again = 0
    if first or again < payload:
        newest = end
    if forward:
        flow["forward_next"] = U32(newest)
    else:
        flow["reverse_next"] = U32(newest)
    if again > 0:  # seldom: they stand in a row's third line, which nobody asked for
        if forward:
            flow["forward_resent"] = U32(np.int64(flow["forward_resent"]) + again)
        else:
            flow["reverse_resent"] = U32(np.int64(flow["reverse_resent"]) + again)


@leaf
def marks_of(flow: np.void, protocol: int, flags: int, forward: bool) -> int:
    """All that can be told of the flow now."""
    marks = np.int64(flow["marks"])
    if marks & M_SETTLED == M_SETTLED:
        return marks
    state = np.int64(flow["state"])
    if protocol == TCP:
        if not forward and flags & RST and not marks & M_ANSWERED:
            marks |= M_REFUSED
        elif state & S_SYN_ACK or (not forward and not flags & RST and not state & S_SYN):
            marks |= M_ANSWERED
        if state & S_ESTABLISHED and state & S_SYN:
            marks |= M_HANDSHAKE
    elif flow["reverse_packets"] > 0:
        marks |= M_ANSWERED
    if flow["forward_data"] > 0 and flow["reverse_data"] > 0:
        marks |= M_EXCHANGED
        if flow["forward_data"] > 1 and flow["reverse_data"] > 1:
            marks |= M_TWO_WAY
    return marks
