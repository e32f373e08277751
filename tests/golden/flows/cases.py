"""Small captures, one for each thing that flow tools see differently. What wardtap says of them lies beside."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.flows.talks import HOSTS, HOSTS6, START_S
from tests.forge import arp, icmp, ipv6, tunnels
from tests.forge.ethernet import IPV4, IPV6, QINQ, VLAN, ethernet, tagged
from tests.forge.ipv4 import GRE, ICMP, IPIP, SCTP, TCP, UDP, Ipv4
from tests.forge.ipv6 import AH, DESTINATION, FRAGMENT, HOP_BY_HOP, ICMPV6, NO_NEXT, ROUTING, Ipv6
from tests.forge.octets import group_mac
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, FIN, PSH, RST, SYN, Tcp
from tests.forge.udp import Udp

(A, A_MAC), (B, B_MAC) = HOSTS[0], HOSTS[1]
A6, B6 = HOSTS6[0][0], HOSTS6[1][0]
GROUP = "224.0.0.251"
OUT, BACK = (A, B), (B, A)
TUNNEL_ENDS = "172.16.1.1", "172.16.1.2"
S = 1_000_000_000


def _at(at_s: float, octets: bytes) -> Frame:
    return Frame(START_S * S + round(at_s * S), octets)


def _eth(packet: bytes, kind: int = IPV4, *, back: bool = False) -> bytes:
    return ethernet(A_MAC, B_MAC, kind, packet) if back else ethernet(B_MAC, A_MAC, kind, packet)


def _segment(number: int, ends: tuple[str, str] = OUT) -> bytes:
    """The segment of that number of a session that says four octets each time."""
    return Tcp(50000, 3613, 1 + 4 * number, flags=PSH | ACK).octets(*ends, b"data")


@dataclass
class Session:
    """TCP between the two hosts, with the sequence numbers that hosts would use."""

    ports: tuple[int, int] = (50000, 3613)
    frames: list[Frame] = field(default_factory=list)
    next: list[int] = field(default_factory=lambda: [1000, 5000])  # what each side sends next

    def say(self, at_s: float, flags: int, data: bytes = b"", *, back: bool = False) -> None:
        """One segment."""
        side = int(back)
        ports, macs = (self.ports, (B_MAC, A_MAC)) if not back else (self.ports[::-1], (A_MAC, B_MAC))
        ends = BACK if back else OUT
        ack = self.next[1 - side] if flags & ACK else 0
        segment = Tcp(*ports, self.next[side], ack, flags).octets(*ends, data)
        self.next[side] += len(data) + bool(flags & (SYN | FIN))
        packet = Ipv4(*ends, TCP, ident=1 + len(self.frames)).octets(segment)
        self.frames.append(_at(at_s, ethernet(*macs, IPV4, packet)))

    def open(self, at_s: float) -> None:
        """The handshake: 2 ms to the responder and back, 1 ms to the originator and back."""
        self.say(at_s, SYN)
        self.say(at_s + 0.002, SYN | ACK, back=True)
        self.say(at_s + 0.003, ACK)


def both_directions() -> list[Frame]:
    """A session that is seen whole; then three met in their middle, whose originator is known in three other ways."""
    session = Session()
    session.open(0)
    for number in range(4):
        session.say(0.1 + number / 10, PSH | ACK, b"q" * 100)
        session.say(0.15 + number / 10, PSH | ACK, b"a" * 40, back=True)
    session.say(1, FIN | ACK)
    session.say(1.1, FIN | ACK, back=True)
    session.say(1.2, ACK)
    for at_s, ports in ((2, (50001, 3613)), (3, (50002, 445)), (4, (50003, 50004))):
        middle = Session(ports, session.frames)
        middle.say(at_s, PSH | ACK, b"answer", back=True)
        middle.say(at_s + 0.1, ACK)
    return session.frames


def vlans() -> list[Frame]:
    """One pair of ends untagged, on two VLANs, on two VLANs of a provider, and with a priority tag."""
    packet = Ipv4(A, B, TCP, ident=1).octets(_segment(1))
    stacks = ([], [(VLAN, 5)], [(VLAN, 6)], [(QINQ, 5), (VLAN, 7)], [(QINQ, 6), (VLAN, 7)], [(VLAN, 0)])
    frames = []
    for number, tags in enumerate(stacks):
        kind, body = tagged(tags, IPV4, packet)
        frames.append(_at(number, _eth(body, kind)))
    return frames


def through_tunnels() -> list[Frame]:
    """One session in GRE, in IP, in VXLAN and in GENEVE; then tunnels that are not entered: around ARP, and PPTP."""
    inner = [Ipv4(A, B, TCP, ident=number).octets(_segment(number)) for number in range(4)]
    bodies = (
        (GRE, tunnels.gre(IPV4, inner[0], key=7)),
        (IPIP, inner[1]),
        (tunnels.VXLAN_PORT, tunnels.vxlan(9, _eth(inner[2]))),
        (tunnels.GENEVE_PORT, tunnels.geneve(9, 0x6558, _eth(inner[3]))),
        (tunnels.VXLAN_PORT, tunnels.vxlan(9, arp.request((A_MAC, A), B))),
        (GRE, b"\x30\x01\x88\x0b" + bytes(8)),
    )
    frames = []
    for number, (way, body) in enumerate(bodies):
        protocol = way if way in {GRE, IPIP} else UDP
        payload = body if protocol != UDP else Udp(50000, way).octets(*TUNNEL_ENDS, body)
        frames.append(_at(number, _eth(Ipv4(*TUNNEL_ENDS, protocol, ident=number).octets(payload))))
    return frames


def fragments() -> list[Frame]:
    """Datagrams in parts: in order, a later part first, a part whose first was lost, an echo, and IPv6."""
    datagram = Udp(50000, 514).octets(A, B, bytes(3000))
    first, second, third = Ipv4(A, B, UDP, ident=1).fragments(datagram, 1480)
    early = list(Ipv4(A, B, UDP, ident=2).fragments(datagram, 1480))
    lost = list(Ipv4(A, B, UDP, ident=3).fragments(datagram, 1480))[1:]
    echo = list(Ipv4(A, B, ICMP, ident=4).fragments(icmp.echo(1, 1, bytes(2000)), 1480))
    parts = ipv6.fragments(UDP, Udp(50000, 514).octets(A6, B6, bytes(2000)), 1232, ident=5)
    six = [Ipv6(A6, B6, FRAGMENT).octets(part) for part in parts]
    four = [first, second, third, early[1], early[0], early[2], *lost, *echo]
    kinds = [(IPV4, packet) for packet in four] + [(IPV6, packet) for packet in six]
    return [_at(number / 10, _eth(packet, kind)) for number, (kind, packet) in enumerate(kinds)]


def icmp_pairs() -> list[Frame]:
    """Echoes each way, each with its reply; errors each way; a timestamp; the same for IPv6 neighbours."""
    quoted = Ipv4(A, B, UDP, ident=9).octets(Udp(50000, 514).octets(A, B, b"quoted"))
    quoted6 = Ipv6(A6, B6, UDP).octets(Udp(50000, 514).octets(A6, B6, b"quoted"))
    frames = []
    for at_s, (source, target), (source6, target6) in ((0, OUT, (A6, B6)), (1, BACK, (B6, A6))):
        there, back = Ipv4(source, target, ICMP, ident=at_s + 1), Ipv4(target, source, ICMP, ident=at_s + 1)
        there6, back6 = Ipv6(source6, target6, ICMPV6), Ipv6(target6, source6, ICMPV6)
        macs = (A_MAC, B_MAC) if source == A else (B_MAC, A_MAC)
        packets = (  # whether it is an answer, its kind, itself
            (0, IPV4, there.octets(icmp.echo(1, at_s, b"ping"))),
            (1, IPV4, back.octets(icmp.echo(1, at_s, b"ping", answer=True))),
            (0, IPV4, there.octets(icmp.unreachable(3, quoted))),
            (0, IPV6, there6.octets(icmp.solicitation(source6, target6, target6, macs[0]))),
            (1, IPV6, back6.octets(icmp.advertisement(target6, source6, target6, macs[1]))),
            (0, IPV6, there6.octets(icmp.icmpv6(source6, target6, 1, 4, bytes(4) + quoted6))),
            (0, IPV4, there.octets(icmp.icmp(13, 0, bytes(16)))),
            (1, IPV4, back.octets(icmp.icmp(14, 0, bytes(16)))),
        )
        for number, (answer, kind, packet) in enumerate(packets):
            frames.append(_at(at_s + number / 10, _eth(packet, kind, back=(source == B) != bool(answer))))
    return frames


def ipv6_headers() -> list[Frame]:
    """One session behind no, one and many extension headers and AH; a packet with nothing in it; a group's report."""
    ends = A6, B6
    segments = [_segment(number, ends=ends) for number in range(4)]
    many = ipv6.options(DESTINATION, ipv6.options(ROUTING, ipv6.routing(TCP, segments[2], [A6])))
    chains = (
        (TCP, segments[0]),
        (HOP_BY_HOP, ipv6.options(TCP, segments[1], size=16)),
        (HOP_BY_HOP, many),
        (AH, ipv6.authentication(TCP, segments[3])),
        (NO_NEXT, b""),
    )
    frames = [_at(number, _eth(Ipv6(*ends, kind).octets(body), IPV6)) for number, (kind, body) in enumerate(chains)]
    report = ipv6.options(ICMPV6, icmp.icmpv6(A6, "ff02::16", 143, 0, bytes(4)))
    frames.append(_at(5, ethernet("33:33:00:00:00:16", A_MAC, IPV6, Ipv6(A6, "ff02::16", HOP_BY_HOP).octets(report))))
    return frames


