"""The words of a sentence: roles, services, addresses, times. Nothing in here repeats a string from the wire."""

from functools import lru_cache
from ipaddress import IPv6Address

from agent.clock import utc_text

LABEL_MAX = 96  # characters of a device's label in a sentence; a label is clean already, its length is bounded here
NS_PER_S = 1_000_000_000

# role -> (one, many). Roles that are not listed read as their own id with blanks.
_ROLES: dict[str, tuple[str, str]] = {
    "pacs": ("PACS", "PACS servers"),
    "imaging-modality": ("imaging modality", "imaging modalities"),
    "anaesthesia": ("anaesthesia machine", "anaesthesia machines"),
    "lab-analyser": ("laboratory analyser", "laboratory analysers"),
    "ip-camera": ("IP camera", "IP cameras"),
    "voip-phone": ("VoIP phone", "VoIP phones"),
    "rtls": ("location (RTLS) device", "location (RTLS) devices"),
    "network-gear": ("network device", "network devices"),
    "building-control": ("building controller", "building controllers"),
    "nurse-call": ("nurse-call device", "nurse-call devices"),
    "iot-other": ("consumer device", "consumer devices"),
    "wardtap": ("wardtap", "wardtaps"),
    "unknown": ("device of unknown role", "devices of unknown role"),
}

PROTOCOLS: dict[int, str] = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 132: "sctp"}

# Names a network engineer expects beside the number (IANA service names, in the words people use).
_SERVICES: dict[tuple[int, int], str] = {
    (6, 20): "FTP data", (6, 21): "FTP", (6, 22): "SSH", (6, 23): "Telnet", (6, 25): "SMTP", (6, 80): "HTTP",
    (6, 104): "DICOM", (6, 135): "RPC", (6, 139): "NetBIOS", (6, 389): "LDAP", (6, 443): "HTTPS", (6, 445): "SMB",
    (6, 515): "LPD", (6, 631): "IPP", (6, 2049): "NFS", (6, 2323): "Telnet", (6, 2575): "HL7", (6, 2762): "DICOM TLS",
    (6, 3389): "RDP", (6, 5900): "VNC", (6, 9100): "raw printing", (6, 11112): "DICOM", (17, 53): "DNS", (6, 53): "DNS",
    (17, 69): "TFTP", (17, 123): "NTP", (17, 161): "SNMP", (17, 1900): "SSDP", (17, 5353): "mDNS", (17, 443): "QUIC",
    (17, 47808): "BACnet", (6, 502): "Modbus", (6, 1883): "MQTT", (6, 8883): "MQTT TLS", (17, 5060): "SIP",
}  # fmt: skip


def one(role: str) -> str:
    """`infusion pump`."""
    return _ROLES[role][0] if role in _ROLES else role.replace("-", " ")


def many(role: str) -> str:
    """`infusion pumps`."""
    return _ROLES[role][1] if role in _ROLES else role.replace("-", " ") + "s"


def article(noun: str) -> str:
    """`an infusion pump`, `a PACS`; abbreviations that are spelled out start as they sound."""
    return ("an " if noun[:1].lower() in "aeio" or noun.startswith("RTLS") else "a ") + noun


def bounded(label: str) -> str:
    """A device's label, its length bounded, controls removed as a second belt."""
    return "".join(c for c in label[:LABEL_MAX] if c.isprintable())


def sentence(text: str) -> str:
    """Text that starts with a capital and ends with one full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def mac_text(mac: int) -> str:
    """`00:d0:75:18:42:9b`; a device of a link without MACs (bit 63 set) is named by its keyed hash."""
    if mac >> 63:
        return f"address-{mac & 0xFFFFFFFF:08x}"
    digits = f"{mac:012x}"
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


@lru_cache(maxsize=4096)  # the same servers stand in edge after edge
def address_text(hi: int, lo: int) -> str:
    """An address as people write it; IPv4 is mapped into ::ffff:0:0/96."""
    value = IPv6Address((hi << 64) | lo)
    return str(value.ipv4_mapped or value)


def is_made_of(address: int, mac: int) -> bool:
    """Whether an IPv6 address (128 bits) was made of this card's MAC (RFC 4291 appendix A): then it is this card's."""
    return address & 0xFFFF_FFFF_FFFF_FFFF == (mac >> 24 ^ 0x020000) << 40 | 0xFFFE << 24 | mac & 0xFFFFFF


def protocol_text(protocol: int) -> str:
    """`tcp`, or `ip-protocol-99`."""
    return PROTOCOLS.get(protocol, f"ip-protocol-{protocol}")


def service_text(protocol: int, port: int) -> str:
    """`TCP port 445 (SMB)`; ICMP by its type (the port holds type << 8 | code)."""
    if protocol in (1, 58):
        return f"{'ICMP' if protocol == 1 else 'ICMPv6'} type {port >> 8}"
    if protocol not in (6, 17, 132):
        return f"IP protocol {protocol}"
    name = _SERVICES.get((protocol, port))
    plain = f"{protocol_text(protocol).upper()} port {port}"
    return f"{plain} ({name})" if name else plain


def time_text(time_ns: int) -> str:
    """UTC to the second, ISO 8601."""
    return utc_text(time_ns)


def within_text(first_ns: int, last_ns: int) -> str:
    """`within 9 seconds`, `within 4 minutes`."""
    seconds = max(1, -(-(last_ns - first_ns) // NS_PER_S))
    if seconds == 1:
        return "within a second"
    return f"within {seconds} seconds" if seconds < 120 else f"within {seconds // 60} minutes"
