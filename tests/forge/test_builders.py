"""The builders against octets known from the standards and from other programs."""

import gzip
import struct
from pathlib import Path

import pytest

from tests.forge import arp, bedside, dhcp, dicom, dns, hl7, http, icmp, ipv6, ntp, smb, ssdp, tls, tunnels
from tests.forge.ethernet import IPV4, VLAN, ethernet, llc, lldp, mpls, pppoe, snap, stp, tagged
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.ipv6 import Ipv6
from tests.forge.octets import checksum, group_mac, ip, pseudo, transport_checksum
from tests.forge.pcap import Frame, Pcap, pcapng, write
from tests.forge.tcp import SACK_PERMITTED, Tcp, mss, timestamps, window_scale
from tests.forge.udp import Udp

A, B, A6, B6 = "192.168.0.1", "192.168.0.199", "2001:db8::1", "2001:db8::2"


def test_checksum_of_rfc_1071_and_of_a_known_header() -> None:
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D
    known = bytes.fromhex("45000073000040004011b861c0a80001c0a800c7")
    assert Ipv4(A, B, 17, 64, 0, 2).octets(b"\0" * 95)[:20] == known
    assert checksum(known) == 0


@pytest.mark.parametrize(("a", "b"), [(A, B), (A6, B6)])
def test_transport_checksums_sum_to_zero(a: str, b: str) -> None:
    for protocol, segment in (
        (TCP, Tcp(1, 2, options=mss(1460)).octets(a, b, b"odd")),
        (UDP, Udp(1, 2).octets(a, b, b"even")),
        (58, icmp.icmpv6(a, b, 128, 0, b"echo")),
    ):
        assert checksum(pseudo(a, b, protocol, len(segment)) + segment) == 0


def test_udp_checksum_zero_is_sent_as_ones() -> None:
    base = Udp(1, 2).octets(A, B, b"\0\0")
    fill = struct.unpack(">H", base[6:8])[0]
    segment = Udp(1, 2).octets(A, B, struct.pack(">H", fill))
    assert segment[6:8] == b"\xff\xff"
    assert transport_checksum(A, B, UDP, segment[:6] + b"\0\0" + segment[8:]) == 0


def test_fragments_cover_the_payload() -> None:
    payload = bytes(range(100))
    pieces = list(Ipv4(A, B, UDP, ident=7).fragments(payload, 48))
    assert b"".join(piece[20:] for piece in pieces) == payload
    assert [struct.unpack(">H", piece[6:8])[0] for piece in pieces] == [0x2000, 0x2006, 12]
    six = list(ipv6.fragments(17, payload, 48))
    assert b"".join(piece[8:] for piece in six) == payload
    assert [struct.unpack(">H", piece[2:4])[0] for piece in six] == [1, 49, 96]


def test_headers_that_wrap_their_payload() -> None:
    assert Ipv6(A6, B6, 6).octets(b"abc")[:8].hex() == "6000000000030640"
    assert ipv6.options(6, b"", size=16).hex() == "0601010c" + "00" * 12
    assert ipv6.routing(6, b"", [A6])[:4].hex() == "06020001"
    assert ipv6.authentication(6, b"")[:2].hex() == "0604"
    assert tagged([(VLAN, 5)], IPV4, b"x") == (VLAN, bytes.fromhex("0005080078"))
    assert mpls([1, 2], b"").hex() == "0000104000002140"
    assert pppoe(9, 0x21, b"xy").hex() == "1100000900040021" + b"xy".hex()
    assert tunnels.gre(IPV4, b"", key=1).hex() == "2000080000000001"
    assert tunnels.vxlan(5, b"").hex() == "0800000000000500"
    assert tunnels.geneve(5, IPV4, b"")[:8].hex() == "0000080000000500"
    assert tunnels.capwap(b"").hex() == "0010420000000000"
    assert (mss(1460) + window_scale(7) + SACK_PERMITTED).hex() == "020405b40103030701010402"
    assert timestamps(1, 2).hex() == "0101080a0000000100000002"


def test_link_frames() -> None:
    assert arp.request(("02:00:00:00:00:01", A), B)[:22].hex() == "ffffffffffff020000000001" + "08060001080006040001"
    assert len(ethernet("02:00:00:00:00:01", "02:00:00:00:00:02", IPV4, b"")) == 60
    assert llc("01:80:c2:00:00:00", "02:00:00:00:00:02", (0x42, 0x42), b"x")[12:17].hex() == "0004424203"
    assert snap("02:00:00:00:00:01", "02:00:00:00:00:02", IPV4, b"")[14:22].hex() == "aaaa030000000800"
    assert stp("02:00:00:00:00:02", "02:00:00:00:00:02")[12:21].hex() == "002642420300000000"
    assert lldp("02:00:00:00:00:02", "1", "sw", "text")[12:16].hex() == "88cc0207"
    assert (group_mac("224.0.0.251"), group_mac("ff02::fb")) == ("01:00:5e:00:00:fb", "33:33:00:00:00:fb")


