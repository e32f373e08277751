"""Who began a flow, how far it came, when it may be forgotten: each rule by hand."""

import numpy as np
import pytest

from agent.flows import lifecycle
from agent.flows.cache import FlowLimits
from agent.flows.records import BIFLOW, Direction, FlowMark, FlowState
from agent.packets.records import PACKET, PacketFlag
from tests.simulators.bursts import HASHES, THIN

pytestmark = HASHES
FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
LIMITS = FlowLimits(tcp_idle_timeout_s=600, udp_idle_timeout_s=120, half_open_timeout_s=10, closed_timeout_s=2)


def flow(**fields: int) -> np.void:
    row = np.zeros(1, BIFLOW)[0]
    for name, value in fields.items():
        row[name] = value
    return row


def packet(**fields: int) -> np.void:
    row = np.zeros(1, PACKET)[0]
    row["flags"] = PacketFlag.PORTS
    for name, value in fields.items():
        row[name] = value
    return row


def no_servers() -> np.ndarray:  # type: ignore[type-arg]
    """Nobody was seen to accept anything."""
    table = np.zeros(lifecycle.SERVERS_FROM + 2 * 64, np.uint64)
    table[: lifecycle.SERVERS_KEY] = 7, 11
    return table


@pytest.mark.parametrize(
    ("fields", "sender_first", "how"),
    [
        ({"tcp_flags": SYN, "src_port": 50000, "dst_port": 104}, True, Direction.INITIATOR),
        ({"tcp_flags": SYN | ACK, "src_port": 104, "dst_port": 50000}, False, Direction.INITIATOR),
        ({"tcp_flags": ACK, "src_port": 104, "dst_port": 50000}, False, Direction.PORT),
        ({"tcp_flags": ACK, "src_port": 50000, "dst_port": 104}, True, Direction.PORT),
        ({"tcp_flags": ACK, "src_port": 50000, "dst_port": 50001}, True, Direction.FIRST_SEEN),
    ],
)
def test_who_began_it(fields: dict[str, int], sender_first: bool, how: Direction) -> None:
    said = lifecycle.originates(packet(protocol=TCP, **fields), TCP, no_servers())
    assert (bool(said[0]), said[1]) == (sender_first, how)


@pytest.mark.parametrize(
    ("fields", "protocol", "timeout_s"),
    [
        ({"state": FlowState.SYN, "forward_packets": 1}, TCP, 10),
        ({"state": FlowState.SYN | FlowState.SYN_ACK | FlowState.ESTABLISHED, "reverse_packets": 1}, TCP, 600),
        ({"state": FlowState.CLOSED, "reverse_packets": 1}, TCP, 2),
        ({"forward_packets": 9}, TCP, 120),  # one side only, met in its middle
        ({"forward_packets": 1}, UDP, 30),  # a question that nobody answered
        ({"forward_packets": 4}, UDP, 120),  # a stream
        ({"forward_packets": 1, "reverse_packets": 1}, UDP, 120),
    ],
)
def test_how_long_it_may_be_silent(fields: dict[str, int], protocol: int, timeout_s: int) -> None:
    assert lifecycle.timeout_s(flow(**fields), protocol, LIMITS.as_row()) == timeout_s


def test_who_stays_when_there_is_no_room() -> None:
    closed = flow(state=FlowState.CLOSED, forward_packets=1, reverse_packets=1)
    half_open = flow(state=FlowState.SYN, forward_packets=1)
    one_sided, both = flow(forward_packets=5), flow(forward_packets=5, reverse_packets=5)
    talk = flow(forward_packets=5, reverse_packets=5, marks=FlowMark.TWO_WAY_DATA)
    worth = [lifecycle.worth_of(one) for one in (closed, half_open, one_sided, both, talk)]
    assert worth == sorted(worth)
    assert len(set(worth)) == 5


MS = 1_000_000  # about a step of the ranks' clock
NOW_NS = 1_793_606_400_000_000_000


def test_the_least_worthy_yields_and_of_those_the_longest_silent() -> None:
    flows = [(worth, NOW_NS - silent_ms * MS) for worth in range(5) for silent_ms in (600_000, 5000, 3, 0)]
    soon = [lifecycle.yields(lifecycle.rank_of(worth, last_ns), NOW_NS) for worth, last_ns in flows]
    assert soon == sorted(soon, reverse=True)
    assert len(set(soon)) == len(soon)


def test_a_rank_fits_its_place_whatever_the_time() -> None:
    for last_ns in (0, NOW_NS, (1 << 63) - 1):
        assert 0 <= lifecycle.rank_of(4, last_ns) < 1 << 32
        assert lifecycle.rank_of(4, last_ns) >> lifecycle.CLOCK_BITS == 4


def test_a_clock_that_begins_anew_ranks_right_and_so_does_a_packet_that_comes_late() -> None:
    turn = 1 << lifecycle.CLOCK_BITS + lifecycle.CLOCK_SHIFT
    end_ns = NOW_NS - NOW_NS % turn + turn
    before, after = lifecycle.rank_of(2, end_ns - 9 * MS), lifecycle.rank_of(2, end_ns + 9 * MS)
    assert lifecycle.yields(before, end_ns + 20 * MS) > lifecycle.yields(after, end_ns + 20 * MS)
    newer, older = lifecycle.rank_of(2, NOW_NS), lifecycle.rank_of(2, NOW_NS - 50 * MS)
    assert lifecycle.yields(older, NOW_NS - 1000 * MS) > lifecycle.yields(newer, NOW_NS - 1000 * MS)


