"""Later fragments find their first part's ports, within a window and a bound, and never another datagram's."""

from random import Random

import numpy as np
import pytest

from agent.flows.cache import FlowCache, FlowLimits
from agent.packets import kernels_fragments as fragments
from agent.packets.decoder import Decoder
from agent.packets.records import PacketFlag, Rows
from tests.forge import icmp, ipv6
from tests.forge.ethernet import IPV4, IPV6, VLAN, ethernet, tagged
from tests.forge.ipv4 import ICMP, TCP, UDP, Ipv4
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES, SECRET, THIN, Heard, burst_of

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
A6, B6 = "fd00::5", "fd00::9"
S = 1_000_000_000


def datagram(ident: int = 7, ports: tuple[int, int] = (50000, 514), vlan: int = 0, size: int = 4000) -> list[bytes]:
    """The frames of one fragmented UDP datagram."""
    whole = Udp(*ports).octets(A, B, b"x" * size)
    parts = []
    for packet in Ipv4(A, B, UDP, ident=ident).fragments(whole, 1400):
        kind, body = tagged([(VLAN, vlan)], IPV4, packet) if vlan else (IPV4, packet)
        parts.append(ethernet(BM, AM, kind, body))
    return parts


def taken(*heard: tuple[float, bytes], decoder: Decoder | None = None) -> Rows:
    """Rows after the decoder; times in seconds."""
    burst = burst_of(Heard(octets, time_ns=round(at_s * S)) for at_s, octets in heard)
    one = decoder or Decoder()
    decoded = one.decode(burst, one.buffer())
    rows: Rows = decoded.rows[: decoded.count]
    return rows


def ports(rows: Rows) -> list[tuple[int, int]]:
    return list(zip(rows["src_port"].tolist(), rows["dst_port"].tolist(), strict=True))


def test_all_parts_of_a_datagram_are_one_flow() -> None:
    rows = taken(*((0.001 * n, part) for n, part in enumerate(datagram())))
    assert ports(rows) == [(50000, 514)] * 3
    assert (rows["flags"] & PacketFlag.PORTS != 0).all()
    assert rows["payload_octets"].sum() == 4000, "header once, then data"
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    list(cache.meter(rows, len(rows)))
    (record,) = next(cache.expire(0, forced=True))
    assert (record["forward_packets"], record["forward_octets"]) == (3, 4000 + 8 + 3 * 20)


def test_parts_in_another_burst_are_joined() -> None:
    decoder, parts = Decoder(), datagram()
    taken((0, parts[0]), decoder=decoder)
    assert ports(taken((29, parts[1]), (30, parts[2]), decoder=decoder)) == [(50000, 514)] * 2
    assert ports(taken((31, parts[1]), decoder=decoder)) == [(0, 0)], "too late"


def test_parts_before_the_first_stay_by_themselves() -> None:
    parts = datagram()
    assert ports(taken((0, parts[1]), (1, parts[0]), (2, parts[2]))) == [(0, 0), (50000, 514), (50000, 514)]


@pytest.mark.parametrize("other", [{"ident": 8}, {"vlan": 5}])
def test_another_datagram_s_ports_are_not_taken(other: dict[str, int]) -> None:
    first, strange = datagram()[0], datagram(**other)[1]
    assert ports(taken((0, first), (1, strange)))[1] == (0, 0)


def test_equal_parts_of_one_datagram_are_no_mirror_s_copies() -> None:
    rows = taken(*((0, part) for part in datagram(size=1400 * 4)))
    assert len(set(rows["verdict"].tolist())) == 1


@pytest.mark.parametrize("protocol", [TCP, ICMP])
def test_other_protocols(protocol: int) -> None:
    segment = Tcp(50000, 104, flags=24).octets(A, B, b"y" * 3000)
    whole = segment if protocol == TCP else icmp.icmp(8, 0, b"\0\1\0\1" + b"y" * 3000)
    frames = [ethernet(BM, AM, IPV4, packet) for packet in Ipv4(A, B, protocol, ident=9).fragments(whole, 1400)]
    rows = taken(*((0.01 * n, frame) for n, frame in enumerate(frames)))
    assert len(set(ports(rows))) == 1
    cache = FlowCache(FlowLimits(slots_max=64), SECRET)
    list(cache.meter(rows, len(rows)))
    (records,) = list(cache.expire(0, forced=True))
    assert records["forward_packets"].tolist() == [3]
    assert records["forward_resent"].tolist() == [0]


def test_ipv6_by_the_fragment_header() -> None:
    whole = Udp(50000, 514).octets(A6, B6, b"z" * 3000)
    frames = [
        ethernet(BM, AM, IPV6, ipv6.Ipv6(A6, B6, 44).octets(part))
        for part in ipv6.fragments(UDP, whole, 1400, ident=77)
    ]
    rows = taken(*((0.01 * n, frame) for n, frame in enumerate(frames)))
    assert ports(rows) == [(50000, 514)] * 3
    strange = ethernet(BM, AM, IPV6, ipv6.Ipv6(A6, B6, 44).octets(list(ipv6.fragments(UDP, whole, 1400, ident=78))[1]))
    assert ports(taken((0, frames[0]), (0.1, strange)))[1] == (0, 0)


def slowly(rows: Rows) -> list[tuple[int, int]]:
    """A twin with a dictionary and no bounds."""
    known: dict[tuple[int, ...], tuple[int, tuple[int, int]]] = {}
    told = []
    for row in rows:
        names = ("src_hi", "src_lo", "dst_hi", "dst_lo", "ip_id", "protocol", "vlan", "vlan_inner")
        key, now = tuple(int(row[name]) for name in names), int(row["time_ns"])
        has = int(row["src_port"]), int(row["dst_port"])
        if row["flags"] & PacketFlag.FIRST_FRAGMENT:
            known[key] = now, has
        elif row["flags"] & PacketFlag.FRAGMENT and key in known and now - known[key][0] <= fragments.WINDOW_NS:
            has = known[key][1]
        told.append(has)
    return told


def test_random_parts_against_the_twin() -> None:
    dice = Random(4)
    parts = [part for ident in range(60 // THIN) for part in datagram(ident + 1, (40000 + ident, 514))]
    heard = [(dice.random() * 60, dice.choice(parts)) for _ in range(1000 // THIN)]
    heard.sort()
    decoder = Decoder()
    plain = taken(*heard, decoder=decoder).copy()
    later = plain["flags"] & (PacketFlag.FRAGMENT | PacketFlag.FIRST_FRAGMENT) == PacketFlag.FRAGMENT
    before = plain.copy()
    before["src_port"][later] = before["dst_port"][later] = 0
    assert ports(plain) == slowly(before)


def test_a_flood_of_first_parts_takes_no_more_room() -> None:
    table = np.zeros((fragments.SLOTS, fragments.WORDS), np.uint64)
    rows = taken(*((0, part) for part in datagram()[:2]))
    flood = np.repeat(rows[:1], 20_000 // THIN)
    flood["src_lo"] = np.arange(len(flood), dtype=np.uint64)
    assert fragments.join_fragments(flood, len(flood), table) == 0
    assert fragments.join_fragments(rows, 2, table) == 1, "and an honest datagram is still joined"
