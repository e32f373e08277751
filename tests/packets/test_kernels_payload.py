"""What a payload is taken for, by content and by port; and which payloads are news."""

from random import Random

import numpy as np
import pytest

from agent.packets import kernels_payload as payload
from agent.packets.records import PACKET, Application, HintKind, Rows
from tests.forge import bedside, dhcp, dicom, dns, hl7, http, ntp, smb, ssdp, tls
from tests.forge.arp import arp as arp_octets
from tests.forge.ethernet import IPV4, ethernet, llc, lldp, snap
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.ipv6 import Ipv6
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.packets.hints.samples import (
    HELLO_OF_A_METER,
    MONITOR_MAC,
    MORE,
    OWN,
    RESULT_OF_A_METER,
    SOAP,
    arp,
    bpdu,
    old_quic,
    quic,
    topology_change,
)
from tests.simulators.bursts import HASHES, THIN, Heard, burst_of, decode

pytestmark = HASHES
A, B, AM, BM = "10.1.0.5", "10.1.0.9", "00:d0:75:00:00:01", "d4:ae:52:00:00:02"
App, Kind = Application, HintKind


def stream(data: bytes, port: int = 50000, source: int = 40000) -> bytes:
    """A TCP frame with this payload."""
    return ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(Tcp(source, port, flags=24).octets(A, B, data)))


def datagram(data: bytes, port: int, source: int = 40000) -> bytes:
    """A UDP frame with this payload."""
    return ethernet(BM, AM, IPV4, Ipv4(A, B, UDP).octets(Udp(source, port).octets(A, B, data)))


def recognised(*frames: bytes) -> Rows:
    """Rows with application and hint."""
    burst = burst_of(Heard(frame) for frame in frames)
    rows = decode(burst)
    payload.recognise_burst(rows, len(rows), burst.octets)
    return rows