def test_application_messages() -> None:
    assert dns.question(1, "a.example").hex() == "000101000001000000000000" + "0161076578616d706c650000010001"
    assert dns.answer(1, "a.example", [dns.a("a.example", A)]).endswith(ip(A))
    assert dhcp.Dhcp(dhcp.DISCOVER, "00:d0:75:00:00:01", 5).octets()[236:243].hex() == "63825363350101"
    assert ntp.client(0)[:1] == b"\x23"
    assert ntp.server(ntp.client(5), 9)[24:32] == ntp.timestamp(5)
    assert ntp.timestamp(500_000_000).hex() == "83aa7e8080000000"
    title = dicom.associate_request(("CALLED", "CALLING"), [dicom.CT_IMAGE], ("1.2.3", "V"))
    assert (title[0], title[10:26], title[26:42]) == (1, b"CALLED".ljust(16), b"CALLING".ljust(16))
    assert struct.unpack(">I", title[2:6])[0] == len(title) - 6
    assert hl7.mllp("MSH|") == b"\x0bMSH|\x1c\r"
    hello = tls.client_hello("ehr.example", bytes(32))
    assert struct.unpack(">H", hello[3:5])[0] == len(hello) - 5
    assert int.from_bytes(hello[6:9]) == len(hello) - 9
    assert b"\0\x0e\0\0\x0behr.example" in hello
    assert (
        http.request("POST", "/", {"Host": "h"}, b"xy") == b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy"
    )
    assert smb.negotiate_smb1()[4:9] == b"\xffSMB\x72"
    assert smb.negotiate_smb2()[4:8] == b"\xfeSMB"
    assert ssdp.search().startswith(b"M-SEARCH * HTTP/1.1\r\n")
    assert bedside.who_is().hex() == "810b000c0120ffff00ff1008"


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_classic_capture_files(*, big_endian: bool, nanoseconds: bool) -> None:
    frames = [Frame(1_500_000_123, b"abcdef"), Frame(2_000_000_000, b"xyz", 1500)]
    octets = Pcap(113, nanoseconds, big_endian, snaplen=4).octets(frames)
    order = ">" if big_endian else "<"
    magic, *_, snaplen, link = struct.unpack(f"{order}IHHiIII", octets[:24])
    assert (magic, snaplen, link) == (0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 4, 113)
    part = 500_000_123 if nanoseconds else 500_000
    assert struct.unpack(f"{order}IIII", octets[24:40]) == (1, part, 4, 6)
    assert octets[40:44] == b"abcd"
    assert struct.unpack(f"{order}IIII", octets[44:60]) == (2, 0, 3, 1500)


@pytest.mark.parametrize("big_endian", [False, True])
def test_pcapng_blocks_are_consistent(*, big_endian: bool) -> None:
    octets = pcapng([Frame(5, b"abcde")], big_endian=big_endian)
    order, at, kinds = ">" if big_endian else "<", 0, []
    while at < len(octets):
        kind, size = struct.unpack(f"{order}II", octets[at : at + 8])
        assert struct.unpack(f"{order}I", octets[at + size - 4 : at + size])[0] == size
        kinds.append(kind)
        at += size
    assert kinds == [0x0A0D0D0A, 1, 6]


def test_packed_files_hold_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap.gz"
    write(path, b"content")
    assert path.read_bytes()[4:8] == bytes(4)
    assert gzip.decompress(path.read_bytes()) == b"content"


def test_who_says_that_it_is_a_router() -> None:
    card, to = "00:1b:54:01:00:01", "ff02::1"
    claim = icmp.advertisement("fe80::1", to, "fe80::1", card, router=True)
    assert (claim[0], claim[4], icmp.advertisement("fe80::1", to, "fe80::1", card)[4]) == (136, 0xE0, 0x60)
    message = icmp.router_advertisement("fe80::1", to, card)
    assert (message[0], message[6:8]) == (134, (1800).to_bytes(2, "big"))
    assert message[16:] == bytes.fromhex("0101001b54010001")
    assert checksum(pseudo("fe80::1", to, 58, len(message)) + message) == 0
