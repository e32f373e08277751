"""Evidence as people are told it, on the page and in a terminal: a card's signals, a finding's numbers.

What came in a message stays as it is here: whoever prints it makes it visible.
"""

PERMILLE, SCORE = "-permille", "score-permille"  # a score is a log likelihood ratio and no share

# The part of a signal's name before the dot; what is not here is a word already.
FAMILIES = {
    "oui": "maker", "offers": "serves", "dhcp": "DHCP", "dhcpv6": "DHCPv6", "mdns": "mDNS", "llmnr": "LLMNR",
    "tls": "TLS", "quic": "QUIC", "wsd": "WS-Discovery", "ssdp": "SSDP", "upnp": "UPnP", "lldp": "LLDP", "cdp": "CDP",
    "stp": "spanning tree", "arp": "ARP", "nd": "neighbour discovery", "dicom": "DICOM", "hl7": "HL7", "sdc": "SDC",
    "intellivue": "IntelliVue", "capsule": "Capsule", "http": "HTTP", "smb": "SMB", "ssh": "SSH", "netbios": "NetBIOS",
    "bacnet": "BACnet", "modbus": "Modbus", "mqtt": "MQTT", "ntp": "NTP", "snmp": "SNMP", "sip": "SIP", "dns": "DNS",
    "tcp": "TCP", "mac": "MAC",
}  # fmt: skip


def signal_words(signal: str) -> str:
    """`dhcp.vendor` as `DHCP vendor`, `oui` as `maker`."""
    family, _, what = signal.partition(".")
    return " ".join(filter(None, (FAMILIES.get(family, family), what.replace("_", " "))))


def reason(signal: str, value: str) -> str:
    """`DHCP vendor alaris-pcu`."""
    return " ".join(filter(None, (signal_words(signal), value)))


def measure(name: str) -> str:
    """What a number or a text of a finding's evidence is called: `role confidence`."""
    return name.removesuffix(PERMILLE).replace("-", " ")


def measured(value: int | str, name: str) -> str:
    """Its value: a share in per cent, a score in its own unit."""
    if not isinstance(value, int) or not name.endswith(PERMILLE):
        return str(value)
    return f"{value / 1000:.1f}" if name == SCORE else f"{value / 10:.0f} %"
