"""Payloads of the protocols that the first list does not have, built by hand from the standards."""

import struct

from agent.packets.records import HintKind
from tests.forge import bedside, ntp, poct1a, smb, tls
from tests.forge.tcp import ACK, SACK_PERMITTED, SYN, Tcp, mss, timestamps, window_scale

MONITOR_MAC = 0x0009FB2E6190
LINUX_OPTIONS = mss(1460) + b"\x04\x02" + timestamps(77, 0)[2:] + window_scale(7)
WINDOWS_OPTIONS = mss(1460) + window_scale(8) + SACK_PERMITTED


def syn(options: bytes, *, window: int = 64240, left: int = 64, flags: int = SYN) -> bytes:
    """What the reader of SYNs is given: time to live, then the header."""
    return bytes([left]) + Tcp(40000, 443, seq=7, flags=flags, window=window, options=options).octets(
        "10.1.0.5", "10.1.0.9"
    )


def quic(version: int, length: int = 8) -> bytes:
    """A long header of an initial packet: flags, version, connection ids, and noise."""
    return b"\xc3" + struct.pack(">IB", version, length) + bytes(range(length)) + b"\0\0\x40\x75" + bytes(40)


def old_quic(version: bytes) -> bytes:
    """Google's first form: flags with connection id and version."""
    return b"\x0d" + bytes(8) + version + b"\x01" + bytes(30)


def mqtt(client: bytes, flags: int = 2, level: int = 4, *, name: bytes = b"MQTT", tail: bytes = b"") -> bytes:
    """A CONNECT."""
    properties = b"\x05\x11\0\0\0\x0a" if level == 5 else b""
    body = struct.pack(">H", len(name)) + name + bytes([level, flags, 0, 60]) + properties
    body += struct.pack(">H", len(client)) + client + tail
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 127 | 128, len(body) >> 7])
    return b"\x10" + size + body


def modbus(function: int, body: bytes = b"\0\0\0\x01") -> bytes:
    """A message of unit 1."""
    return struct.pack(">HHHBB", 7, 0, 2 + len(body), 1, function) + body


def identification(*objects: bytes) -> bytes:
    """An answer with basic device identification."""
    listed = b"".join(bytes([number, len(value)]) + value for number, value in enumerate(objects))
    return modbus(43, bytes([14, 1, 1, 0, 0, len(objects)]) + listed)


def ber(tag: int, value: bytes) -> bytes:
    """One BER element."""
    size = bytes([len(value)]) if len(value) < 128 else b"\x82" + struct.pack(">H", len(value))
    return bytes([tag]) + size + value


SYSTEM_OBJECT = bytes.fromhex("2b06010201010200")
CISCO_OBJECT = bytes.fromhex("2b0601040109018217")


def snmp(kind: int, version: int = 1, community: bytes = b"QUILLFEATHER", value: bytes = ber(5, b"")) -> bytes:
    """A message with one variable, sysObjectID.0."""
    variables = ber(0x30, ber(0x30, ber(6, SYSTEM_OBJECT) + value))
    pdu = ber(kind, ber(2, b"\x01\x02") + ber(2, b"\0") + ber(2, b"\0") + variables)
    return ber(0x30, ber(2, bytes([version])) + ber(4, community) + pdu)


def snmp_trap() -> bytes:
    """A trap of version 1: enterprise, agent's address, kinds, time, nothing more."""
    pdu = ber(6, CISCO_OBJECT) + ber(0x40, b"\x0a\x29\7\1") + ber(2, b"\6") + ber(2, b"\1") + ber(0x43, b"\x05")
    return ber(0x30, ber(2, b"\0") + ber(4, b"public") + ber(0xA4, pdu + ber(0x30, b"")))


def snmp_3() -> bytes:
    """A message of version 3, whose rest may be encrypted."""
    return ber(0x30, ber(2, b"\3") + ber(0x30, ber(2, b"\1") + ber(2, b"\2") + ber(4, b"\4") + ber(2, b"\3")))


def bpdu(root: int, bridge: int, *, flags: int = 0, version: int = 0, kind: int = 0) -> bytes:
    """A configuration message in an LLC frame."""
    identifiers = (0x8000 << 48 | root).to_bytes(8, "big") + bytes(4) + (0x8000 << 48 | bridge).to_bytes(8, "big")
    body = b"\0\0" + bytes([version, kind, flags]) + identifiers + b"\x80\x01" + bytes([0, 0, 20, 0, 2, 0, 15, 0])
    frame = bytes.fromhex("0180c2000000") + bridge.to_bytes(6, "big") + struct.pack(">H", 3 + len(body)) + b"\x42\x42\3"
    return frame + body


def topology_change(bridge: int) -> bytes:
    """A topology change notification of Cisco's spanning tree per VLAN, tagged."""
    frame = bytes.fromhex("01000ccccccd") + bridge.to_bytes(6, "big") + b"\x81\0\0\7\0\x0c"
    return frame + b"\xaa\xaa\3\0\0\x0c\1\x0b" + b"\0\0\0\x80"


def arp(operation: int, card: int, sender: bytes, target: bytes) -> bytes:
    """A frame with an ARP message."""
    source = card.to_bytes(6, "big")
    head = b"\xff" * 6 + source + b"\x08\x06\0\1\x08\0\6\4" + struct.pack(">H", operation)
    return head + source + sender + bytes(6) + target


OWN = b"\x0a\x29\7\x0d"
ROUTER = bytes.fromhex("fe80000000000000020000fffe000001")


