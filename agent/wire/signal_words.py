"""A card's evidence as people are told it: the kind of signal in words, then what was heard."""

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
