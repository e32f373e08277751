"""The device twin on a few frames, counted by hand."""

from agent.devices.records import DeviceFlag
from tests.forge import arp
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.octets import BROADCAST
from tests.forge.udp import Udp
from tests.naive.decode import decode
from tests.naive.device import devices

A, B = "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
PACKET = Ipv4("10.0.0.1", "10.0.0.2", UDP).octets(Udp(5, 6).octets("10.0.0.1", "10.0.0.2", b"x" * 72))


def mac(text: str) -> int:
    """As rows hold it."""
    return int(text.replace(":", ""), 16)


def test_counts_by_hand() -> None:
    frames = [
        ethernet(B, A, IPV4, PACKET),
        ethernet(A, B, IPV4, PACKET),
        ethernet(B, A, IPV4, PACKET),
        ethernet(BROADCAST, A, IPV4, PACKET),
        arp.request((A, "10.0.0.1"), "10.0.0.2"),
        ethernet(B, A, IPV4, b"\x45"),  # total length 0 over zeros: a header, so it is metered
        ethernet(B, A, IPV4, b"\x46", pad=False),  # cut short: ignored, counts for nobody
    ]
    table = devices(decode(frame, time_ns=i) for i, frame in enumerate(frames))
    a, b = table[mac(A)], table[mac(B)]
    assert (a.tx_packets, a.tx_octets, a.rx_packets, a.rx_octets) == (5, 3 * 114 + 2 * 60, 1, 114)
    assert (b.tx_packets, b.rx_packets, b.rx_octets) == (1, 3, 2 * 114 + 60)
    assert (a.group_packets, a.arp_requests, a.first_ns, a.last_ns) == (2, 1, 0, 5)
    assert set(table) == {mac(A), mac(B)}


def test_odd_sources() -> None:
    frames = [ethernet(B, mac, IPV4, PACKET) for mac in ("03:00:00:00:00:01", "da:a1:19:00:00:01", "00:00:00:00:00:00")]
    table = devices(decode(frame) for frame in frames)
    assert table[mac("03:00:00:00:00:01")].flags == DeviceFlag.GROUP_SOURCE
    assert table[mac("da:a1:19:00:00:01")].flags == DeviceFlag.RANDOM_MAC
    assert 0 not in table
    assert table[mac(B)].rx_packets == 3


def test_without_macs_the_address_is_the_name() -> None:
    table = devices([decode(PACKET, link=101)])
    assert {name[1] & 0xFFFFFFFF for name in table if isinstance(name, tuple)} == {0x0A000001, 0x0A000002}
