"""Transports and tunnels: what is told when headers are cut or lie, and which packet a tunnel's row tells of."""

import pytest

from agent.packets.records import HintKind, PacketFlag, Verdict
from tests.forge import arp, icmp, tunnels
from tests.forge.ipv4 import GRE, ICMP, IPIP, SCTP, TCP, UDP, Ipv4
from tests.forge.tcp import SYN, Tcp, mss
from tests.forge.udp import Udp
from tests.naive.frames import A4, B4, C4, D4, TCP4, TCP6, A, eth, inner, over_udp
from tests.packets.test_walk_link import row

OUTSIDE = 0xFFFF_AC10_0101
INSIDE = 0xFFFF_0A01_0005


def test_tcp_cut_at_every_field() -> None:
    frame = eth(Ipv4(A4, B4, TCP).octets(Tcp(50000, 104, 7, 8, SYN, 512, options=mss(9)).octets(A4, B4, b"data")))
    names = ("src_port", "tcp_seq", "tcp_flags", "tcp_window")
    told = {size: tuple(row(frame[: 34 + size], wirelen=len(frame))[name] for name in names) for size in range(25)}
    assert told[3] == (0, 0, 0, 0)
    assert told[4] == told[13] == (50000, 0, 0, 0)
    assert told[14] == told[19] == (50000, 0, SYN, 0)
    assert told[20] == told[24] == (50000, 7, SYN, 512)
    assert row(frame)["payload_octets"] == 4


@pytest.mark.parametrize(("offset", "payload"), [(0, 0), (4, 0), (5, 7), (6, 3), (7, 0), (15, 0)])
def test_tcp_data_offsets(offset: int, payload: int) -> None:
    told = row(eth(Ipv4(A4, B4, TCP).octets(Tcp(1, 2, data_offset=offset).octets(A4, B4, b"payload"))))
    assert (told["verdict"], told["payload_octets"], told["src_port"]) == (0, payload if offset < 7 else 0, 1)


@pytest.mark.parametrize(("length", "payload"), [(0, 30), (7, 0), (8, 0), (20, 12), (38, 30), (39, 0), (0xFFFF, 0)])
def test_udp_lengths(length: int, payload: int) -> None:
    told = row(eth(Ipv4(A4, B4, UDP).octets(Udp(5, 6, length=length).octets(A4, B4, b"x" * 30))))
    assert (told["payload_octets"], told["payload_caplen"], told["dst_port"]) == (payload, payload, 6)


def test_icmp_type_and_code() -> None:
    told = row(eth(Ipv4(A4, B4, ICMP).octets(icmp.unreachable(3, TCP4))))
    assert (told["src_port"], told["dst_port"]) == (0x0303, 0)
    assert told["flags"] == PacketFlag.PORTS
    assert not row(eth(Ipv4(A4, B4, ICMP).octets(b"\x08")))["flags"]


def test_sctp_cut_at_every_field() -> None:
    frame = eth(Ipv4(A4, B4, SCTP).octets(bytes.fromhex("0007005000000001a1b2c3d4") + b"chunk"))
    names = ("src_port", "dst_port", "l4_checksum", "flags")
    told = {size: tuple(row(frame[: 34 + size], wirelen=len(frame))[name] for name in names) for size in range(13)}
    assert told[3] == (0, 0, 0, PacketFlag.CUT)
    assert told[4] == told[11] == (7, 80, 0, PacketFlag.CUT | PacketFlag.PORTS)
    assert told[12] == (7, 80, 0xC3D4, PacketFlag.CUT | PacketFlag.PORTS)
    assert row(frame)["payload_octets"] == 5


TUNNELS = [
    ("ipip", eth(inner(1))),
    ("ip4-in-gre", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(0x0800, TCP4, key=7, sequence=1, check=True)))),
    ("ethernet-in-gre", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(0x6558, eth(TCP4))))),
    ("vxlan", over_udp(4789, tunnels.vxlan(5, eth(TCP4)))),
    ("vxlan-group-policy", over_udp(4789, b"\x88\x08" + tunnels.vxlan(5, eth(TCP4))[2:])),
    ("geneve", over_udp(6081, tunnels.geneve(5, 0x6558, eth(TCP4), options=b"\0\1\0\0"))),
    ("capwap", over_udp(5247, tunnels.capwap(eth(TCP4), words=4))),
]


@pytest.mark.parametrize(("name", "frame"), TUNNELS)
def test_the_inside_is_told(name: str, frame: bytes) -> None:
    told = row(frame)
    assert (told["src_lo"], told["dst_port"], told["l3_octets"], told["payload_octets"]) == (INSIDE, 104, 47, 7), name
    assert (told["tunnels"], told["flags"]) == (1, PacketFlag.TUNNELLED | PacketFlag.PORTS)
    assert told["src_mac"] == int(A.replace(":", ""), 16), "the frame's own"


def wireless(
    *, qos: bool = False, four: bool = False, kind: int = 2, snap: bytes = b"\xaa\xaa\x03\0\0\0\x08\0"
) -> bytes:
    """An 802.11 frame around a packet."""
    head = bytes([kind << 2 | (0x80 if qos else 0), 3 if four else 1]) + bytes(22)
    return head + b"\0" * (6 if four else 0) + b"\0" * (2 if qos else 0) + snap + TCP4


@pytest.mark.parametrize("qos", [False, True])
@pytest.mark.parametrize("four", [False, True])
def test_wireless_frames_behind_a_controller(*, qos: bool, four: bool) -> None:
    told = row(over_udp(5247, tunnels.capwap(wireless(qos=qos, four=four), native=True)))
    assert (told["src_lo"], told["dst_port"]) == (INSIDE, 104)


