"""Attribution: totals against the slow twin, who is promoted, who keeps a place, whose an address is."""

import gzip
from pathlib import Path
from random import Random

import numpy as np
import pytest

from agent.devices import kernels
from agent.devices.records import ADDRESSES_MAX, DeviceFlag, FanKind
from agent.devices.table import CONFIRM_NS, site_rows
from agent.packets.records import Rows
from agent.tap.replay import ReplaySource
from tests.conftest import ROOT
from tests.devices.bench import GATEWAY, Bench, hello, small
from tests.flows.talks import HOSTS, HOSTS6, START_S, Talk, random_frames
from tests.forge import arp, dhcp, icmp
from tests.forge.ethernet import IPV4, IPV6, ethernet, lldp, stp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.ipv6 import ICMPV6, Ipv6
from tests.forge.octets import BROADCAST, ip
from tests.forge.pcap import RAW, Frame
from tests.forge.udp import Udp
from tests.naive.device import devices as twin
from tests.simulators.bursts import HASHES, THIN, as_dicts, decode, rows_of

pytestmark = HASHES
S = 1_000_000_000
NONE = site_rows(())


def frame(octets: bytes, at_s: float = 0) -> Frame:
    """At a time after the start."""
    return Frame(round((START_S + at_s) * S), octets)


def datagram(source: str, target: str, size: int = 4) -> bytes:
    """An IPv4 datagram."""
    return Ipv4(source, target, UDP).octets(Udp(5, 6).octets(source, target, b"x" * size))


def agree(rows: Rows, bench: Bench) -> None:
    """What each device of the table sent (and received, for those that spoke first) is what the twin counted."""
    told = twin(as_dicts(rows))
    for mac, device in told.items():
        if not isinstance(mac, int) or not device.tx_packets:
            continue
        row = bench.table.devices[bench.table._macs == mac][0]
        for name in ("tx_packets", "tx_octets", "group_packets", "arp_requests"):
            assert int(row[name]) == getattr(device, name), f"{mac:x} {name}"
        assert row["flags"] & (DeviceFlag.GROUP_SOURCE | DeviceFlag.RANDOM_MAC) == device.flags
        assert row["rx_packets"] <= device.rx_packets
    spoke = {mac for mac, device in told.items() if device.tx_packets}
    assert set(map(int, bench.table._macs[bench.table._macs != 0])) == spoke
    assert bench.table.attributed == sum(device.tx_packets for device in told.values())


