"""One whole payload for every kind of hint, built by hand from the standards."""

import struct

from agent.packets.records import HintKind
from tests.forge import bedside as forge_bedside
from tests.forge import dhcp as forge_dhcp
from tests.forge import dicom as forge_dicom
from tests.packets.hints.samples import MORE

CLIENT = "00:d0:75:18:42:9b"
CLIENT_MAC = 0x00D07518429B


def dns_name(text: str) -> bytes:
    """Labels, uncompressed."""
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def dns(flags: int, questions: list[tuple[str, int]], records: list[tuple[str, int, bytes]]) -> bytes:
    """A message; all records in the answer section."""
    head = struct.pack(">6H", 7, flags, len(questions), len(records), 0, 0)
    body = b"".join(dns_name(name) + struct.pack(">HH", kind, 1) for name, kind in questions)
    for name, kind, data in records:
        body += dns_name(name) + struct.pack(">HHIH", kind, 1, 120, len(data)) + data
    return head + body


def txt(*pairs: str) -> bytes:
    """TXT data."""
    return b"".join(bytes([len(pair)]) + pair.encode() for pair in pairs)


def tlv_lldp(kind: int, value: bytes) -> bytes:
    """One LLDP TLV."""
    return struct.pack(">H", kind << 9 | len(value)) + value


def tlv_cdp(kind: int, value: bytes) -> bytes:
    """One CDP TLV."""
    return struct.pack(">HH", kind, 4 + len(value)) + value


def client_hello(name: str, versions: tuple[int, ...] = (0x0A0A, 0x0304, 0x0303), legacy: int = 0x0303) -> bytes:
    """A ClientHello with a server name and supported versions."""
    host = name.encode()
    listed = b"\0" + struct.pack(">H", len(host)) + host
    extensions = struct.pack(">HHH", 0, len(listed) + 2, len(listed)) + listed
    offered = b"".join(struct.pack(">H", version) for version in versions)
    extensions += struct.pack(">HHB", 43, len(offered) + 1, len(offered)) + offered
    body = struct.pack(">H", legacy) + bytes(32) + b"\0" + struct.pack(">HH", 2, 0x1301) + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    hello = b"\1" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello


def netbios_name(text: str, suffix: int) -> bytes:
    """A first-level encoded name, its length first and the root label after it."""
    octets = text.encode().ljust(15) + bytes([suffix])
    coded = b"".join(bytes([0x41 + (octet >> 4), 0x41 + (octet & 15)]) for octet in octets)
    return b"\x20" + coded + b"\0"


def netbios_registration(text: str, suffix: int, *, group: bool = False) -> bytes:
    """A name registration request."""
    head = struct.pack(">6H", 9, 0x2910, 1, 0, 0, 1)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 32, 1, 0, 6) + struct.pack(">H", 0x8000 if group else 0)
    return head + netbios_name(text, suffix) + struct.pack(">HH", 32, 1) + record + b"\x0a\x29\x07\x48"


def browser_announcement(text: str, major: int, minor: int) -> bytes:
    """A host announcement inside a NetBIOS datagram."""
    browse = b"\\MAILSLOT\\BROWSE\0" + bytes([1, 0]) + bytes(4) + text.encode().ljust(16, b"\0") + bytes([major, minor])
    body = netbios_name(text, 0x20) + netbios_name("WARD", 0x1D) + b"\xffSMB" + bytes(60) + browse + bytes(10)
    head = struct.pack(">BBH4sHHH", 0x11, 0x02, 3, b"\x0a\x29\x07\x48", 138, len(body), 0)
    return head + body


