"""Named frames that between them reach every branch of the decoder: (name, octets, link type)."""

from collections.abc import Iterator

from tests.forge import arp, icmp, ipv6, tunnels
from tests.forge.ethernet import (
    IPV4,
    IPV6,
    MPLS,
    PPPOE,
    QINQ,
    QINQ_OLD,
    VLAN,
    ethernet,
    llc,
    lldp,
    mpls,
    pppoe,
    snap,
    stp,
    tagged,
)
from tests.forge.ipv4 import GRE, ICMP, TCP, UDP, Ipv4
from tests.forge.ipv6 import AH, DESTINATION, FRAGMENT, HOP_BY_HOP, ICMPV6, ROUTING, Ipv6
from tests.forge.octets import BROADCAST
from tests.forge.pcap import EN10MB, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW
from tests.forge.pcap import IPV4 as LINK_IPV4
from tests.forge.pcap import IPV6 as LINK_IPV6
from tests.forge.tcp import SACK_PERMITTED, SYN, Tcp, mss
from tests.forge.udp import Udp

A, B = "00:d0:75:18:42:9b", "d4:ae:52:10:30:0a"
A4, B4, C4, D4 = "10.1.0.5", "10.2.0.9", "172.16.1.1", "172.16.1.2"
A6, B6 = "2001:db8::5", "fe80::9"
Named = tuple[str, bytes, int]

TCP4 = Ipv4(A4, B4, TCP, ident=77).octets(Tcp(50000, 104, 1000, 2000).octets(A4, B4, b"payload"))
UDP4 = Ipv4(A4, B4, UDP, ttl=3).octets(Udp(50001, 53).octets(A4, B4, b"question"))
TCP6 = Ipv6(A6, B6, TCP).octets(Tcp(50000, 2575, flags=SYN, options=mss(1440)).octets(A6, B6))
SEGMENT6 = Tcp(50000, 443).octets(A6, B6, b"six")


def eth(payload: bytes, ethertype: int = IPV4) -> bytes:
    """From A to B."""
    return ethernet(B, A, ethertype, payload)


def inner(depth: int) -> bytes:
    """IP-in-IP, `depth` times."""
    packet = TCP4
    for _ in range(depth):
        packet = Ipv4(C4, D4, 4).octets(packet)
    return packet


def over_udp(port: int, body: bytes, source: int = 50002) -> bytes:
    """A tunnel body in UDP."""
    return eth(Ipv4(C4, D4, UDP).octets(Udp(source, port).octets(C4, D4, body)))


def plain() -> Iterator[Named]:
    """One network header behind every kind of link header."""
    yield "tcp4", eth(TCP4), EN10MB
    yield "udp4", eth(UDP4), EN10MB
    yield "tcp6", eth(TCP6, IPV6), EN10MB
    yield "arp", arp.request((A, A4), B4), EN10MB
    yield "arp-reply", arp.reply((A, A4), (B, B4)), EN10MB
    yield "arp-odd", eth(b"\0\x06\x08\0\x06\x04\0\x01" + b"\1" * 20, 0x0806), EN10MB
    yield "lldp", lldp(A, "1", "sw", "switch"), EN10MB
    yield "stp", stp(A, A), EN10MB
    yield "llc", llc(B, A, (0xF0, 0xF0), b"netbeui"), EN10MB
    yield "snap-ip", snap(B, A, IPV4, UDP4), EN10MB
    yield "snap-cisco", snap(B, A, 0x2000, b"cdp", oui=b"\0\0\x0c"), EN10MB
    for number in range(1, 5):
        tags = [(QINQ, 100), (VLAN, 200), (QINQ_OLD, 300), (VLAN, 400)][:number]
        kind, body = tagged(tags, IPV4, TCP4)
        yield f"vlan-{number}", eth(body, kind), EN10MB
    yield "vlan-priority", eth(tagged([(VLAN, 0)], IPV4, TCP4)[1], VLAN), EN10MB
    yield "vlan-arp", eth(tagged([(VLAN, 7)], 0x0806, arp.arp(1, (A, A4), (B, B4)))[1], VLAN), EN10MB
    yield "broadcast", ethernet(BROADCAST, A, IPV4, UDP4), EN10MB
    yield "group", ethernet("01:00:5e:00:00:fb", A, IPV4, UDP4), EN10MB
    yield "raw4", TCP4, RAW
    yield "raw6", TCP6, 12
    yield "raw-neither", b"\x20" + TCP4[1:], 14
    yield "ipv4", TCP4, LINK_IPV4
    yield "ipv4-is-6", TCP6, LINK_IPV4
    yield "ipv6", TCP6, LINK_IPV6
    yield "null-le", b"\x02\0\0\0" + TCP4, NULL
    yield "null-be", b"\0\0\0\x02" + TCP4, NULL
    yield "null-6", b"\x1e\0\0\0" + TCP6, NULL
    yield "null-other", b"\x07\0\0\0" + TCP4, NULL
    yield "loop", b"\0\0\0\x02" + TCP4, LOOP
    sll = b"\0\x04\0\x01\0\x06" + b"\0\xd0\x75\x18\x42\x9b\0\0"
    yield "sll", sll + b"\x08\0" + TCP4, LINUX_SLL
    yield "sll-broadcast", b"\0\x01" + sll[2:] + b"\x08\x06" + arp.arp(1, (A, A4), (B, B4)), LINUX_SLL
    yield "sll2", b"\x08\0\0\0\0\0\0\x02\0\x01\x02\x06" + sll[6:] + TCP4, LINUX_SLL2
    yield "link-unknown", TCP4, 253


