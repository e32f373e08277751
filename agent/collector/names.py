"""Names for numbers and keys that the page shows: IANA protocols, ward services, scopes of a peer, posture."""

from ipaddress import ip_address

PROTOCOLS = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmpv6", 89: "ospf", 132: "sctp"}
SERVICES = {
    (6, 21): "ftp",
    (6, 22): "ssh",
    (6, 23): "telnet",
    (6, 25): "smtp",
    (17, 53): "dns",
    (6, 53): "dns",
    (17, 67): "dhcp",
    (17, 68): "dhcp",
    (6, 80): "http",
    (6, 104): "dicom",
    (17, 123): "ntp",
    (6, 139): "netbios",
    (17, 137): "netbios",
    (17, 138): "netbios",
    (17, 161): "snmp",
    (6, 389): "ldap",
    (6, 443): "https",
    (17, 443): "quic",
    (6, 445): "smb",
    (6, 515): "lpd",
    (17, 1900): "ssdp",
    (6, 2575): "hl7",
    (6, 3389): "rdp",
    (17, 3702): "ws-discovery",
    (17, 5353): "mdns",
    (17, 5355): "llmnr",
    (6, 8883): "mqtt",
    (6, 1883): "mqtt",
    (6, 9100): "raw print",
    (6, 11112): "dicom",
    (17, 24105): "intellivue",
    (17, 47808): "bacnet",
}
SCOPES = ("this segment", "site", "internet", "multicast", "broadcast")
ASPECTS = {
    "system": "runs",
    "ended": "supported until",
    "service": "answers",
    "log-in": "log-ins in clear by",
    "default-login": "perhaps with the log-ins it was shipped with:",
    "smb": "SMB",
    "tls-answers": "answers with TLS",
    "tls-asks": "asks for TLS",
    "advisory": "public advisories about its product",
    "advisory-maker": "public advisories about its maker's products",
}  # of a card's posture
SEVERITIES = ("page", "review", "health", "posture")  # gravest first; the rank in the store counts from the end


def service(protocol: int, port: int) -> str:
    """`tcp 445 (smb)`; ICMP shows type and code (`port` is type << 8 | code)."""
    name = PROTOCOLS.get(protocol, f"ip {protocol}")
    if protocol in {1, 58}:
        return f"{name} type {port >> 8} code {port & 255}"
    known = SERVICES.get((protocol, port))
    return f"{name} {port} ({known})" if known else f"{name} {port}"


def scope(number: int) -> str:
    """Where a peer lies, seen from the ward."""
    return SCOPES[number] if 0 <= number < len(SCOPES) else f"scope {number}"


def address(octets: bytes) -> str:
    """An IPv4 or IPv6 address; whatever else it is, in hex."""
    if len(octets) not in {4, 16}:
        return octets.hex()
    found = ip_address(octets)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)