def smb1(command: int, words: bytes, octets: bytes, *, reply: bool = False) -> bytes:
    """An SMB1 message without Unicode, in its session header."""
    head = b"\xffSMB" + bytes([command]) + bytes(4) + bytes([0x80 if reply else 0]) + bytes(2) + bytes(20)
    body = head + bytes([len(words) // 2]) + words + struct.pack("<H", len(octets)) + octets
    return struct.pack(">I", len(body)) + body


def smb2_negotiated(dialect: int) -> bytes:
    """The answer of an SMB2 negotiation."""
    body = b"\xfeSMB" + struct.pack("<H", 64) + bytes(10) + b"\x01" + bytes(47)
    body += struct.pack("<HHH", 65, 1, dialect) + bytes(60)
    return struct.pack(">I", len(body)) + body


def ntlm_challenge(name: str) -> bytes:
    """An SMB2 session set-up answer with an NTLM challenge."""
    info = struct.pack("<HH", 1, 2 * len(name)) + name.encode("utf-16-le") + bytes(4)
    message = b"NTLMSSP\0" + struct.pack("<IHHII", 2, 0, 0, 56, 0x02000000) + bytes(16)
    message += struct.pack("<HHI", len(info), len(info), 56) + bytes([6, 1]) + struct.pack("<H", 7601) + bytes(4) + info
    body = b"\xfeSMB" + struct.pack("<H", 64) + bytes(6) + struct.pack("<H", 1) + bytes(2) + b"\x01" + bytes(47)
    return struct.pack(">I", len(body) + 72 + len(message)) + body + bytes(72) + message


HELLO = (
    b'<?xml version="1.0"?><s12:Envelope><s12:Header><wsa:Action>http://docs.oasis-open.org/ws-dd/ns/discovery/2009/01/'
    b"%s</wsa:Action></s12:Header><s12:Body><wsd:%s><wsd:Types xmlns:a='x'>dpws:Device mdpws:MedicalDevice</wsd:Types>"
    b"<wsd:Scopes>sdc.ctxt.loc:/sdc.ctxt.loc.detail/STM%%2FICU3%%2FB07?bed=B07 sdc.cdc.type:///70001</wsd:Scopes>"
    b"</wsd:%s></s12:Body></s12:Envelope>"
)
I_AM = bytes.fromhex("810b00180120ffff00ff1000c4020644 5d22040091032105")
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
REQUEST = forge_dicom.associate_request(
    ("PACS_MAIN", "CT_WARD3"), [forge_dicom.CT_IMAGE, FIND], ("1.2.840.113619.6.1", "GE_1")
)
DISCOVER = forge_dhcp.Dhcp(
    forge_dhcp.DISCOVER, CLIENT, 5, forge_dhcp.client_options("PCU-13408871", "ALARIS-PCU-8015")
).octets()
OFFER = forge_dhcp.Dhcp(
    forge_dhcp.OFFER,
    CLIENT,
    5,
    forge_dhcp.server_options("10.41.7.10", "10.41.7.1", "ward.example"),
    yours="10.41.7.111",
).octets()
MESSAGE = (
    b"\x0bMSH|^~\\&|PIICIX|ICU3|EHRCORE|STM|20261123||ORU^R01|77|P|2.3\rPID|1||WT7740193V||QUILLFEATHER^ORSOLYA\r\x1c\r"
)
ETHERNET = bytes.fromhex("0180c200000e 0018ba98688f".replace(" ", ""))
LLDP = (
    ETHERNET + b"\x88\xcc" + tlv_lldp(1, b"\4\0\x18\xba\x98\x68\x8f") + tlv_lldp(2, b"\5Fa0") + tlv_lldp(3, b"\0\x78")
    + tlv_lldp(5, b"S1.example") + tlv_lldp(6, b"Cisco IOS Software") + tlv_lldp(7, b"\0\x14\0\x04")
    + tlv_lldp(8, b"\5\1\x0a\x29\7\1\2\0\0\0\1\0") + tlv_lldp(127, b"\0\x12\xbb\x0aWS-C3560") + tlv_lldp(0, b"")
)  # fmt: skip
CDP = (
    bytes.fromhex("01000ccccccc0018ba98688f0080aaaa0300000c2000") + b"\2\xb4\0\0" + tlv_cdp(1, b"S1")
    + tlv_cdp(2, b"\0\0\0\1\1\1\xcc\0\4\x0a\x29\7\1") + tlv_cdp(4, b"\0\0\0\x28") + tlv_cdp(5, b"Cisco IOS 12.2\nmore")
    + tlv_cdp(6, b"cisco WS-C3560-24TS")
)  # fmt: skip
_VENDOR6 = struct.pack(">IH", 311, 8) + b"MSFT 5.0"
DHCPV6 = (
    b"\1\0\0\7" + struct.pack(">HH", 1, 14) + b"\0\1\0\1\1\2\3\4" + CLIENT_MAC.to_bytes(6, "big")
    + struct.pack(">HH", 16, len(_VENDOR6)) + _VENDOR6 + struct.pack(">HH", 39, 6) + b"\0" + b"\4cart"
)  # fmt: skip

PAYLOADS: dict[HintKind, list[bytes]] = {
    **MORE,
    HintKind.DHCP: [DISCOVER, OFFER],
    HintKind.MDNS: [
        dns(
            0x8400,
            [],
            [
                ("_googlecast._tcp.local", 12, dns_name("Mini-1._googlecast._tcp.local")),
                ("Mini-1._googlecast._tcp.local", 16, txt("md=Google Home Mini", "fn=Quillfeather", "id=1")),
                ("mini.local", 1, b"\x0a\x29\x07\x5a"),
            ],
        ),
        dns(0, [("_googlecast._tcp.local", 12)], []),
    ],
    HintKind.DICOM: [REQUEST, b"\2" + REQUEST[1:], forge_dicom.associate_reject(), b"\7\0\0\0\0\4\0\0\2\2"],
    HintKind.HL7: [MESSAGE],
    HintKind.SSDP: [
        b"NOTIFY * HTTP/1.1\r\nNT: urn:dial-multiscreen-org:service:dial:1\r\nSERVER: Linux/3 UPnP/1.0 x/1\r\n\r\n",
        b"M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\nUSER-AGENT: Google Chrome/70 Windows\r\n\r\n",
    ],
    HintKind.WS_DISCOVERY: [HELLO % (b"Hello", b"Hello", b"Hello"), HELLO % (b"Probe", b"Probe", b"Probe")],
    HintKind.LLDP: [LLDP],
    HintKind.CDP: [CDP],
    HintKind.NETBIOS: [netbios_registration("MDJR98", 0), browser_announcement("MDJR98", 4, 10)],
    HintKind.HTTP_REQUEST: [
        b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/7.88\r\nAuthorization: Basic cm9vdDp4\r\n\r\n"
    ],
    HintKind.HTTP_RESPONSE: [b"HTTP/1.1 200 OK\r\nServer: Microsoft-IIS/10.0\r\n\r\n<html>"],
    HintKind.TLS_CLIENT: [client_hello("ehr.stmargaret.example")],
    HintKind.SSH: [b"SSH-2.0-OpenSSH_8.4p1 Debian-5\r\n"],
    HintKind.SMB: [
        smb1(0x72, b"", b"\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0\x02SMB 2.???\0"),
        smb1(0x73, b"\xff\0\0\0\0\0", b"Windows 5.1\0Windows 2000 LAN Manager\0", reply=True),
        smb2_negotiated(0x0311),
        ntlm_challenge("ARCHIVE"),
    ],
    HintKind.DNS_QUERY: [dns(0x0100, [("www.Facebook.com", 1)], [])],
    HintKind.DNS_ANSWER: [dns(0x8180, [("ehr.example", 1)], [("ehr.example", 1, b"\x0a\x29\x07\x0a")])],
    HintKind.DHCPV6: [DHCPV6],
    HintKind.BACNET: [I_AM, forge_bedside.read_property(7, 0, 1), forge_bedside.who_is()],
    HintKind.CAPSULE: [b"\1\2CAPSULE MDIP announce"],
    HintKind.LLMNR: [dns(0, [("cart-7", 1)], []), dns(0x8000, [("cart-7", 1)], [("cart-7", 1, b"\x0a\x29\x07\x47")])],
}