def router_advertisement(flags: int = 0x80, lifetime: int = 1800) -> bytes:
    """With a prefix, an MTU and a DNS server."""
    head = bytes([134, 0, 0, 0, 64, flags]) + struct.pack(">HII", lifetime, 0, 0)
    prefix = bytes([3, 4, 64, 0xC0]) + struct.pack(">III", 86400, 14400, 0) + b"\x20\1\x0d\xb8" + bytes(12)
    return head + b"\1\1\0\0\0\0\0\1" + b"\5\1\0\0\0\0\5\xdc" + prefix + b"\x19\3\0\0\0\0\1\0" + ROUTER


def connect_indication() -> bytes:
    """Nomenclature, an event report of the monitor, its model, network address and bed label."""
    attributes = [
        (0x0928, b"\0\x08Philips\0\0\x06M8007A"),
        (0xF100, MONITOR_MAC.to_bytes(6, "big") + OWN + b"\xff\xff\xff\0"),
        (0x091E, b"\0\x06" + "B07".encode("utf-16-be")),
    ]
    listed = b"".join(struct.pack(">HH", number, len(value)) + value for number, value in attributes)
    event = struct.pack(">HHHIHH", 33, 0, 0, 5, 0x0D17, len(listed) + 4)
    event += struct.pack(">HH", len(attributes), len(listed)) + listed
    return b"\0\1\0\0" + struct.pack(">HHHHH", 1, 6 + len(event), 9, 0, len(event)) + event


SOAP = (
    b'<?xml version="1.0"?><s12:Envelope><s12:Header><wsa:Action>'
    b"http://standards.ieee.org/downloads/11073/11073-20701-2018/%s</wsa:Action></s12:Header>"
)
WHEN = "2026-11-02T08:00:00+01:00"
METER = poct1a.device("ST-OTTILIE^W3-QUILLFEATHER", "NOVABIO", "StatStrip", "0600100736")
HELLO_OF_A_METER = poct1a.message("HEL.R01", 7135, WHEN, METER)
RESULT_OF_A_METER = poct1a.message(
    "OBS.R01", 12, WHEN, poct1a.observation(WHEN, "WT7740193V", "quillfeather", "104"), declared=True
)
MORE: dict[HintKind, list[bytes]] = {
    HintKind.TCP_SYN: [syn(LINUX_OPTIONS), syn(WINDOWS_OPTIONS, left=128, flags=SYN | ACK)],
    HintKind.TLS_SERVER: [tls.server_hello(bytes(32)), tls.server_hello(bytes(32), version=tls.TLS_1_2)],
    HintKind.QUIC: [quic(1), quic(0x6B3343CF), old_quic(b"Q039")],
    HintKind.MQTT: [
        mqtt(b"9d4e1f6a-0001-4c3e-9f10-112233445566"),
        mqtt(b"pump-7", 0xC2, 5, tail=b"\0\5nurse\0\6secret"),
    ],
    HintKind.MODBUS: [modbus(3), modbus(0x83, b"\2"), identification(b"Schneider Electric", b"TM221", b"V1.6")],
    HintKind.NTP: [ntp.client(0), b"\x24\1\3\xe9" + bytes(8) + b"GPS\0" + bytes(32)],
    HintKind.SNMP: [snmp(0xA0), snmp(0xA2, value=ber(6, CISCO_OBJECT)), snmp_trap(), snmp_3()],
    HintKind.SIP: [
        bedside.sip_register("4711", "pbx.example", "10.1.0.5", 7),
        b"SIP/2.0 200 OK\r\nServer: Asterisk PBX 16\r\nFrom: <sip:quillfeather@x>\r\n\r\n",
    ],
    HintKind.STP: [bpdu(1, 1), bpdu(1, 2, flags=1, version=2, kind=2), topology_change(0x18BA98688F)],
    HintKind.ARP: [
        arp(1, MONITOR_MAC, OWN, OWN),
        arp(1, MONITOR_MAC, bytes(4), OWN),
        arp(2, MONITOR_MAC, OWN, b"\x0a\x29\7\1"),
    ],
    HintKind.ND: [router_advertisement(), b"\x88\0\0\0\x60\0\0\0" + ROUTER + b"\2\1\0\0\0\0\0\1", b"\x85" + bytes(7)],
    HintKind.INTELLIVUE: [connect_indication(), bedside.poll(1, answer=True), b"\x0d\xec\5\x08\x13\1\0\x16"],
    HintKind.SDC: [SOAP % b"GetService/GetMdib", SOAP % b"StateEventService/EpisodicMetricReport"],
    HintKind.POCT1A: [HELLO_OF_A_METER, RESULT_OF_A_METER, poct1a.acknowledgement(3, 12, WHEN)],
    HintKind.FTP_LOGIN: [b"PASS"],
    HintKind.SMTP_LOGIN: [b"AUTH"],
    HintKind.POP3_LOGIN: [b"PASS"],
    HintKind.IMAP_LOGIN: [b"a1 L"],
    HintKind.LDAP_LOGIN: [b"\x30\x2a\2\1"],
    HintKind.TELNET_LOGIN: [b"Pass"],
    **{HintKind(kind): [b"\xd4"] for kind in range(HintKind.SOURCE_ROUTE, HintKind.RARP_REPLY + 1)},
    HintKind.SMB_EXPLOIT: [smb.trans2(0x0E), smb.trans2_answer(0x51), smb.nt_transact(0, 0x103D0), smb.nt_transact(5)],
}
