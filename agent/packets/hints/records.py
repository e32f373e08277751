"""What leaves the hint readers: signals, the few allow-listed facts of a payload that help to name a device."""

from collections.abc import Callable
from typing import NamedTuple

PAYLOAD_MAX_OCTETS = 8192  # of one payload: the answer to 128 DICOM contexts has 4,129, its maker stands at the end
SIGNALS_MAX = 16  # leave one payload: a hostile payload must not buy more work than this
VALUE_MAX_CHARS = 128  # of one signal: the longest field worth matching (a system description) is cut here


class Signal(NamedTuple):
    """One fact from one payload. `value` is text from the wire: it may be matched, never printed or published as it is.

    kind         what was read, `protocol.field`; the full list is `KINDS`
    value        at most 128 printable characters
    subject_mac  the device it speaks of when the payload says so itself (DHCP chaddr); None: see `about_peer`
    address      an address the payload binds to the subject (4 or 16 octets), or b""
    about_peer   True: it speaks of the device the payload was sent to; False: of its sender
    """

    kind: str
    value: str
    subject_mac: int | None = None
    address: bytes = b""
    about_peer: bool = False


Reader = Callable[[bytes], list[Signal]]

# Every kind a reader may give, with its meaning. A kind that is not here does not exist: tests hold the readers to it.
KINDS: dict[str, str] = {
    "arp.says": "what an ARP message says of the card that sent it, by name (address in `address`)",
    "bacnet.asks": "BACnet unconfirmed or confirmed request sent, by name",
    "bacnet.device": "BACnet device instance number of an I-Am",
    "bacnet.vendor": "BACnet vendor number of an I-Am",
    "capsule.announce": "Capsule MDIP announcement",
    "cdp.capabilities": "CDP capability names",
    "cdp.name": "CDP device id (a host name)",
    "cdp.platform": "CDP platform",
    "cdp.version": "CDP software version, first line",
    "credentials.clear": "protocol in which credentials were sent in clear; never what they were, nor how long",
    "dhcp.client-id": "DHCP option 61, hexadecimal",
    "dhcp.dns": "DNS server given by a DHCP server (in `address`)",
    "dhcp.fqdn": "DHCP option 81 (a host name)",
    "dhcp.host": "DHCP option 12 (a host name)",
    "dhcp.lease": "address a DHCP server acknowledged or offered to the subject (in `address`)",
    "dhcp.message": "DHCP message type by name",
    "dhcp.options": "DHCP option 55, numbers in the order asked",
    "dhcp.order": "DHCP option numbers in the order sent",
    "dhcp.router": "default gateway given by a DHCP server (in `address`)",
    "dhcp.routes": "a DHCP server that gives itself as the router, `itself`",
    "dhcp.server": "DHCP server identifier of the sender (in `address`)",
    "dhcp.size": "DHCP option 57, largest message taken",
    "dhcp.vendor": "DHCP option 60, vendor class",
    "dhcp.vendor-class": "DHCP option 124, `enterprise number:text`",
    "dhcpv6.client-id": "kind of DHCPv6 unique identifier, by name",
    "dhcpv6.duid": "DHCPv6 option 1, the client's unique identifier, hexadecimal",
    "dhcpv6.host": "DHCPv6 client FQDN (a host name)",
    "dhcpv6.message": "DHCPv6 message type by name",
    "dhcpv6.options": "DHCPv6 option 6, numbers in the order asked",
    "dhcpv6.order": "DHCPv6 option numbers in the order sent",
    "dhcpv6.vendor": "DHCPv6 vendor class, `enterprise number:text`",
    "dicom.aborts": "why this device aborted an association, by name",
    "dicom.accepts": "associations this device accepted, `association`",
    "dicom.ae": "DICOM application entity title",
    "dicom.asked": "service classes a peer proposed to this device",
    "dicom.implementation": "DICOM implementation class UID",
    "dicom.rejects": "why this device rejected an association, by name",
    "dicom.syntaxes": "abstract syntaxes this device proposed, `number:digest`",
    "dicom.uses": "service classes this device proposed",
    "dicom.version": "DICOM implementation version name",
    "dns.answer": "name answered with an address (in `address`)",
    "dns.asks": "name asked",
    "dns.code": "response code of an answer when it is not success, by name",
    "dns.failed": "name that was asked for and does not exist",
    "dns.type": "record type asked for when it is no address, by name",
    "header.exploit": "shape of a header that only exploits send, by name",
    "hl7.ack": "HL7 MSA-1, acknowledgement code",
    "hl7.device": "kind of device an IHE PCD-01 message is about, by name",
    "hl7.message": "HL7 MSH-9, message type",
    "hl7.receiver": "HL7 MSH-5, receiving application",
    "hl7.receiver-facility": "HL7 MSH-6",
    "hl7.sender": "HL7 MSH-3, sending application",
    "hl7.sender-facility": "HL7 MSH-4",
    "http.agent": "HTTP User-Agent",
    "http.host": "host name an HTTP client asked for",
    "http.server": "HTTP Server",
    "intellivue.address": "address a monitor says it has (in `address`)",
    "intellivue.maker": "maker in an IntelliVue system model",
    "intellivue.model": "model in an IntelliVue system model",
    "intellivue.says": "IntelliVue message, by name",
    "lldp.capabilities": "LLDP enabled capabilities",
    "lldp.description": "LLDP system description",
    "lldp.maker": "LLDP-MED manufacturer name",
    "lldp.model": "LLDP-MED model name",
    "lldp.name": "LLDP system name (a host name)",
    "llmnr.asks": "name asked by LLMNR",
    "llmnr.host": "name answered by LLMNR (a host name)",
    "mdns.asks": "DNS-SD service type asked for",
    "mdns.host": "host name announced by mDNS (address in `address`)",
    "mdns.maker": "maker key of a DNS-SD TXT record",
    "mdns.model": "model key of a DNS-SD TXT record",
    "mdns.service": "DNS-SD service type offered",
    "modbus.maker": "vendor name of a Modbus device identification",
    "modbus.product": "product code of a Modbus device identification",
    "modbus.refuses": "Modbus function that was refused, by name",
    "modbus.revision": "revision of a Modbus device identification",
    "modbus.speaks": "Modbus function asked for or answered, by name",
    "mqtt.client": "class of an MQTT client id, never the id",
    "mqtt.version": "MQTT version of a CONNECT",
    "nd.asks": "what an IPv6 host solicits, by name",
    "nd.configuration": "how a router says that addresses are had",
    "nd.dns": "DNS server given by an IPv6 router (in `address`)",
    "nd.mtu": "MTU given by an IPv6 router",
    "nd.prefix": "length of a prefix given by an IPv6 router (in `address`)",
    "nd.router": "whether an IPv6 router offers a default route, by name",
    "nd.says": "neighbour advertisement of a host or a router (in `address`)",
    "netbios.group": "NetBIOS group (workgroup or domain)",
    "netbios.host": "NetBIOS computer name (a host name)",
    "netbios.os": "Windows version of a browser announcement, `major.minor`",
    "netbios.service": "what a NetBIOS name says of its holder, by name",
    "ntp.asks": "NTP version a client speaks",
    "ntp.reference": "kind of clock behind a stratum 1 server",
    "ntp.serves": "stratum an NTP server tells",
    "quic.version": "QUIC version, by name",
    "sdc.answers": "SDC operation answered, by name",
    "sdc.asks": "SDC operation asked for, by name",
    "sdc.reports": "SDC report sent, by name",
    "sip.agent": "SIP User-Agent",
    "sip.asks": "SIP method sent",
    "sip.server": "SIP Server",
    "smb.dialect": "SMB dialect offered or chosen",
    "smb.exploit": "shape of an SMB message that only exploits send, by name",
    "smb.host": "computer name of an NTLM challenge (a host name)",
    "smb.lanman": "SMB1 native LAN manager",
    "smb.os": "SMB1 native OS",
    "smb.os-version": "Windows version of an NTLM message, `major.minor.build`",
    "snmp.enterprise": "IANA enterprise number of an SNMP system identifier",
    "snmp.message": "SNMP message, by name",
    "snmp.version": "SNMP version",
    "ssdp.agent": "SSDP User-Agent",
    "ssdp.asks": "SSDP search target",
    "ssdp.server": "SSDP Server",
    "ssdp.type": "SSDP device or service type offered",
    "ssh.software": "SSH identification string",
    "stp.says": "what a spanning tree message says of its sender, by name",
    "stp.version": "spanning tree version, by name",
    "tcp.passed-syn": "fingerprint of a TCP stack one router away that opened a connection",
    "tcp.passed-syn-ack": "fingerprint of a TCP stack one router away that answered it",
    "tcp.syn": "fingerprint of the TCP stack that opened a connection",
    "tcp.syn-ack": "fingerprint of the TCP stack that answered it",
    "tls.alpn": "application protocol a TLS client offered",
    "tls.chosen": "TLS version a server chose",
    "tls.ja3": "JA3 of a TLS client",
    "tls.ja4": "JA4 of a TLS client",
    "tls.sni": "server name a TLS client asked for",
    "tls.version": "highest TLS version a client offered",
    "upnp.maker": "manufacturer of a UPnP device description",
    "upnp.model": "model name of a UPnP device description",
    "upnp.model-number": "model number of a UPnP device description",
    "wsd.asks": "WS-Discovery type asked for",
    "wsd.offers": "WS-Discovery type offered",
    "wsd.scope": "WS-Discovery scope scheme offered (the scheme, never the place in it)",
}
