"""IP headers: lengths that lie or are not there, fragments, extension headers, by hand."""

import pytest

from agent.packets.records import HintKind, PacketFlag, Verdict
from tests.forge import ipv6
from tests.forge.ethernet import IPV6
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.ipv6 import DESTINATION, FRAGMENT, HOP_BY_HOP, ROUTING, Ipv6
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.naive.frames import A4, A6, B4, B6, eth
from tests.packets.test_walk_link import row

SEGMENT = Tcp(50000, 104).octets(A4, B4, b"payload")
SEGMENT6 = Tcp(50000, 104).octets(A6, B6, b"payload")


def four(**fields: int) -> bytes:
    """An IPv4 frame with fields that lie."""
    return eth(Ipv4(A4, B4, TCP, **fields).octets(SEGMENT))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, 0),
        ({"version": 5}, 4),
        ({"ihl": 4}, 4),
        ({"total": 19}, 4),
        ({"total": 20}, 0),
        ({"total": 0}, 0),
        ({"total": 9000}, 0),
    ],
)
def test_headers_that_lie(fields: dict[str, int], verdict: int) -> None:
    assert row(four(**fields))["verdict"] == verdict


def test_octets_are_as_stated() -> None:
    """Whatever the capture holds; a length of zero is a super-packet of an offload, and the frame decides."""
    assert row(four())["l3_octets"] == 47
    assert row(four(total=9000))["l3_octets"] == 9000
    assert row(four(total=9000))["payload_caplen"] == 7
    assert row(four(total=9000))["payload_octets"] == 9000 - 40
    assert row(four(total=0))["l3_octets"] == 47
    assert row(four()[:60] + b"trailer of a switch")["payload_octets"] == 7, "a trailer is no payload"


def test_header_cut_behind_its_options() -> None:
    frame = eth(Ipv4(A4, B4, TCP, options=b"\x94\x04\0\0" * 3).octets(SEGMENT))
    assert row(frame)["dst_port"] == 104
    assert row(frame[:40], wirelen=80)["verdict"] == Verdict.TRUNCATED
    assert row(frame[:40])["verdict"] == Verdict.TRUNCATED, "its own length says that more was sent"
    assert row(frame[:30])["verdict"] == Verdict.MALFORMED


def test_fragments() -> None:
    pieces = [
        row(eth(piece)) for piece in Ipv4(A4, B4, UDP, ident=9).fragments(Udp(5, 6).octets(A4, B4, b"x" * 40), 16)
    ]
    assert [piece["flags"] for piece in pieces] == [
        PacketFlag.FRAGMENT | PacketFlag.FIRST_FRAGMENT | PacketFlag.PORTS, PacketFlag.FRAGMENT, PacketFlag.FRAGMENT,
    ]  # fmt: skip
    assert [(piece["src_port"], piece["payload_octets"]) for piece in pieces] == [(5, 8), (0, 16), (0, 16)]
    assert {piece["ip_id"] for piece in pieces} == {9}


def six(following: int, body: bytes, length: int | None = None) -> bytes:
    """An IPv6 frame."""
    return eth(Ipv6(A6, B6, following, length=length).octets(body), IPV6)


def test_extension_headers() -> None:
    chain = ipv6.options(DESTINATION, ipv6.options(TCP, SEGMENT6, size=24))
    told = row(six(HOP_BY_HOP, chain))
    assert (told["protocol"], told["dst_port"], told["payload_octets"]) == (6, 104, 7)
    assert told["l3_octets"] == 40 + len(chain)


@pytest.mark.parametrize(("count", "verdict"), [(1, 0), (8, 0), (9, Verdict.TOO_DEEP)])
def test_number_of_extension_headers(count: int, verdict: int) -> None:
    body = SEGMENT6
    for number in range(count):
        body = ipv6.options(DESTINATION if number else TCP, body)
    assert row(six(DESTINATION, body))["verdict"] == verdict


def test_an_extension_longer_than_its_packet() -> None:
    assert row(six(HOP_BY_HOP, b"\x06\xff" + SEGMENT6))["verdict"] == Verdict.MALFORMED


def test_fragments_of_ipv6() -> None:
    atomic = row(six(FRAGMENT, ipv6.fragment(TCP, SEGMENT6, offset=0, more=False)))
    assert (atomic["flags"], atomic["dst_port"]) == (PacketFlag.PORTS, 104)
    first, second = (row(six(FRAGMENT, piece)) for piece in ipv6.fragments(TCP, SEGMENT6, 24))
    assert first["flags"] == PacketFlag.FRAGMENT | PacketFlag.FIRST_FRAGMENT | PacketFlag.PORTS
    assert (second["flags"], second["protocol"], second["src_port"]) == (PacketFlag.FRAGMENT, 6, 0)


def test_jumbograms_and_no_next_header() -> None:
    assert row(six(TCP, SEGMENT6, 0))["payload_octets"] == 7
    told = row(six(59, b"", 0))
    assert (told["verdict"], told["protocol"], told["l3_octets"]) == (0, 59, 40)


LOOSE, STRICT, RECORD, ALERT = b"\x83\x07\4", b"\x89\x07\4", b"\7\7\4", b"\x94\4\0\0"


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (LOOSE + bytes(4), HintKind.SOURCE_ROUTE),
        (b"\1\1" + STRICT + bytes(4), HintKind.SOURCE_ROUTE),
        (ALERT + LOOSE + bytes(4), HintKind.SOURCE_ROUTE),
        (b"\x83", HintKind.SOURCE_ROUTE),  # damaged, as URGENT/11 sends it
        (RECORD + bytes(4), 0),
        (ALERT, 0),
        (b"\0" + LOOSE + bytes(4), 0),  # behind the end
        (b"\7\1" + LOOSE + bytes(4), 0),  # behind a length that would never end
        (b"\7\xff" + LOOSE, 0),
        (b"\1" * 40, 0),
    ],
)
def test_source_routes(options: bytes, hint: int) -> None:
    assert row(four(options=options))["hint"] == hint  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "left", "hint"), [(0, 1, HintKind.SOURCE_ROUTE), (0, 0, 0), (2, 1, 0), (4, 2, 0)])
def test_routing_headers(kind: int, left: int, hint: int) -> None:
    packet = Ipv6(A6, B6, ROUTING).octets(bytes([TCP, 2, kind, left]) + bytes(20) + SEGMENT6)
    assert row(eth(packet, IPV6))["hint"] == hint


@pytest.mark.parametrize(
    ("protocol", "offset", "hint"), [(TCP, 8, HintKind.TINY_FRAGMENT), (TCP, 16, 0), (UDP, 8, 0), (TCP, 1480, 0)]
)
def test_a_fragment_that_writes_over_a_header(protocol: int, offset: int, hint: int) -> None:
    assert row(eth(Ipv4(A4, B4, protocol, offset=offset).octets(SEGMENT)))["hint"] == hint