def resets() -> list[Frame]:
    """A SYN that is refused, and tried again; a session that is reset; a SYN that nobody answers."""
    refused = Session()
    for at_s in (0, 5):
        refused.say(at_s, SYN)
        refused.say(at_s + 0.1, RST | ACK, back=True)
    session = Session((50001, 3613), refused.frames)
    session.open(10)
    session.say(11, PSH | ACK, b"hello")
    session.say(12, RST, back=True)
    silent = Session((50002, 3613), refused.frames)
    for at_s in (20, 21, 23):
        silent.say(at_s, SYN)
        silent.next[0] -= 1  # the same SYN again
    return refused.frames


def resent() -> list[Frame]:
    """Data sent twice, data sent again in part, and segments out of order (which look alike from a tap)."""
    frames = []
    segments = ((1000, 100), (1100, 100), (1100, 100), (1150, 100), (1350, 50), (1250, 100), (1400, 10))
    for number, (at, size) in enumerate(segments):
        body = Tcp(50000, 3613, at, flags=PSH | ACK).octets(A, B, bytes(size))
        frames.append(_at(number / 10, _eth(Ipv4(A, B, TCP, ident=number + 1).octets(body))))
    return frames


def timeouts() -> list[Frame]:
    """A session of 2 h 20 min, which the active timeout cuts, and one with a silence longer than the idle timeout."""
    long, idle = Session(), Session((50001, 3613))
    long.open(0)
    idle.open(1)
    for number in range(1, 85):
        long.say(number * 100, PSH | ACK, b"alive", back=number % 2 == 0)
    idle.say(2, PSH | ACK, b"q")
    idle.say(700, PSH | ACK, b"a", back=True)
    return sorted([*long.frames, *idle.frames], key=lambda frame: frame.time_ns)


