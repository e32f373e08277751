"""Who began a flow, how far it came, when it may be forgotten: each rule by hand."""

import numpy as np
import pytest

from agent.flows import lifecycle
from agent.flows.cache import FlowLimits
from agent.flows.records import BIFLOW, Direction, FlowMark, FlowState
from agent.packets.records import PACKET, PacketFlag

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
    said = lifecycle.originates(packet(protocol=TCP, **fields), TCP)
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
    worth = [lifecycle.worth_of(one) for one in (closed, half_open, one_sided, both)]
    assert worth == sorted(worth)
    assert len(set(worth)) == 4


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