NOT_ENTERED = [
    ("vxlan without its flag", over_udp(4789, b"\0" * 8 + eth(TCP4))),
    ("vxlan cut", over_udp(4789, tunnels.vxlan(5, eth(TCP4)[:13]))),
    ("erspan", eth(Ipv4(C4, D4, GRE).octets(tunnels.gre(tunnels.ERSPAN, eth(TCP4), sequence=1)))),
    ("pptp", eth(Ipv4(C4, D4, GRE).octets(b"\x30\x01\x88\x0b" + TCP4))),
    ("capwap header of one word", over_udp(5247, b"\0\x08\x02\0" + eth(TCP4))),
    ("capwap fragment", over_udp(5247, b"\0\x10\x42\x80\0\0\0\0" + eth(TCP4))),
    ("capwap management frame", over_udp(5247, tunnels.capwap(wireless(kind=0), native=True))),
    ("capwap without snap", over_udp(5247, tunnels.capwap(wireless(snap=b"\x42" * 8), native=True))),
    ("teredo around nothing", over_udp(3544, b"\x60" + bytes(38))),
    ("arp inside", over_udp(4789, tunnels.vxlan(5, arp.request((A, A4), B4)))),
    ("garbage inside", over_udp(4789, tunnels.vxlan(5, eth(b"\x4f" * 40)))),
    ("version 5 inside", eth(Ipv4(C4, D4, 4).octets(b"\x55" + TCP4[1:]))),
    ("nothing inside", eth(Ipv4(C4, D4, 4).octets(b""))),
]


@pytest.mark.parametrize(("name", "frame"), NOT_ENTERED)
def test_the_outside_is_metered_where_nothing_inside_is(name: str, frame: bytes) -> None:
    """Garbage on a tunnel's port is no way past the meter."""
    told = row(frame)
    assert (told["verdict"], told["src_lo"], told["tunnels"]) == (0, OUTSIDE, 0), name
    assert not told["flags"] & PacketFlag.TUNNELLED
    assert told["l3_octets"] > 20 or name == "nothing inside"


def test_four_deep_and_no_deeper() -> None:
    assert row(eth(inner(4)))["tunnels"] == 4
    assert row(eth(inner(5)))["verdict"] == Verdict.TOO_DEEP


def test_a_tunnel_under_dtls_is_metered_itself() -> None:
    under_dtls = row(over_udp(5247, tunnels.capwap_dtls(b"\x17\xfe\xfd" + b"s" * 40)))
    assert (under_dtls["verdict"], under_dtls["dst_port"], under_dtls["tunnels"]) == (Verdict.METERED, 5247, 0)
    assert row(over_udp(5247, b"\x11\0\0\0" + b"s" * 40))["verdict"] == Verdict.METERED, "another version of the header"
    assert row(over_udp(5247, b"\x01\0\0"))["verdict"] == Verdict.METERED


@pytest.mark.parametrize("options", [{}, {"origin": True}, {"origin": True, "authentication": True}])
def test_teredo(options: dict[str, bool]) -> None:
    told = row(over_udp(3544, tunnels.teredo(TCP6, **options)))
    assert (told["ip_version"], told["dst_port"], told["tunnels"]) == (6, 2575, 1)


def test_fragments_of_a_tunnel_are_not_walked_into() -> None:
    pieces = list(Ipv4(C4, D4, 4, ident=5).fragments(TCP4 + bytes(40), 64))
    assert [row(eth(piece))["src_lo"] for piece in pieces] == [OUTSIDE] * len(pieces)


@pytest.mark.parametrize("offset", range(16))
def test_offsets_that_lie_are_shapes_of_attacks(offset: int) -> None:
    told = row(eth(Ipv4(A4, B4, TCP).octets(Tcp(1, 2, data_offset=offset).octets(A4, B4, b"payload"))))
    assert told["hint"] == (0 if offset in {5, 6} else HintKind.LENGTH_LIE)


@pytest.mark.parametrize(("length", "hint"), [(0, 0), (7, 1), (8, 0), (20, 0), (38, 0), (39, 1), (0xFFFF, 1)])
def test_udp_lengths_that_lie_are_too(length: int, hint: int) -> None:
    told = row(eth(Ipv4(A4, B4, UDP).octets(Udp(5, 6, length=length).octets(A4, B4, b"x" * 30))))
    assert told["hint"] == hint * HintKind.LENGTH_LIE


@pytest.mark.parametrize(
    ("protocol", "size", "hint"),
    [
        (TCP, 8, HintKind.TINY_FRAGMENT),
        (TCP, 16, HintKind.TINY_FRAGMENT),
        (TCP, 24, 0),
        (UDP, 8, 0),
        (IPIP, 24, HintKind.TUNNEL_FRAGMENT),
        (GRE, 24, 0),
    ],
)
def test_first_fragments(protocol: int, size: int, hint: int) -> None:
    body = Tcp(1, 2).octets(A4, B4, b"x" * 40)
    first = next(Ipv4(A4, B4, protocol).fragments(body, size))
    assert row(eth(first))["hint"] == hint


def test_a_segment_shorter_than_its_header() -> None:
    segment = Tcp(1, 2).octets(A4, B4)
    assert row(eth(Ipv4(A4, B4, TCP).octets(segment[:12])))["hint"] == HintKind.LENGTH_LIE
    whole = eth(Ipv4(A4, B4, TCP).octets(segment))
    assert row(whole[:46], wirelen=len(whole))["hint"] == 0, "cut by the capture"