def copies() -> list[Frame]:
    """A mirror's copies: at once, of two hops that take turns; and what is none: a packet resent, later."""
    near, far = (_eth(Ipv4(A, B, TCP, ttl, 7).octets(_segment(1))) for ttl in (64, 63))
    times_us = ((0, near), (10, near), (20, far), (30, near), (40, far), (5000, near))
    return [Frame(START_S * S + at_us * 1000, octets) for at_us, octets in times_us]


def other_protocols() -> list[Frame]:
    """SCTP, which has ports; ESP, IGMP and UDP-Lite, which have none here."""
    chunk = bytes.fromhex("0000000a00000000") + b"\1\0\0\4"
    there, back = bytes.fromhex("c3500b59") + chunk, bytes.fromhex("0b59c350") + chunk
    frames = [
        _eth(Ipv4(A, B, SCTP, ident=1).octets(there)),
        _eth(Ipv4(B, A, SCTP, ident=2).octets(back), back=True),
        _eth(Ipv4(A, B, 50, ident=3).octets(bytes(40))),
        _eth(Ipv4(B, A, 50, ident=4).octets(bytes(60)), back=True),
        ethernet(group_mac(GROUP), A_MAC, IPV4, Ipv4(A, GROUP, 2, ident=5).octets(b"\x16\0\x09\x04\xe0\0\0\xfb")),
        _eth(Ipv4(A, B, 136, ident=6).octets(bytes.fromhex("c350020200080000") + bytes(12))),
    ]
    return [_at(number, frame) for number, frame in enumerate(frames)]


CASES: dict[str, Callable[[], list[Frame]]] = {
    case.__name__.replace("_", "-"): case
    for case in (
        both_directions, vlans, through_tunnels, fragments, icmp_pairs, ipv6_headers, resets, resent, timeouts, copies,
        other_protocols,
    )
}  # fmt: skip