def test_totals_of_random_talks() -> None:
    greetings = [frame(arp.gratuitous((mac, address))) for address, mac in HOSTS]
    greetings += [frame(ethernet(BROADCAST, mac, 0x88B5, b"hello")) for _, mac in HOSTS6]
    frames = greetings + random_frames(Random(6), 2000 // THIN, 0.1)
    rows = rows_of(frames)
    bench = Bench().hear(frames)
    agree(rows, bench)
    for mac, device in twin(as_dicts(rows)).items():  # everybody spoke first, so received frames are exact too
        row = bench.table.devices[bench.table._macs == mac][0]
        assert (int(row["rx_packets"]), int(row["rx_octets"])) == (device.rx_packets, device.rx_octets)
        assert (int(row["first_ns"]), int(row["last_ns"])) == (device.first_ns, row["last_ns"])


def test_totals_of_the_recorded_ward(tmp_path: Path) -> None:
    path = tmp_path / "ward.pcap"
    path.write_bytes(gzip.decompress((ROOT / "tests" / "captures" / "ward.pcap.gz").read_bytes())[: (1 << 20) // THIN])
    source, bench, parts = ReplaySource([path]), Bench(), []
    while (burst := source.next_burst()) is not None:
        if burst.count:
            rows = decode(burst)
            bench.table.attribute(rows, len(rows))
            parts.append(rows)
    source.close()
    agree(np.concatenate(parts), bench)
    assert len(parts) > 0


@pytest.mark.parametrize(
    ("octets", "frames"),
    [
        (ethernet(HOSTS[1][1], HOSTS[0][1], IPV4, datagram("10.1.0.1", "10.1.0.2")), 3),
        (arp.gratuitous((HOSTS[0][1], "10.1.0.1")), 1),
        (lldp(HOSTS[0][1], "1", "sw", "text"), 1),
        (stp(HOSTS[0][1], HOSTS[0][1]), 1),
    ],
)
def test_when_somebody_is_called_a_device(octets: bytes, frames: int) -> None:
    bench = Bench()
    for count in range(1, frames + 1):
        bench.hear([frame(octets, count)])
        assert bench.promoted(HOSTS[0][1]) == (count == frames)
    assert bench.table.take_promoted().tolist() == [bench.slot(HOSTS[0][1])]
    assert not len(bench.hear([frame(octets, 10)] * 5).table.take_promoted()), "told once"


def test_an_answer_promotes() -> None:
    (first, second) = HOSTS[:2]
    talk = Talk((first, second))
    talk.udp(0)
    talk.udp(0, back=True)
    bench = Bench().hear(talk.frames)
    assert bench.promoted(first[1])
    assert not bench.promoted(second[1]), "one frame is not enough"


def test_dhcp_promotes_at_once() -> None:
    """Its application is set by the step after decoding, so the row says so here."""
    octets = Udp(68, 67).octets("0.0.0.0", "255.255.255.255", dhcp.Dhcp(dhcp.DISCOVER, HOSTS[0][1], 5).octets())
    rows = rows_of(
        [frame(ethernet(BROADCAST, HOSTS[0][1], IPV4, Ipv4("0.0.0.0", "255.255.255.255", UDP).octets(octets)))]
    )
    rows["application"] = 2
    bench = Bench()
    bench.table.attribute(rows, 1)
    assert bench.promoted(HOSTS[0][1])
    assert bench.device(HOSTS[0][1])["address_count"] == 0, "0.0.0.0 is nobody's"


def test_the_unspecified_address_is_nobodys() -> None:
    """RFC 4862, 5.4.2: a host asks from `::` whether somebody has the address that it would like."""
    asks = icmp.solicitation("::", "ff02::1:ff00:7", "fe80::7", HOSTS[0][1])
    probe = Ipv6("::", "ff02::1:ff00:7", ICMPV6).octets(asks)
    own = Ipv6("fe80::7", "ff02::2", ICMPV6).octets(icmp.icmpv6("fe80::7", "ff02::2", 133, 0, bytes(4)))
    bench = Bench().hear(
        [frame(ethernet("33:33:ff:00:00:07", HOSTS[0][1], IPV6, packet), n) for n, packet in enumerate((probe, own))]
    )
    assert bench.table.addresses(bench.slot(HOSTS[0][1])) == [(0xFE80 << 48, 7)]


def test_flood_of_invented_macs_takes_no_real_device() -> None:
    real = [hello(end, 0) for end in HOSTS]
    rng = Random(8)
    flood = [
        frame(ethernet(HOSTS[0][1], rng.randbytes(6).hex(":"), IPV4, datagram("10.1.0.9", "10.1.0.1")), 1)
        for _ in range(4000 // THIN)
    ]
    bench = Bench(small(devices=64)).hear(real + flood)
    for _, mac in HOSTS:
        assert bench.promoted(mac)
    counts = bench.table.counts
    assert counts[kernels.EVICTED] > 100 // THIN
    assert counts[kernels.ATTRIBUTED] == len(real) + len(flood)
    assert bench.table.conserved()


def strangers(count: int, at_s: float, seed: int = 8) -> list[Frame]:
    """A frame each from cards that do not exist, within a tenth of a second."""
    rng = Random(seed)
    packet = datagram("10.1.0.9", "10.1.0.1")
    return [
        frame(ethernet(HOSTS[0][1], "00:50:" + rng.randbytes(4).hex(":"), IPV4, packet), at_s + n / count / 10)
        for n in range(count)
    ]


def test_a_rush_of_strangers_is_turned_away() -> None:
    rush = kernels.STRANGERS_MAX + 300
    bench = Bench(small(devices=64)).hear(strangers(rush, 1))
    counts = bench.table.counts
    assert counts[kernels.EVICTED] == kernels.STRANGERS_MAX
    assert counts[kernels.UNPLACED] == rush - kernels.STRANGERS_MAX - 64, "the first found free slots"
    assert bench.table.conserved()
    bench.hear(strangers(10, 2, seed=9))
    assert counts[kernels.EVICTED] == kernels.STRANGERS_MAX + 10, "the next second is another"


def test_who_announces_itself_or_comes_twice_finds_a_place_in_a_rush() -> None:
    full = strangers(kernels.STRANGERS_MAX + 300, 1)
    bench = Bench(small(devices=64)).hear(full)
    newcomers = ["00:d0:75:00:07:01", "00:d0:75:00:07:02"]
    bench.hear([frame(arp.gratuitous((newcomers[0], "10.1.0.7")), 1.5)])
    assert bench.promoted(newcomers[0])
    word = ethernet(HOSTS[0][1], newcomers[1], IPV4, datagram("10.1.0.8", "10.1.0.1"))
    bench.hear([frame(word, 1.6)])
    assert bench.slot(newcomers[1]) < 0
    bench.hear([frame(word, 1.7)])
    assert bench.device(newcomers[1])["tx_packets"] == 1
    assert bench.table.conserved()


def test_full_sets_of_real_devices_are_counted_as_unplaced() -> None:
    frames = [frame(arp.gratuitous((f"00:d0:75:00:{n >> 8:02x}:{n & 255:02x}", "10.1.0.1"))) for n in range(400)]
    bench = Bench(small(devices=64)).hear(frames)
    counts = bench.table.counts
    assert counts[kernels.IN_TABLE] == 64
    assert counts[kernels.UNPLACED] == 400 - 64
    assert counts[kernels.EVICTED] == 0


def test_a_device_that_said_one_word_gives_its_slot_within_the_minute_and_one_that_spoke_keeps_it() -> None:
    real = [frame(arp.gratuitous((f"00:d0:75:00:00:{n:02x}", f"10.1.0.{n}")), i) for i in range(4) for n in range(8)]
    flood = [frame(arp.gratuitous((f"00:d0:75:01:{n >> 8:02x}:{n & 255:02x}", "10.9.0.1")), 5) for n in range(400)]
    bench = Bench(small(devices=64)).hear(real + flood)
    assert bench.table.counts[kernels.EVICTED] == 0, "nobody's silence has lasted"
    late = [frame(arp.gratuitous((f"00:d0:75:02:{n >> 8:02x}:{n & 255:02x}", "10.9.0.2")), 60) for n in range(400)]
    bench.hear(late)
    assert bench.table.counts[kernels.EVICTED] == 64 - 8
    assert all(bench.promoted(f"00:d0:75:00:00:{n:02x}") for n in range(8))
    assert bench.table.conserved()


def test_a_device_that_left_a_day_ago_gives_its_slot() -> None:
    old = [frame(arp.gratuitous((f"00:d0:75:00:00:{n:02x}", "10.1.0.1"))) for n in range(200)]
    bench = Bench(small(devices=64)).hear(old)
    late = [frame(arp.gratuitous((f"00:d0:75:00:01:{n:02x}", "10.1.0.1")), 25 * 3600) for n in range(200)]
    bench.hear(late)
    assert bench.table.counts[kernels.EVICTED] == 64
    assert bench.table.conserved()


def test_the_mac_zero_is_nobody() -> None:
    nobody = "00:00:00:00:00:00"
    frames = [frame(ethernet(HOSTS[0][1], nobody, IPV4, datagram("10.1.0.9", "10.1.0.1"))) for _ in range(5)]
    frames += [frame(arp.request((nobody, "10.1.0.9"), f"10.1.0.{n}")) for n in range(100)]
    frames += [frame(ethernet(nobody, HOSTS[0][1], IPV4, datagram("10.1.0.1", "10.1.0.9")))]
    bench = Bench().hear(frames)
    assert bench.table.counts[kernels.UNPLACED] == 105
    assert bench.table.counts[kernels.IN_TABLE] == 1
    assert not len(bench.table.take_fans())
    fans = bench.table._fans
    assert not (fans["used"] & (fans["kind"] == FanKind.ARP)).any(), "a scan of nobody is no device's"


@pytest.mark.parametrize(
    ("mac", "flags"),
    [
        ("02:00:00:00:00:01", 2),
        ("da:a1:19:00:00:01", 2),
        ("01:00:5e:00:00:01", 16),
        ("03:00:00:00:00:01", 18),
        ("00:d0:75:00:00:01", 0),
    ],
)
def test_odd_macs(mac: str, flags: int) -> None:
    bench = Bench().hear([frame(ethernet(HOSTS[1][1], mac, IPV4, datagram("10.1.0.1", "10.1.0.2")))])
    assert bench.device(mac)["flags"] == flags


def test_links_without_macs_have_devices_by_address() -> None:
    octets = [datagram("10.1.0.1", "10.1.0.2"), datagram("10.1.0.2", "10.1.0.1"), datagram("10.1.0.1", "10.1.0.3")]
    bench = Bench().hear([frame(packet, n) for n, packet in enumerate(octets)], link=RAW)
    macs = bench.table._macs[bench.table._macs != 0]
    assert len(macs) == 2, "10.1.0.3 never spoke"
    assert all(int(mac) >> 63 for mac in macs)
    rows = bench.table.devices[bench.table._macs != 0]
    assert all(row["flags"] & DeviceFlag.NO_MAC for row in rows)
    assert sorted(int(row["address_lo"][0]) & 0xFF for row in rows) == [1, 2]
    assert sorted(rows["rx_packets"].tolist()) == [0, 1]
    assert bench.table.conserved()


def test_a_frame_without_mac_and_address_is_nobody_s() -> None:
    bench = Bench().hear([frame(b"\x07\0\0\0something", n) for n in range(5)], link=0)
    assert bench.table.counts[kernels.UNPLACED] == bench.table.attributed == 5
    assert not bench.table._macs.any()


def test_gateway_speaks_for_others() -> None:
    frames = [frame(arp.gratuitous((GATEWAY[1], GATEWAY[0])))]
    frames += [
        frame(ethernet(HOSTS[0][1], GATEWAY[1], IPV4, datagram(f"203.0.113.{n}", "10.1.0.1"))) for n in range(1, 9)
    ]
    bench = Bench().hear(frames)
    device = bench.device(GATEWAY[1])
    assert device["flags"] & DeviceFlag.GATEWAY
    (own,) = bench.table.addresses(bench.slot(GATEWAY[1]))
    assert own[1] & 0xFFFFFFFF == int.from_bytes(ip(GATEWAY[0]))


def test_a_gateway_of_old_is_one_from_its_first_frame_on() -> None:
    first = [frame(ethernet(HOSTS[0][1], GATEWAY[1], IPV4, datagram("203.0.113.1", "10.1.0.1")))]
    bench = Bench()
    bench.table.expect_gateways([int(GATEWAY[1].replace(":", ""), 16), 7])
    before = bench.table.gateways_changed()
    bench.hear(first)
    device = bench.device(GATEWAY[1])
    assert device["flags"] & DeviceFlag.GATEWAY
    assert device["address_count"] == 0, "what it forwards is not its own"
    assert bench.table.gateways_changed() != before
    plain = Bench().hear(first).device(GATEWAY[1])
    assert (plain["flags"] & DeviceFlag.GATEWAY, plain["address_count"]) == (0, 1), "nobody would know after one frame"


@pytest.mark.parametrize(("hosts", "minutes"), [(1, 1), (2, 60), (4, 60), (8, 0)])
def test_a_gateway_of_old_is_one_no_longer_than_it_shows(hosts: int, minutes: int) -> None:
    """Somebody may have made a pump look like one, or it had two addresses: nothing would be said of it for ever."""
    frames = [
        frame(ethernet(HOSTS[0][1], GATEWAY[1], IPV4, datagram(f"203.0.113.{n % hosts}", "10.1.0.1"))) for n in range(8)
    ]
    bench = Bench()
    bench.table.expect_gateways([int(GATEWAY[1].replace(":", ""), 16)])
    bench.hear(frames)
    told = []
    for minute in range(70):
        before = bench.table.gateways_changed()
        bench.table.confirm_gateways(START_S * S + minute * CONFIRM_NS)
        is_gateway = bool(bench.device(GATEWAY[1])["flags"] & DeviceFlag.GATEWAY)
        assert is_gateway == (not minutes or minute < minutes)
        told += [minute] * (bench.table.gateways_changed() != before)
    assert told == [minutes] * bool(minutes)


def test_gateway_to_the_site_only_is_a_gateway_too() -> None:
    frames = [frame(ethernet(HOSTS[0][1], GATEWAY[1], IPV4, datagram(f"10.9.{n}.1", "10.1.0.1"))) for n in range(40)]
    bench = Bench().hear(frames)
    assert bench.device(GATEWAY[1])["flags"] & DeviceFlag.GATEWAY
    assert bench.device(GATEWAY[1])["address_count"] == 0, "none of them was claimed"


def test_a_host_with_several_addresses_is_no_gateway() -> None:
    mac = HOSTS[0][1]
    frames = [frame(ethernet(HOSTS[1][1], mac, IPV4, datagram(f"10.1.0.{n}", "10.1.0.9"))) for n in range(1, 4)]
    frames += [
        frame(
            ethernet(
                "33:33:00:00:00:01",
                mac,
                IPV6,
                Ipv6(f"fe80::{n:x}", "ff02::1", ICMPV6).octets(icmp.icmpv6(f"fe80::{n:x}", "ff02::1", 128, 0, b"1234")),
            )
        )
        for n in range(1, 40)
    ]
    bench = Bench().hear(frames)
    assert not bench.device(mac)["flags"] & DeviceFlag.GATEWAY
    assert bench.device(mac)["address_count"] == ADDRESSES_MAX


def test_a_claim_by_arp_replaces_what_was_only_sent_from() -> None:
    mac = HOSTS[0][1]
    frames = [frame(ethernet(HOSTS[1][1], mac, IPV4, datagram(f"10.1.0.{n}", "10.1.0.9"))) for n in range(1, 5)]
    frames += [frame(arp.gratuitous((mac, "10.1.0.77")))]
    bench = Bench().hear(frames)
    assert [lo & 0xFF for _, lo in bench.table.addresses(bench.slot(mac))] == [1, 2, 3, 77]
    assert bench.device(mac)["claimed"] == 8


def test_an_arp_probe_claims_nothing() -> None:
    bench = Bench().hear([frame(arp.request((HOSTS[0][1], "0.0.0.0"), "10.1.0.7"))])
    assert bench.device(HOSTS[0][1])["address_count"] == 0
    assert bench.device(HOSTS[0][1])["arp_requests"] == 1


def test_inside_a_tunnel_is_no_address_of_the_sender() -> None:
    packet = Ipv4("10.1.0.1", "10.1.0.2", 4).octets(datagram("172.16.0.1", "172.16.0.2"))
    bench = Bench().hear([frame(ethernet(HOSTS[1][1], HOSTS[0][1], IPV4, packet))])
    assert bench.device(HOSTS[0][1])["address_count"] == 0