def shims() -> Iterator[Named]:
    """MPLS and PPPoE."""
    yield "mpls-1", eth(mpls([16], TCP4), MPLS), EN10MB
    yield "mpls-8", eth(mpls(range(16, 24), TCP6), MPLS), EN10MB
    yield "mpls-9", eth(mpls(range(16, 25), TCP4), MPLS), EN10MB
    yield "mpls-pseudowire", eth(mpls([16], b"\0\0\0\0" + eth(TCP4)), MPLS), EN10MB
    yield "pppoe4", eth(pppoe(1, 0x0021, TCP4), PPPOE), EN10MB
    yield "pppoe6", eth(pppoe(1, 0x0057, TCP6), PPPOE), EN10MB
    yield "pppoe-lcp", eth(pppoe(1, 0xC021, b"\1\1\0\4"), PPPOE), EN10MB
    yield "pppoe-version", eth(b"\x21" + pppoe(1, 0x0021, TCP4)[1:], PPPOE), EN10MB


def networks() -> Iterator[Named]:
    """Options, fragments, extension headers, transports, lies."""
    segment = Tcp(1, 2, flags=SYN, options=mss(9) + SACK_PERMITTED).octets(A4, B4)
    yield "options", eth(Ipv4(A4, B4, TCP, options=b"\x94\x04\0\0").octets(segment)), EN10MB
    for number, piece in enumerate(Ipv4(A4, B4, UDP, ident=9).fragments(Udp(5, 6).octets(A4, B4, b"x" * 40), 16)):
        yield f"fragment-{number}", eth(piece), EN10MB
    yield "icmp", eth(Ipv4(A4, B4, ICMP).octets(icmp.echo(1, 2, b"ping"))), EN10MB
    yield "icmp-error", eth(Ipv4(A4, B4, ICMP).octets(icmp.unreachable(3, UDP4))), EN10MB
    yield "icmp6", eth(Ipv6(A6, B6, ICMPV6).octets(icmp.solicitation(A6, B6, B6, A)), IPV6), EN10MB
    yield "igmp", eth(Ipv4(A4, B4, 2).octets(b"\x16\0\0\0\xe0\0\0\xfb")), EN10MB
    yield "esp", eth(Ipv4(A4, B4, 50).octets(b"sealed--")), EN10MB
    yield "sctp", eth(Ipv4(A4, B4, 132).octets(b"\1\2\3\4" * 4)), EN10MB
    yield "sctp-tiny", eth(Ipv4(A4, B4, 132).octets(b"\1\2\3\4" * 2)), EN10MB
    chain = ipv6.options(
        ROUTING, ipv6.routing(DESTINATION, ipv6.options(AH, ipv6.authentication(TCP, SEGMENT6), size=16), [B6])
    )
    yield "ip6-chain", eth(Ipv6(A6, B6, HOP_BY_HOP).octets(chain), IPV6), EN10MB
    for count in (8, 9):
        body = SEGMENT6
        for i in range(count):
            body = ipv6.options(DESTINATION if i else TCP, body)
        yield f"ip6-extensions-{count}", eth(Ipv6(A6, B6, DESTINATION).octets(body), IPV6), EN10MB
    for number, piece in enumerate(ipv6.fragments(TCP, SEGMENT6, 16)):
        yield f"ip6-fragment-{number}", eth(Ipv6(A6, B6, FRAGMENT).octets(piece), IPV6), EN10MB
    atomic = ipv6.fragment(TCP, SEGMENT6, offset=0, more=False)
    yield "ip6-atomic", eth(Ipv6(A6, B6, FRAGMENT).octets(atomic), IPV6), EN10MB
    yield "ip6-extension-lie", eth(Ipv6(A6, B6, 0).octets(b"\x06\xff" + SEGMENT6), IPV6), EN10MB
    yield "ip6-none", eth(Ipv6(A6, B6, 59).octets(), IPV6), EN10MB
    yield "ip6-length-0", eth(Ipv6(A6, B6, TCP, length=0).octets(SEGMENT6), IPV6), EN10MB
    yield "version-5", eth(Ipv4(A4, B4, TCP, version=5).octets(segment)), EN10MB
    yield "ihl-4", eth(Ipv4(A4, B4, TCP, ihl=4).octets(segment)), EN10MB
    yield "total-short", eth(Ipv4(A4, B4, TCP, total=19).octets(segment)), EN10MB
    yield "total-0", eth(Ipv4(A4, B4, TCP, total=0).octets(segment)), EN10MB
    yield "total-long", eth(Ipv4(A4, B4, TCP, total=9000).octets(segment)), EN10MB
    yield "udp-short", eth(Ipv4(A4, B4, UDP).octets(Udp(1, 2, length=4).octets(A4, B4, b"x" * 30))), EN10MB
    yield "udp-less", eth(Ipv4(A4, B4, UDP).octets(Udp(1, 2, length=12).octets(A4, B4, b"x" * 30))), EN10MB
    yield "tcp-offset-1", eth(Ipv4(A4, B4, TCP).octets(Tcp(1, 2, data_offset=1).octets(A4, B4, b"x" * 30))), EN10MB
    yield "tcp-offset-15", eth(Ipv4(A4, B4, TCP).octets(Tcp(1, 2, data_offset=15).octets(A4, B4, b"x"))), EN10MB
    yield "tcp-tiny", eth(Ipv4(A4, B4, TCP).octets(segment[:8])), EN10MB


