"""Which kinds of signals say the same thing in other words, name a device, or come in any number."""

_FAMILIES = {  # of kinds that begin so; every other beginning is a family of its own
    "arp": "link",
    "cdp": "link",
    "lldp": "link",
    "nd": "link",
    "stp": "link",
    "dhcpv6": "dhcp",
    "llmnr": "windows",
    "netbios": "windows",
    "smb": "windows",
    "http": "software",
    "ssh": "software",
    "tls": "asks",
    "dns": "asks",
    "sdc": "ws-discovery",
    "wsd": "ws-discovery",
    "upnp": "ssdp",
}
_FAMILY_OF = {"http.host": "asks"}  # a kind that says something else than the rest of its protocol
NAME_KINDS = frozenset(
    {
        "cdp.name", "dhcp.fqdn", "dhcp.host", "dhcpv6.host", "dicom.ae", "lldp.name",
        "llmnr.host", "mdns.host", "netbios.host", "smb.host",
    }
)  # fmt: skip
# Kinds of which a device has any number: only what a line of the pack knows is remembered, else the names that somebody
# browses to would leave no room for what the machine says of itself later.
MANY_VALUES = frozenset(
    {
        "dicom.syntaxes", "dns.asks", "dns.failed", "http.host", "llmnr.asks", "mdns.asks", "ssdp.asks",
        "tcp.passed-syn", "tcp.passed-syn-ack", "tcp.syn", "tcp.syn-ack", "tls.ja3", "tls.ja4", "tls.sni",
    }
)  # fmt: skip


def family_of(kind: str) -> str:
    """The family of a kind of signal: facts of one family are not independent (see `scoring`)."""
    start = kind.partition(".")[0]
    return _FAMILY_OF.get(kind) or _FAMILIES.get(start, start)