def test_a_session_from_its_syn_to_both_fins() -> None:
    one = flow()
    first = 0
    for flags, forward in ((SYN, True), (SYN | ACK, False), (ACK, True), (FIN | ACK, True), (FIN | ACK, False)):
        lifecycle.advance_tcp(one, flags, forward)
        first = first or int(one["state"])
    assert one["state"] & FlowState.ESTABLISHED
    assert one["state"] & FlowState.CLOSED
    assert first == FlowState.SYN


def test_a_reset_closes_at_once() -> None:
    one = flow(state=FlowState.SYN)
    lifecycle.advance_tcp(one, RST | ACK, False)
    assert one["state"] & FlowState.CLOSED
    assert lifecycle.marks_of(one, TCP, RST | ACK, False) == FlowMark.REFUSED


def test_what_can_be_told() -> None:
    one = flow(state=FlowState.SYN | FlowState.SYN_ACK | FlowState.ESTABLISHED, forward_data=1, reverse_data=1)
    said = lifecycle.marks_of(one, TCP, ACK, True)
    assert said == FlowMark.ANSWERED | FlowMark.HANDSHAKE | FlowMark.EXCHANGED
    one["forward_data"], one["reverse_data"] = 2, 2
    assert lifecycle.marks_of(one, TCP, ACK, True) == said | FlowMark.TWO_WAY_DATA
    assert lifecycle.marks_of(flow(reverse_packets=1), UDP, 0, False) == FlowMark.ANSWERED


def test_who_accepted_a_connection_is_the_responder_of_what_is_met_in_its_middle() -> None:
    servers = no_servers()
    answer = packet(src_lo=5, src_port=50001, dst_lo=9, dst_port=50002, tcp_flags=SYN | ACK)
    lifecycle.learn_server(answer, servers)
    there = packet(src_lo=7, src_port=104, dst_lo=5, dst_port=50001, tcp_flags=ACK)
    back = packet(src_lo=5, src_port=50001, dst_lo=7, dst_port=104, tcp_flags=ACK)
    assert lifecycle.originates(there, TCP, servers) == (True, Direction.LEARNED), "before what port 104 would say"
    assert lifecycle.originates(back, TCP, servers) == (False, Direction.LEARNED)
    lifecycle.learn_server(packet(src_lo=7, src_port=104, tcp_flags=SYN | ACK), servers)
    assert lifecycle.originates(there, TCP, servers)[1] == Direction.PORT, "both serve: that tells nothing"


def test_the_table_of_servers_is_bounded() -> None:
    servers = no_servers()
    for port in range(1000 // THIN):
        lifecycle.learn_server(packet(src_lo=5, src_port=port, tcp_flags=SYN | ACK), servers)
    assert servers[: lifecycle.SERVERS_KEY].tolist() == [7, 11], "its key is never overwritten"
    assert lifecycle._serves(np.uint64(0), np.uint64(5), 1000 // THIN - 1, np.uint64(0), servers)


def test_a_port_on_which_nobody_accepts_is_only_a_shortcut() -> None:
    servers, rng = no_servers(), np.random.default_rng(4)
    for port in rng.integers(0, 1 << 16, 12).tolist():
        lifecycle.learn_server(packet(src_lo=port & 3, src_port=port, tcp_flags=SYN | ACK), servers)
    looked = servers.copy()
    looked[lifecycle.SERVERS_KEY : lifecycle.SERVERS_FROM] = 1
    asked = [(np.uint64(0), np.uint64(port & 3), port, np.uint64(0)) for port in range(0, 1 << 16, THIN)]
    found = [lifecycle._serves(*who, servers) for who in asked]
    assert found == [lifecycle._serves(*who, looked) for who in asked]
    assert sum(found) == 12 or THIN > 1


def test_what_is_learned_counts_from_its_time_on_whoever_learns_it_first() -> None:
    """Workers learn from rows that another one has not come to yet."""
    servers = no_servers()
    early = packet(src_lo=7, src_port=50000, dst_lo=5, dst_port=50001, tcp_flags=ACK, time_ns=10)
    late = packet(src_lo=7, src_port=50000, dst_lo=5, dst_port=50001, tcp_flags=ACK, time_ns=20)
    for time_ns in (30, 20, 25):
        lifecycle.learn_server(packet(src_lo=5, src_port=50001, tcp_flags=SYN | ACK, time_ns=time_ns), servers)
    assert lifecycle.originates(early, TCP, servers)[1] == Direction.FIRST_SEEN
    assert lifecycle.originates(late, TCP, servers) == (True, Direction.LEARNED)


def segments(*spans: tuple[int, int], forward: bool = True) -> tuple[int, int]:
    """(resent octets, next number) after payloads of (sequence number, octets)."""
    one = flow()
    side = "forward" if forward else "reverse"
    for start, size in spans:
        lifecycle.follow_sequence(one, packet(tcp_seq=start, payload_octets=size), forward)
        one[f"{side}_data"] = 1
    return int(one[f"{side}_resent"]), int(one[f"{side}_next"])


TOP = 2**32


@pytest.mark.parametrize(
    ("spans", "resent", "newest"),
    [
        ([(100, 10), (110, 10), (120, 5)], 0, 125),
        ([(100, 10), (100, 10), (110, 10)], 10, 120),  # the same once more
        ([(100, 10), (105, 10)], 5, 115),  # half of it is new
        ([(100, 10), (120, 10), (110, 10)], 10, 130),  # out of order is counted like resent
        ([(TOP - 5, 10), (5, 10)], 0, 15),  # over the edge of 32 bits
        ([(TOP - 5, 10), (TOP - 5, 10)], 10, 5),
        ([(0, 1), (50000, 1)], 0, 50001),  # a hole: the capture lost something
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_payload_that_was_sent_before(spans: list[tuple[int, int]], resent: int, newest: int, *, forward: bool) -> None:
    assert segments(*spans, forward=forward) == (resent, newest)