HELLO = tls.client_hello("ehr.example", bytes(32))
ASSOCIATE = dicom.associate_request(("CALLED", "CALLING"), [dicom.CT_IMAGE], ("1.2.3", "V"))
STREAMS = [
    (HELLO, App.TLS, Kind.TLS_CLIENT),
    (tls.server_hello(bytes(32)), App.TLS, Kind.TLS_SERVER),
    (http.request("GET", "/", {"Host": "h"}), App.HTTP, Kind.HTTP_REQUEST),
    (b"POST / HTTP/1.1\r\n", App.HTTP, Kind.HTTP_REQUEST),
    (b"PROPFIND / HTTP/1.1\r\n", App.HTTP, Kind.HTTP_REQUEST),
    (b"HTTP/1.1 200 OK\r\n", App.HTTP, Kind.HTTP_RESPONSE),
    (smb.negotiate_smb1(), App.SMB1, Kind.SMB),
    (smb.negotiate_smb2(), App.SMB2, Kind.SMB),
    (ASSOCIATE, App.DICOM, Kind.DICOM),
    (b"\x03\0\0\0\0\4\0\1\1\1", App.DICOM, Kind.DICOM),
    (hl7.mllp("MSH|^~\\&|"), App.HL7, Kind.HL7),
    (b"MSH|^~\\&|", App.HL7, Kind.HL7),
    (b"SSH-2.0-x\r\n", App.SSH, Kind.SSH),
    (b"RFB 003.008\n", App.VNC, 0),
    (b"OPTIONS rtsp", 0, 0),
    (b"RTSP/1.0 200 OK", App.RTSP, 0),
    (b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\0\0\0\0", App.RDP, 0),
    (b"\x10\x0e\0\4MQTT\4\2\0\x3c\0\2id", App.MQTT, Kind.MQTT),
    (b"\x10\x10\0\6MQIsdp\3\2\0\x3c\0\2id", App.MQTT, Kind.MQTT),
    (b"\x10\x10\0\6MUIsdp\3\2\0\x3c\0\2id", 0, 0),
    (b"\7\0\0\0\0\4\0\0\0\0", App.DICOM, Kind.DICOM),
    (b"\7\0\0\0\0\4\0\0\0\0\0", 0, 0),
    (SOAP % b"GetService/GetMdib", App.IEEE11073, Kind.SDC),
    (b"<?xml version='1.0'?><other/>", 0, 0),
    (HELLO_OF_A_METER, App.POCT1A, Kind.POCT1A),
    (RESULT_OF_A_METER, App.POCT1A, Kind.POCT1A),
    (b"\xff\xfd\x18\xff\xfd\x20", App.TELNET, 0),
    (b'{"id":1,"method":"mining.subscribe"}', App.STRATUM, 0),
    (b'{"method":"login","params":{"login":"4"}}', App.STRATUM, 0),
    (b'{"method":"ping"}', 0, 0),
    (b"+OK ready", App.POP3, 0),
    (b"* OK ready", App.IMAP, 0),
    (b"INVITE sip:a@b SIP/2.0", App.SIP, Kind.SIP),
    (b"\0\0\0\0\0\0\0\0", 0, 0),
    (b"random text", 0, 0),
    (b"\x16\x03\x01", 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("data", "application", "hint"), STREAMS)
def test_streams_by_content(data: bytes, application: int, hint: int) -> None:
    (row,) = recognised(stream(data))
    assert (row["application"], row["hint"]) == (application, hint)


@pytest.mark.parametrize(
    ("data", "port", "application"),
    [
        (b"220 ready\r\n", 21, App.FTP), (b"220-ready\r\n", 21, App.FTP), (b"220 ready\r\n", 25, App.SMTP),
        (b"220 ready\r\n", 587, App.SMTP), (b"220 ready\r\n", 4444, 0), (b"\0\1\0\0\0\6\1\3\0\0\0\1", 502, App.MODBUS),
        (b"\x3c\1\0\0\0\6\1\3\0\0\0\1", 502, App.MODBUS),
        (b"\0\1\0\0\0\7\1\3\0\0\0\1", 502, 0), (b"\0\1\0\0\0\6\1\3\0\0\0\1", 503, 0),
    ],
)  # fmt: skip
def test_streams_whose_port_decides(data: bytes, port: int, application: int) -> None:
    assert recognised(stream(data, port))[0]["application"] == application
    assert recognised(stream(data, 40000, port))[0]["application"] == application, "either side may speak"


DATAGRAMS = [
    (dns.question(1, "a.example"), 53, App.DNS, Kind.DNS_QUERY),
    (bytes(40), 53, App.DNS, 0),
    (dns.question(0, "_http._tcp.local"), 5353, App.MDNS, Kind.MDNS),
    (dns.question(1, "PCU"), 5355, App.LLMNR, Kind.LLMNR),
    (b"x" * 50, 137, App.NETBIOS, Kind.NETBIOS),
    (ssdp.search(), 1900, App.SSDP, Kind.SSDP),
    (b"<?xml", 3702, App.WS_DISCOVERY, Kind.WS_DISCOVERY),
    (dhcp.Dhcp(dhcp.DISCOVER, AM, 5).octets(), 67, App.DHCP, Kind.DHCP),
    (bytes(300), 67, 0, 0),
    (b"\1\0\0\1", 547, App.DHCPV6, Kind.DHCPV6),
    (ntp.client(0), 123, App.NTP, Kind.NTP),
    (ntp.client(0)[:47], 123, 0, 0),
    (b"\x30\x0b", 161, App.SNMP, Kind.SNMP),
    (b"\x31\x0b", 161, 0, 0),
    (bedside.who_is(), 47808, App.BACNET, Kind.BACNET),
    (b"\x80" * 8, 47808, 0, 0),
    (b"\x01\0\0\0\x17\xfe\xfd", 5247, App.CAPWAP, 0),
    (b"\x11\0\0\0\x17\xfe\xfd", 5247, 0, 0),  # another version of the header
    (b"x" * 8, 24105, App.INTELLIVUE, 0),
    (b"\x0d\xec\5\x08\x13\1\0\x16", 24105, App.INTELLIVUE, Kind.INTELLIVUE),
    (b"x" * 8, 5090, App.CAPSULE, Kind.CAPSULE),
    (b"INVITE", 5060, App.SIP, Kind.SIP),
    (b"\xc0" * 30, 443, App.QUIC, Kind.QUIC),
    (b"\x40" * 30, 443, App.QUIC, 0),
    (quic(1), 8443, App.QUIC, Kind.QUIC),
    (old_quic(b"Q039"), 443, App.QUIC, Kind.QUIC),
    (bedside.rtp(0, 7, 7, 7, bytes(160)), 20000, App.RTP, 0),
    (bedside.rtp(0, 7, 7, 7, bytes(161)), 20000, 0, 0),
    (bedside.rtp(0, 7, 7, 7, bytes(160)), 20001, 0, 0),
    (b"\x80" * 30, 443, 0, 0),
    (b"x" * 40, 40001, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(("data", "port", "application", "hint"), DATAGRAMS)
def test_datagrams(data: bytes, port: int, application: int, hint: int) -> None:
    for frame in (datagram(data, port), datagram(data, 40000, port)):
        (row,) = recognised(frame)
        assert (row["application"], row["hint"]) == (application, hint)


def test_link_frames_with_news() -> None:
    rows = recognised(
        lldp(AM, "1", "sw", "text"),
        snap("01:00:0c:cc:cc:cc", AM, 0x2000, b"cdp", oui=b"\0\0\x0c"),
        llc(BM, AM, (0x42, 0x42), b""),
    )
    assert rows["hint"].tolist() == [Kind.LLDP, Kind.CDP, 0]


def test_cards_that_speak_of_themselves() -> None:
    other = b"\x0a\x29\7\1"
    rows = recognised(
        arp(1, MONITOR_MAC, OWN, OWN),
        arp(1, MONITOR_MAC, bytes(4), OWN),
        arp(2, MONITOR_MAC, OWN, other),
        arp(1, MONITOR_MAC, OWN, other),
        bpdu(1, 2),
        topology_change(3),
    )
    assert rows["hint"].tolist() == [Kind.ARP, Kind.ARP, Kind.ARP, 0, Kind.STP, Kind.STP]


def test_the_first_packet_of_a_connection() -> None:
    def first(flags: int) -> int:
        octets = Tcp(40000, 443, flags=flags).octets(A, B)
        return int(recognised(ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(octets)))[0]["hint"])

    assert [first(flags) for flags in (0x02, 0x12, 0xC2)] == [Kind.TCP_SYN] * 3
    assert [first(flags) for flags in (0x10, 0x04, 0x03, 0x06, 0x00)] == [0] * 5


@pytest.mark.parametrize(
    ("flags", "pointer", "hint"),
    [
        (0x38, 0, Kind.URGENT),  # ACK, PSH, URG
        (0x30, 0, Kind.URGENT),
        (0x38, 1, 0),  # an interrupt of telnet
        (0x18, 0, 0),
        (0x29, 0, 0),  # a scan by FIN, PSH, URG
        (0x34, 0, 0),
        (0x20, 0, 0),
    ],
)
def test_urgent_data_of_no_length(flags: int, pointer: int, hint: int) -> None:
    segment = bytearray(Tcp(40000, 50000, flags=flags).octets(A, B, b"\xff\xf4\xff"))
    segment[18:20] = pointer.to_bytes(2, "big")
    (row,) = recognised(ethernet(BM, AM, IPV4, Ipv4(A, B, TCP).octets(bytes(segment))))
    assert row["hint"] == hint


@pytest.mark.parametrize(
    ("target", "port", "flags", "hint"),
    [(A, 139, 2, Kind.LAND), (A, 140, 2, Kind.TCP_SYN), (B, 139, 2, Kind.TCP_SYN), (A, 139, 0x10, 0)],
)
def test_a_connection_in_its_own_name(target: str, port: int, flags: int, hint: int) -> None:
    packet = Ipv4(A, target, TCP).octets(Tcp(139, port, flags=flags).octets(A, target))
    assert recognised(ethernet(BM, AM, IPV4, packet))[0]["hint"] == hint


def test_a_loopback_may_talk_to_itself() -> None:
    packet = Ipv4(A, A, TCP).octets(Tcp(139, 139, flags=2).octets(A, A))
    burst = burst_of([Heard(packet, link=101)])
    rows = decode(burst)
    payload.recognise_burst(rows, 1, burst.octets)
    assert rows[0]["hint"] == 0


@pytest.mark.parametrize(("operation", "hint"), [(4, Kind.RARP_REPLY), (3, 0)])
def test_rarp(operation: int, hint: int) -> None:
    frame = ethernet(BM, AM, 0x8035, arp_octets(operation, (AM, A), (BM, B)))
    assert recognised(frame)[0]["hint"] == hint


def test_what_the_walk_found_stays() -> None:
    routed = Ipv4(A, B, TCP, options=b"\x83\7\4" + bytes(4)).octets(Tcp(40000, 443).octets(A, B, HELLO))
    late = Ipv4(A, B, TCP, offset=8).octets(b"x" * 30)
    first, second = recognised(ethernet(BM, AM, IPV4, routed), ethernet(BM, AM, IPV4, late))
    assert (first["application"], first["hint"]) == (App.TLS, Kind.SOURCE_ROUTE)
    assert (second["application"], second["hint"]) == (0, Kind.TINY_FRAGMENT)


def test_a_connection_from_behind_a_router_speaks_of_no_card_here() -> None:
    octets = Tcp(40000, 443, flags=2).octets(A, B)
    hints = [recognised(ethernet(BM, AM, IPV4, Ipv4(A, B, TCP, ttl=t).octets(octets)))[0]["hint"] for t in range(256)]
    assert [t for t in range(256) if hints[t]] == [31, 32, 63, 64, 127, 128, 254, 255], "the odd ones: one hop away"


@pytest.mark.parametrize(("hops", "kind", "hint"), [(255, 134, Kind.ND), (254, 134, 0), (255, 137, 0), (255, 128, 0)])
def test_neighbours_speak_to_their_own_link_only(hops: int, kind: int, hint: int) -> None:
    message = bytes([kind]) + MORE[HintKind.ND][0][1:]
    packet = Ipv6("fe80::1", "ff02::1", 58, hop_limit=hops).octets(message)
    assert recognised(ethernet(BM, AM, 0x86DD, packet))[0]["hint"] == hint


def test_every_prefix_of_every_payload_is_safe() -> None:
    """Cut payloads at the very end of the burst: a read beyond would fault (or find the margin's octets)."""
    for data, _, _ in STREAMS[:: THIN if THIN == 1 else 4]:
        for size in range(min(len(data), 48)):
            recognised(stream(data)[: 54 + size])
    for data, port, _, _ in DATAGRAMS[:: THIN if THIN == 1 else 4]:
        for size in range(0, min(len(data), 244), 3):
            recognised(datagram(data, port)[: 42 + size])


def test_random_payloads_are_safe() -> None:
    rng = Random(4)
    starts = [data[:6] for data, _, _ in STREAMS]
    frames = [
        stream(rng.choice(starts) + rng.randbytes(rng.randrange(20)), rng.choice((21, 502, 50000)))
        for _ in range(500 // THIN)
    ]
    frames += [
        datagram(rng.randbytes(rng.randrange(260)), rng.choice([d[1] for d in DATAGRAMS])) for _ in range(500 // THIN)
    ]
    rows = recognised(*frames)
    assert set(rows["application"].tolist()) <= {int(a) for a in App}
    assert set(rows["hint"].tolist()) <= {int(k) for k in Kind}


def test_rows_without_payload_stay_as_they_were() -> None:
    rows = np.zeros(2, PACKET)
    rows["protocol"] = 6
    payload.recognise_burst(rows, 2, np.zeros(8, np.uint8))
    assert not rows["application"].any()
