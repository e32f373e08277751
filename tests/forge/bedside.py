"""Bedside and building: IntelliVue data export (UDP 24105, 24005), pump records (TCP 3613), BACnet/IP, SIP, RTP.

Only the outer shape of the vendor formats is public; the bodies are invented and say nothing.
"""

import struct

INTELLIVUE_PORT, INTELLIVUE_CONNECT_PORT, ALARIS_PORT, BACNET_PORT, SIP_PORT = 24105, 24005, 3613, 47808, 5060


def connect_indication(monitor_mac: bytes, bed: str) -> bytes:
    """Connect indication: version, MDS create event shape, the monitor's MAC and bed label."""
    return struct.pack(">HHHHH", 0, 1, 0xE100, 1, 64) + monitor_mac + b"\0" * 6 + bed.encode().ljust(52, b"\0")


def poll(number: int, *, answer: bool, values: bytes = b"") -> bytes:
    """A data export poll (session 0xe100, ROIV 1) or its result (RORS 2)."""
    kind = 2 if answer else 1
    return struct.pack(">HHHHHHI", 0xE100, 2, kind, 12 + len(values), number & 0xFFFF, 7, 0x0C1C0000) + values


def pump_record(kind: int, number: int, body: bytes = b"") -> bytes:
    """A record between a pump and its server: mark, kind, length, number, body, sum."""
    head = struct.pack(">HBBHI", 0xA1A5, 1, kind, len(body), number)
    return head + body + struct.pack(">H", sum(head + body) & 0xFFFF)


def bacnet(function: int, npdu: bytes, apdu: bytes) -> bytes:
    """BACnet virtual link (ASHRAE 135 annex J): type 0x81, function (0x0a unicast, 0x0b broadcast), length."""
    return struct.pack(">BBH", 0x81, function, 4 + len(npdu) + len(apdu)) + npdu + apdu


def who_is() -> bytes:
    """Who-Is to everybody."""
    return bacnet(0x0B, b"\x01\x20\xff\xff\x00\xff", b"\x10\x08")


def i_am(device: int, vendor: int) -> bytes:
    """I-Am: object identifier, largest message 1476, no segmentation, vendor id."""
    identifier = struct.pack(">BI", 0xC4, 8 << 22 | device)
    return bacnet(
        0x0B,
        b"\x01\x20\xff\xff\x00\xff",
        b"\x10\x00" + identifier + b"\x22\x05\xc4\x91\x03" + struct.pack(">BB", 0x21, vendor),
    )


def read_property(invoke: int, kind: int, instance: int, value: float | None = None) -> bytes:
    """ReadProperty present-value, or the complex acknowledgement that carries `value`."""
    wanted = struct.pack(">BI", 0x0C, kind << 22 | instance) + b"\x19\x55"
    if value is None:
        return bacnet(0x0A, b"\x01\x04", bytes([0x02, 0x44, invoke & 0xFF, 12]) + wanted)
    return bacnet(
        0x0A, b"\x01\x00", bytes([0x30, invoke & 0xFF, 12]) + wanted + b"\x3e\x44" + struct.pack(">f", value) + b"\x3f"
    )


def _sip(first: str, user: str, host: str, address: str, sequence: int) -> list[str]:
    return [
        first,
        f"Via: SIP/2.0/UDP {address}:5060;branch=z9hG4bK{sequence:08x}",
        f"From: <sip:{user}@{host}>;tag={sequence:x}",
        f"Call-ID: {sequence:x}@{address}",
        f"CSeq: {sequence} REGISTER",
        "Content-Length: 0",
    ]


def sip_register(user: str, host: str, address: str, sequence: int) -> bytes:
    """A REGISTER of a handset."""
    lines = _sip(f"REGISTER sip:{host} SIP/2.0", user, host, address, sequence)
    lines += [
        f"To: <sip:{user}@{host}>",
        f"Contact: <sip:{user}@{address}:5060>",
        "Expires: 120",
        "User-Agent: Ascom d83",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def sip_ok(user: str, host: str, address: str, sequence: int) -> bytes:
    """The 200 that answers it."""
    lines = [*_sip("SIP/2.0 200 OK", user, host, address, sequence), f"To: <sip:{user}@{host}>;tag=9", "", ""]
    return "\r\n".join(lines).encode()


def rtp(kind: int, sequence: int, time: int, source: int, body: bytes) -> bytes:
    """RTP (RFC 3550) without extensions."""
    return struct.pack(">BBHII", 0x80, kind, sequence & 0xFFFF, time & 0xFFFFFFFF, source) + body
