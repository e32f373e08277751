"""The twin of the statistics on a few frames, counted by hand."""

from agent.devices.records import Scope
from agent.packets.records import Application
from tests.forge import arp, dns
from tests.forge.ethernet import IPV4, ethernet, lldp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.udp import Udp
from tests.naive.decode import decode
from tests.naive.statistics import Statistic, measure_frames, scope_of
from tests.naive.test_device import mac

A, B = "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
OWNERS = {mac(A): {0xFFFF0A000001}, mac(B): {0xFFFF0A000002}}


def packet(source: str, target: str, data: bytes = b"x" * 72, ports: tuple[int, int] = (5, 6)) -> bytes:
    """An IPv4 datagram."""
    return Ipv4(source, target, UDP).octets(Udp(*ports).octets(source, target, data))


def test_counts_by_hand() -> None:
    frames = [
        arp.gratuitous((A, "10.0.0.1")),
        ethernet(B, A, IPV4, packet("10.0.0.1", "10.0.0.2")),  # B has not spoken yet, so who knows that it is there
        ethernet(A, B, IPV4, packet("10.0.0.2", "10.0.0.1")),
        ethernet(B, A, IPV4, packet("10.0.0.1", "203.0.113.9")),
        lldp(A, "1", "switch", "text"),
    ]
    table: dict[int, Statistic] = {}
    for i, frame in enumerate(frames):
        measure_frames(table, [decode(frame, time_ns=i * 20_000)], frame, OWNERS)
    a, b = table[mac(A)], table[mac(B)]
    assert a.tx_packets == {Scope.BROADCAST: 1, Scope.SITE: 1, Scope.INTERNET: 1, Scope.MULTICAST: 1}
    assert (a.rx_packets, a.rx_octets) == ({Scope.SEGMENT: 1}, {Scope.SEGMENT: 114})
    assert (b.tx_packets, b.rx_packets) == ({Scope.SEGMENT: 1}, {Scope.SEGMENT: 1})
    assert (a.announcements, b.announcements) == (2, 0)
    assert (a.sizes, a.gaps) == ({0: 2, 1: 2}, {1: 3})


def test_dns_by_hand() -> None:
    asked = ethernet(B, A, IPV4, packet("10.0.0.1", "10.0.0.2", dns.question(7, "a.b"), (999, 53)))
    failed = ethernet(A, B, IPV4, packet("10.0.0.2", "10.0.0.1", dns.answer(7, "a.b", [], rcode=3), (53, 999)))
    table: dict[int, Statistic] = {}
    for frame in (asked, failed, asked[:50]):
        row = dict(decode(frame)) | {"application": Application.DNS}
        measure_frames(table, [row], frame, OWNERS)
    assert (table[mac(A)].dns_questions, table[mac(A)].dns_failures) == (1, 1)
    assert (table[mac(B)].dns_questions, table[mac(B)].dns_failures) == (0, 0)


def test_scopes_of_addresses() -> None:
    told = {0xFFFF0A090909: 1, 0xFFFFCB007109: 2, 0xFFFFE00000FB: 3, 0xFFFFFFFFFFFF: 4, 0xFFFFA9FE0101: 0}
    assert {address: scope_of(address) for address in told} == told
    assert [scope_of(top << 112) for top in (0xFE80, 0xFD00, 0x2001, 0xFF02)] == [0, 1, 2, 3]
