"""What leaves the decoder: one PACKET row per frame, whatever the frame holds."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]

LAYERS_MAX = 16  # headers walked in one frame before it is ignored as `too-deep`
TUNNEL_DEPTH_MAX = 4  # GRE, IP-in-IP, VXLAN, GENEVE, Teredo and clear CAPWAP data
VLAN_TAGS_MAX = 3
MPLS_LABELS_MAX = 8
IPV6_EXTENSIONS_MAX = 8


class Verdict(IntEnum):
    """What became of a frame. METERED and LINK are processed, the rest is ignored by that reason."""

    METERED = 0  # an IP packet: a flow and a device count it
    LINK = 1  # ARP, LLC, LLDP and other non-IP: a device counts it, no flow does
    EMPTY = 2  # no octets, or too short for its link header
    TRUNCATED = 3  # the capture cut it before its network header was whole
    MALFORMED = 4  # a header contradicts itself (version, length, offset)
    UNSUPPORTED = 5  # a link type that is not read
    TOO_DEEP = 6  # more layers than LAYERS_MAX or more tunnels than TUNNEL_DEPTH_MAX
    DUPLICATE = 7  # a mirror's second copy
    OVERLOAD = 8  # more came than this tap can look at: counted, not decoded (service/overload.py)


IGNORED_REASONS: dict[int, str] = {
    Verdict.EMPTY: "empty",
    Verdict.TRUNCATED: "truncated",
    Verdict.MALFORMED: "malformed",
    Verdict.UNSUPPORTED: "unsupported-link",
    Verdict.TOO_DEEP: "too-deep",
    Verdict.DUPLICATE: "duplicate",
    Verdict.OVERLOAD: "overload",
}
VERDICTS = len(Verdict)


class PacketFlag(IntEnum):
    """Bits of PACKET.flags."""

    FRAGMENT = 1  # part of a fragmented datagram
    FIRST_FRAGMENT = 2  # the part that has the ports
    CUT = 4  # caplen < wirelen
    BROADCAST = 8  # link-layer broadcast destination
    MULTICAST = 16  # link-layer group destination other than broadcast
    TUNNELLED = 32  # the row tells of a packet inside a tunnel
    PORTS = 64  # src_port and dst_port (or ICMP type and code) were read
    NO_MAC = 128  # the link type has no MAC addresses


class Application(IntEnum):
    """What a flow speaks, by content where the content says so, else by port. Names: `application_name`."""

    UNKNOWN = 0
    DNS = 1
    DHCP = 2
    NTP = 3
    TLS = 4
    HTTP = 5
    SMB1 = 6
    SMB2 = 7
    DICOM = 8
    HL7 = 9
    SSH = 10
    RDP = 11
    MQTT = 12
    BACNET = 13
    MODBUS = 14
    STRATUM = 15
    TELNET = 16
    FTP = 17
    SNMP = 18
    MDNS = 19
    LLMNR = 20
    NETBIOS = 21
    SSDP = 22
    WS_DISCOVERY = 23
    INTELLIVUE = 24
    SIP = 25
    RTP = 26
    LDAP = 27
    VNC = 28
    SMTP = 29
    POP3 = 30
    IMAP = 31
    QUIC = 32
    LPD = 33
    JETDIRECT = 34
    IPP = 35
    KERBEROS = 36
    TFTP = 37
    SYSLOG = 38
    DHCPV6 = 39
    ICMP = 40
    IGMP = 41
    IEEE11073 = 42
    CAPSULE = 43
    RTSP = 44
    NFS = 45
    RPC = 46
    CAPWAP = 47  # a Wi-Fi controller's tunnel under DTLS: metered as it is, what is inside is counted as unseen
    POCT1A = 48  # point-of-care testing: an analyser and its data manager (CLSI POCT1-A2)


def application_name(number: int) -> str:
    """The name people read: lower case, `-` for `_`; unknown numbers are `unknown`."""
    try:
        return Application(number).name.lower().replace("_", "-")
    except ValueError:
        return "unknown"


class DnsPart(IntEnum):
    """What is counted of a DNS message, by its header (RFC 1035 section 4.1.1)."""

    OTHER = 0
    QUESTION = 1  # QR 0, opcode QUERY
    FAILURE = 2  # an answer whose response code is not zero


class HintKind(IntEnum):
    """Which reader in `packets/hints/` understands a payload that the kernels found worth a look."""

    NONE = 0
    DHCP = 1
    MDNS = 2
    DICOM = 3
    HL7 = 4
    SSDP = 5
    WS_DISCOVERY = 6
    LLDP = 7
    CDP = 8
    NETBIOS = 9
    HTTP_REQUEST = 10
    HTTP_RESPONSE = 11
    TLS_CLIENT = 12
    SSH = 13
    SMB = 14
    DNS_QUERY = 15
    DNS_ANSWER = 16
    DHCPV6 = 17
    BACNET = 18
    CAPSULE = 19
    LLMNR = 20
    TCP_SYN = 21  # its reader is given the time to live and the TCP header
    TLS_SERVER = 22
    QUIC = 23
    MQTT = 24
    MODBUS = 25
    NTP = 26
    SNMP = 27
    SIP = 28
    STP = 29
    ARP = 30
    ND = 31
    INTELLIVUE = 32
    SDC = 33
    FTP_LOGIN = 34  # of log-ins a reader is given the command's word only
    SMTP_LOGIN = 35
    POP3_LOGIN = 36
    IMAP_LOGIN = 37
    LDAP_LOGIN = 38
    TELNET_LOGIN = 39
    SMB_EXPLOIT = 40  # an SMB message of a shape that only an attack has
    SOURCE_ROUTE = 41  # of headers that only an attack sends: the kind says it all, a reader is given nothing of them
    TINY_FRAGMENT = 42
    LENGTH_LIE = 43
    TUNNEL_FRAGMENT = 44
    LAND = 45
    URGENT = 46
    RARP_REPLY = 47
    POCT1A = 48


PACKET = np.dtype(
    [
        ("time_ns", "<i8"),  # of the frame
        ("src_hi", "<u8"),  # source address, upper 64 bits; IPv4 is mapped into ::ffff:0:0/96
        ("src_lo", "<u8"),
        ("dst_hi", "<u8"),
        ("dst_lo", "<u8"),
        ("src_mac", "<u8"),  # 48 bits; of the outermost Ethernet header
        ("dst_mac", "<u8"),
        ("payload", "<i8"),  # offset of the transport payload in the burst's octets
        ("payload_caplen", "<u4"),  # octets of it that were captured
        ("payload_octets", "<u4"),  # octets of it on the wire, by the IP and transport lengths
        ("wire_octets", "<u4"),  # frame length on the wire
        ("l3_octets", "<u4"),  # IP total length (RFC 7011 octetDeltaCount: header included, link layer not)
        ("tcp_seq", "<u4"),
        ("tcp_ack", "<u4"),
        ("ethertype", "<u2"),  # of the innermost link header; LLC frames have their length here
        ("vlan", "<u2"),  # outer VLAN id, 0 = untagged or priority tag
        ("vlan_inner", "<u2"),  # second VLAN id, 0 = none
        ("src_port", "<u2"),  # or ICMP type << 8 | code
        ("dst_port", "<u2"),  # ICMP: 0; ARP: operation
        ("ip_id", "<u2"),
        ("l4_checksum", "<u2"),
        ("tcp_window", "<u2"),
        ("tcp_flags", "u1"),
        ("protocol", "u1"),  # IANA protocol number of the innermost IP packet
        ("ip_version", "u1"),  # 4, 6, or 0 for LINK rows
        ("ttl", "u1"),  # or hop limit
        ("verdict", "u1"),
        ("flags", "u1"),
        ("leg", "u1"),
        ("tunnels", "u1"),  # tunnel headers that were walked
        ("application", "u1"),  # what the payload or the port says it is (Application); set by `recognise_burst`
        ("hint", "u1"),  # HintKind of a payload worth reading; set by `recognise_burst`
        ("dns", "u1"),  # DnsPart of a DNS message; set by `recognise_burst`
        ("flow", "<u8"),  # keyed digest of the flow's key; set by `hash_flows`
    ],
    align=True,
)
assert PACKET.itemsize == 128  # two cache lines
# For ARP rows: src_lo = sender IPv4, dst_lo = target IPv4 (both mapped), dst_port = operation, src_mac = the frame's
# source.
