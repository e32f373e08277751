"""What a payload is taken for, by content and by port; and which payloads are news."""

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from agent.packets import kernels_payload as payload
from agent.packets.records import PACKET, Application, HintKind, Rows
from tests.forge import bedside, dhcp, dicom, dns, hl7, http, ntp, smb, ssdp, tls
from tests.forge.ethernet import IPV4, ethernet, llc, lldp, snap
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.tcp import Tcp
from tests.forge.udp import Udp
from tests.simulators.bursts import HASHES, SECRET, THIN, Heard, burst_of, decode

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
    (tls.server_hello(bytes(32)), App.TLS, 0),
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
    (b"\x10\x0e\0\4MQTT\4\2\0\x3c\0\2id", App.MQTT, 0),
    (b"\xff\xfd\x18\xff\xfd\x20", App.TELNET, 0),
    (b'{"id":1,"method":"mining.subscribe"}', App.STRATUM, 0),
    (b'{"method":"login","params":{"login":"4"}}', App.STRATUM, 0),
    (b'{"method":"ping"}', 0, 0),
    (b"+OK ready", App.POP3, 0),
    (b"* OK ready", App.IMAP, 0),
    (b"INVITE sip:a@b SIP/2.0", App.SIP, 0),
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
        (b"\0\1\0\0\0\7\1\3\0\0\0\1", 502, 0), (b"\0\1\0\0\0\6\1\3\0\0\0\1", 503, 0),
    ],
)  # fmt: skip
def test_streams_whose_port_decides(data: bytes, port: int, application: int) -> None:
    assert recognised(stream(data, port))[0]["application"] == application
    assert recognised(stream(data, 40000, port))[0]["application"] == application, "either side may speak"


DATAGRAMS = [
    (dns.question(1, "a.example"), 53, App.DNS, 0),
    (dns.question(0, "_http._tcp.local"), 5353, App.MDNS, Kind.MDNS),
    (dns.question(1, "PCU"), 5355, App.LLMNR, Kind.LLMNR),
    (b"x" * 50, 137, App.NETBIOS, Kind.NETBIOS),
    (ssdp.search(), 1900, App.SSDP, Kind.SSDP),
    (b"<?xml", 3702, App.WS_DISCOVERY, Kind.WS_DISCOVERY),
    (dhcp.Dhcp(dhcp.DISCOVER, AM, 5).octets(), 67, App.DHCP, Kind.DHCP),
    (bytes(300), 67, 0, 0),
    (b"\1\0\0\1", 547, App.DHCPV6, Kind.DHCPV6),
    (ntp.client(0), 123, App.NTP, 0),
    (ntp.client(0)[:47], 123, 0, 0),
    (b"\x30\x0b", 161, App.SNMP, 0),
    (b"\x31\x0b", 161, 0, 0),
    (bedside.who_is(), 47808, App.BACNET, Kind.BACNET),
    (b"\x80" * 8, 47808, 0, 0),
    (b"\x01\0\0\0\x17\xfe\xfd", 5247, App.CAPWAP, 0),
    (b"\x11\0\0\0\x17\xfe\xfd", 5247, 0, 0),  # another version of the header
    (b"x" * 8, 24105, App.INTELLIVUE, 0),
    (b"x" * 8, 5090, App.CAPSULE, Kind.CAPSULE),
    (b"INVITE", 5060, App.SIP, 0),
    (b"\xc0" * 30, 443, App.QUIC, 0),
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


class Selection:
    """The state that `select_hints` keeps between bursts."""

    def __init__(self, left: int = 100, per_source: int = 100, places: int = 100) -> None:
        self.wanted = np.ones(max(HintKind) + 1, np.uint8)
        self.seen = np.zeros(1 << 12, np.uint64)
        self.per_source = np.zeros(1 << 8, np.int64)
        self.key = np.array(SECRET, np.uint64)
        self.budget = np.array([left, per_source, 0, 0], np.int64)
        self.chosen = np.zeros((places, 3), np.int64)

    def take(self, *frames: bytes) -> list[bytes]:
        """The octets of the chosen payloads."""
        burst = burst_of(Heard(frame) for frame in frames)
        rows = decode(burst)
        payload.recognise_burst(rows, len(rows), burst.octets)
        n = payload.select_hints(
            burst.frames, rows, np.arange(len(rows)), burst.octets, self.wanted, self.seen, self.per_source, self.key,
            self.budget, self.chosen,
        )  # fmt: skip
        return [burst.octets[at : at + size].tobytes() for _, at, size in self.chosen[:n].tolist()]


@pytest.fixture
def selection() -> Iterator[Selection]:
    """With room for everything."""
    return Selection()


def test_news_is_the_payload_and_for_link_frames_the_frame(selection: Selection) -> None:
    announcement = lldp(AM, "1", "sw", "text")
    assert selection.take(stream(HELLO), announcement) == [HELLO, announcement]


def test_a_repeat_is_no_news(selection: Selection) -> None:
    assert len(selection.take(stream(HELLO), stream(HELLO))) == 1
    assert selection.take(stream(HELLO, 50001)) == []
    assert selection.budget[payload.REPEATED] == 2
    other = stream(HELLO).replace(bytes.fromhex("00d075000001"), bytes.fromhex("00d075000002"))
    assert selection.take(other) == [HELLO], "another device says the same"


def test_a_difference_after_what_is_hashed_is_no_news(selection: Selection) -> None:
    base = b"GET /" + b"a" * 1000
    assert len(selection.take(stream(base), stream(base[:-1] + b"b"))) == 1
    assert len(selection.take(stream(base[:500] + b"b" + base[501:]))) == 1


def test_budget_is_kept_and_what_is_skipped_is_counted() -> None:
    selection = Selection(left=3)
    frames = [stream(b"GET /%d" % n) for n in range(10)]
    assert len(selection.take(*frames)) == 3
    assert selection.budget[payload.SKIPPED] == 7
    assert selection.budget[payload.LEFT] == 0
    selection.budget[payload.LEFT] = 100
    assert len(selection.take(*frames)) == 7, "what was skipped is not remembered as seen"


def test_one_source_does_not_take_everybody_s_turn() -> None:
    selection = Selection(per_source=4)
    loud = [stream(b"GET /%d" % n) for n in range(50)]
    quiet = stream(b"GET /quiet").replace(bytes.fromhex("00d075000001"), bytes.fromhex("00d075000099"))
    told = selection.take(*loud, quiet)
    assert len(told) == 5
    assert told[-1] == b"GET /quiet"
    selection.per_source[:] = 0
    assert len(selection.take(*loud)) == 4


def test_places_are_a_bound() -> None:
    selection = Selection(places=2)
    assert len(selection.take(*(stream(b"GET /%d" % n) for n in range(5)))) == 2
    assert selection.budget[payload.SKIPPED] == 3


def test_unwanted_kinds_are_left(selection: Selection) -> None:
    selection.wanted[HintKind.TLS_CLIENT] = 0
    assert selection.take(stream(HELLO)) == []
    assert selection.budget.tolist() == [100, 100, 0, 0]


def test_a_reader_sees_four_kilobytes_at_most(selection: Selection) -> None:
    (told,) = selection.take(stream(b"GET /" + b"a" * 9000))
    assert len(told) == payload.HINT_OCTETS_MAX


def test_rows_without_payload_stay_as_they_were() -> None:
    rows = np.zeros(2, PACKET)
    rows["protocol"] = 6
    payload.recognise_burst(rows, 2, np.zeros(8, np.uint8))
    assert not rows["application"].any()
