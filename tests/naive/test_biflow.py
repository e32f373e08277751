"""The flow twin on conversations that were written by hand."""

from dataclasses import dataclass, field

from agent.flows.records import Direction, FlowEndReason, FlowMark, FlowState
from tests.forge import icmp
from tests.forge.ethernet import IPV4, ethernet, tagged
from tests.forge.ipv4 import ICMP, TCP, UDP, Ipv4
from tests.forge.tcp import ACK, FIN, RST, SYN, Tcp
from tests.forge.udp import Udp
from tests.naive.biflow import Biflow, S, Timeouts, biflows
from tests.naive.decode import decode

A, B, AM, BM = "10.1.0.9", "10.1.0.2", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"


@dataclass(slots=True)
class Talk:
    """Rows of a talk between A (port 50000) and B (port 3613)."""

    rows: list[dict[str, int]] = field(default_factory=list)
    vlan: int = 0

    def put(self, at_s: float, protocol: int, segment: bytes, *, back: bool) -> None:
        """One packet."""
        source, target, macs = (B, A, (AM, BM)) if back else (A, B, (BM, AM))
        packet = Ipv4(source, target, protocol).octets(segment)
        kind, body = tagged([(0x8100, self.vlan)], IPV4, packet) if self.vlan else (IPV4, packet)
        self.rows.append(decode(ethernet(*macs, kind, body), time_ns=int(at_s * S)))

    def tcp(self, at_s: float, flags: int, data: bytes = b"", *, back: bool = False) -> None:
        """One TCP segment."""
        ports, ends = ((3613, 50000), (B, A)) if back else ((50000, 3613), (A, B))
        self.put(at_s, TCP, Tcp(*ports, flags=flags).octets(*ends, data), back=back)

    def udp(self, at_s: float, data: bytes = b"", *, back: bool = False, port: int = 53) -> None:
        """One datagram."""
        ports, ends = ((port, 50000), (B, A)) if back else ((50000, port), (A, B))
        self.put(at_s, UDP, Udp(*ports).octets(*ends, data), back=back)

    def told(self, timeouts: Timeouts | None = None) -> list[Biflow]:
        """The records."""
        return list(biflows(self.rows, timeouts))


def handshake(talk: Talk, at_s: float = 0) -> None:
    """SYN, SYN/ACK, ACK."""
    talk.tcp(at_s, SYN)
    talk.tcp(at_s, SYN | ACK, back=True)
    talk.tcp(at_s, ACK)


def test_whole_session_is_one_record() -> None:
    talk = Talk()
    handshake(talk)
    for _ in range(2):
        talk.tcp(1, ACK, b"1234")
        talk.tcp(1, ACK, b"12", back=True)
    talk.tcp(2, FIN | ACK)
    talk.tcp(2, FIN | ACK, back=True)
    talk.tcp(2, ACK)
    (flow,) = talk.told()
    assert (flow.packets, flow.octets, flow.payload, flow.data) == ([6, 4], [6 * 40 + 8, 4 * 40 + 4], [8, 4], [2, 2])
    assert flow.direction == Direction.INITIATOR
    assert flow.originator[2] == 50000
    assert flow.macs == (int.from_bytes(bytes.fromhex(AM.replace(":", ""))), 0xD4AE52000002)
    assert flow.end_reason == FlowEndReason.END_DETECTED
    assert flow.state == sum(FlowState) - FlowState.RESET
    assert flow.marks == sum(FlowMark) - FlowMark.REFUSED


def test_syn_ack_names_its_receiver_the_originator() -> None:
    talk = Talk()
    talk.tcp(0, SYN | ACK, back=True)
    (flow,) = talk.told()
    assert (flow.originator[2], flow.direction, flow.packets) == (50000, Direction.INITIATOR, [0, 1])


def test_service_port_then_first_seen() -> None:
    talk = Talk()
    talk.udp(0, back=True)
    talk.udp(0, back=True, port=6000)
    dns, other = talk.told()
    assert (dns.originator[2], dns.direction) == (50000, Direction.PORT)
    assert (other.originator[2], other.direction) == (6000, Direction.FIRST_SEEN)


def test_refused_and_unanswered() -> None:
    talk = Talk()
    talk.tcp(0, SYN)
    talk.tcp(0, RST | ACK, back=True)
    talk.tcp(20, SYN)
    talk.tcp(40, SYN)
    refused, silent, last = talk.told()
    assert refused.end_reason == FlowEndReason.END_DETECTED
    assert refused.marks == FlowMark.REFUSED
    assert (silent.end_reason, silent.marks) == (FlowEndReason.IDLE, 0)
    assert last.end_reason == FlowEndReason.FORCED


def test_fresh_syn_ends_a_closed_flow_at_once() -> None:
    talk = Talk()
    handshake(talk)
    talk.tcp(1, RST | ACK, back=True)
    handshake(talk, 1.5)
    assert [flow.end_reason for flow in talk.told()] == [FlowEndReason.END_DETECTED, FlowEndReason.FORCED]


def test_idle_active_and_their_edges() -> None:
    talk = Talk()
    for at_s in (0, 119, 238, 358.5):
        talk.udp(at_s, back=at_s == 0)
    assert [sum(flow.packets) for flow in talk.told()] == [3, 1], "358 - 238 is 120"
    assert [sum(flow.packets) for flow in talk.told(Timeouts(other_idle=200 * S, active=240 * S))] == [3, 1]
    first, second = talk.told(Timeouts(other_idle=200 * S, active=238 * S - 1, unanswered=200 * S))
    assert (first.end_reason, second.end_reason) == (FlowEndReason.ACTIVE, FlowEndReason.FORCED)


def test_a_try_that_nobody_answers_ends_early() -> None:
    talk = Talk()
    for at_s in (0, 29, 58, 88, 99, 100, 101, 221):
        talk.udp(at_s)
    assert [flow.packets[0] for flow in talk.told()] == [3, 4, 1], "four packets are a stream"
    assert [flow.end_reason for flow in talk.told()][:2] == [FlowEndReason.IDLE] * 2


def test_active_cut_keeps_the_originator() -> None:
    talk = Talk()
    handshake(talk)
    talk.tcp(100, ACK, b"late", back=True)
    first, second = talk.told(Timeouts(active=50 * S))
    assert first.end_reason == FlowEndReason.ACTIVE
    assert second.originator == first.originator
    assert (second.packets, second.direction) == ([0, 1], Direction.INITIATOR)
    assert second.marks & FlowMark.HANDSHAKE


def test_vlans_are_kept_apart_and_echoes_together() -> None:
    talk = Talk()
    talk.udp(0)
    talk.vlan = 5
    talk.udp(0)
    talk.put(0, ICMP, icmp.echo(1, 1), back=False)
    talk.put(0, ICMP, icmp.echo(1, 1, answer=True), back=True)
    flows = talk.told()
    assert [flow.packets for flow in flows] == [[1, 0], [1, 0], [1, 1]]
    assert (flows[2].originator[2], flows[2].responder[2]) == (0, 0x0800)
    assert flows[2].marks == FlowMark.ANSWERED