def encapsulations() -> Iterator[Named]:
    """Tunnels, entered and not."""
    yield "ipip", eth(inner(1)), EN10MB
    yield "ip6-in-4", eth(Ipv4(C4, D4, 41).octets(TCP6)), EN10MB
    yield "ip4-in-6", eth(Ipv6(A6, B6, 4).octets(TCP4), IPV6), EN10MB
    for depth in (4, 5):
        yield f"ipip-{depth}", eth(inner(depth)), EN10MB
    for name, options in (("", {}), ("-key", {"key": 7}), ("-all", {"key": 7, "sequence": 1, "check": True})):
        yield f"gre{name}", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(IPV4, TCP4, **options))), EN10MB  # type: ignore[arg-type]
    yield "gre-ethernet", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(0x6558, eth(UDP4)))), EN10MB
    yield "gre-erspan", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(tunnels.ERSPAN, eth(UDP4), sequence=1))), EN10MB
    yield "gre-pptp", eth(Ipv4(C4, D4, GRE).octets(b"\x30\x01\x88\x0b" + TCP4)), EN10MB
    yield "vxlan", over_udp(4789, tunnels.vxlan(5, eth(TCP4))), EN10MB
    yield "vxlan-arp", over_udp(4789, tunnels.vxlan(5, arp.request((A, A4), B4))), EN10MB
    yield "vxlan-tagged", over_udp(4789, tunnels.vxlan(5, eth(tagged([(VLAN, 9)], IPV4, TCP4)[1], VLAN))), EN10MB
    yield "vxlan-no-flag", over_udp(4789, b"\0" * 8 + eth(TCP4)), EN10MB
    yield "geneve", over_udp(6081, tunnels.geneve(5, 0x6558, eth(TCP4), options=b"\0\1\0\0")), EN10MB
    yield "geneve-ip", over_udp(6081, tunnels.geneve(5, IPV6, TCP6)), EN10MB
    for name, flags in (("", {}), ("-origin", {"origin": True}), ("-both", {"origin": True, "authentication": True})):
        yield f"teredo{name}", over_udp(3544, tunnels.teredo(TCP6, **flags)), EN10MB
    yield "teredo-not", over_udp(3544, b"\x40" + TCP4), EN10MB
    yield "capwap", over_udp(5247, tunnels.capwap(eth(TCP4), words=4)), EN10MB
    yield "capwap-down", over_udp(50003, tunnels.capwap(eth(TCP4)), 5247), EN10MB
    yield "capwap-native", over_udp(5247, tunnels.capwap(eth(TCP4), native=True)), EN10MB
    yield "capwap-dtls", over_udp(5247, tunnels.capwap_dtls(b"\x17\xfe\xfd" + b"s" * 40)), EN10MB


def frames() -> list[Named]:
    """All of them."""
    return [*plain(), *shims(), *networks(), *encapsulations()]
