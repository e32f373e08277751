"""What a payload says it is, and which payloads are worth a reader's time.

`recognise_burst` sets `application` (by content, for datagrams also by port), `dns` and `hint` of decoded rows. Total:
every read is guarded by the payload octets that were captured. Of log-ins in clear only the command is looked for.
Cost: one look at the first octets of each payload.
"""

import numpy as np

from agent.jit import kernel, leaf
from agent.packets.cursor import u16, u32
from agent.packets.gists import tcp_header
from agent.packets.logins import login
from agent.packets.point_of_care import message_at
from agent.packets.records import Application as App
from agent.packets.records import DnsPart, HintKind, PacketFlag, Rows, Verdict
from agent.packets.scan import holds
from agent.packets.smb_shapes import smb1_hint, smb2_hint
from agent.tap.records import Octets

METERED, LINK = int(Verdict.METERED), int(Verdict.LINK)
F_PORTS = int(PacketFlag.PORTS)
TCP, UDP, ICMPV6 = 6, 17, 58
U64 = np.uint64

A_DNS, A_DHCP, A_NTP, A_TLS, A_HTTP = int(App.DNS), int(App.DHCP), int(App.NTP), int(App.TLS), int(App.HTTP)
A_SMB1, A_SMB2, A_DICOM, A_HL7, A_SSH = int(App.SMB1), int(App.SMB2), int(App.DICOM), int(App.HL7), int(App.SSH)
A_RDP, A_MQTT, A_BACNET, A_MODBUS = int(App.RDP), int(App.MQTT), int(App.BACNET), int(App.MODBUS)
A_STRATUM, A_TELNET, A_FTP, A_SNMP = int(App.STRATUM), int(App.TELNET), int(App.FTP), int(App.SNMP)
A_LLMNR, A_NETBIOS, A_SSDP, A_WSD = int(App.LLMNR), int(App.NETBIOS), int(App.SSDP), int(App.WS_DISCOVERY)
A_INTELLIVUE, A_SIP, A_VNC, A_SMTP = int(App.INTELLIVUE), int(App.SIP), int(App.VNC), int(App.SMTP)
A_POP3, A_IMAP, A_QUIC, A_CAPSULE = int(App.POP3), int(App.IMAP), int(App.QUIC), int(App.CAPSULE)
A_RTSP, A_DHCPV6, A_CAPWAP, A_MDNS = int(App.RTSP), int(App.DHCPV6), int(App.CAPWAP), int(App.MDNS)
A_RTP, A_IEEE11073, A_POCT1A = int(App.RTP), int(App.IEEE11073), int(App.POCT1A)

H_DHCP, H_MDNS, H_DICOM, H_HL7 = int(HintKind.DHCP), int(HintKind.MDNS), int(HintKind.DICOM), int(HintKind.HL7)
H_SSDP, H_WSD, H_LLDP, H_CDP = int(HintKind.SSDP), int(HintKind.WS_DISCOVERY), int(HintKind.LLDP), int(HintKind.CDP)
H_NETBIOS, H_REQUEST, H_RESPONSE = int(HintKind.NETBIOS), int(HintKind.HTTP_REQUEST), int(HintKind.HTTP_RESPONSE)
H_TLS, H_SSH, H_SMB, H_DHCPV6 = int(HintKind.TLS_CLIENT), int(HintKind.SSH), int(HintKind.SMB), int(HintKind.DHCPV6)
H_BACNET, H_CAPSULE, H_LLMNR = int(HintKind.BACNET), int(HintKind.CAPSULE), int(HintKind.LLMNR)
DNS_QUESTION, DNS_FAILURE = int(DnsPart.QUESTION), int(DnsPart.FAILURE)
H_QUERY, H_ANSWER, H_SYN = int(HintKind.DNS_QUERY), int(HintKind.DNS_ANSWER), int(HintKind.TCP_SYN)
H_TLS_SERVER, H_QUIC, H_MQTT = int(HintKind.TLS_SERVER), int(HintKind.QUIC), int(HintKind.MQTT)
H_MODBUS, H_NTP, H_SNMP, H_SIP = int(HintKind.MODBUS), int(HintKind.NTP), int(HintKind.SNMP), int(HintKind.SIP)
H_STP, H_ARP, H_ND, H_SDC = int(HintKind.STP), int(HintKind.ARP), int(HintKind.ND), int(HintKind.SDC)
H_INTELLIVUE, H_POCT1A = int(HintKind.INTELLIVUE), int(HintKind.POCT1A)
H_LAND, H_URGENT, H_RARP = int(HintKind.LAND), int(HintKind.URGENT), int(HintKind.RARP_REPLY)

ETHERTYPE_LLDP, ETHERTYPE_ARP, ETHERTYPE_MIN = 0x88CC, 0x0806, 0x0600
CDP_GROUP = 0x01000CCCCCCC  # Cisco's group address for CDP, VTP and UDLD
STP_GROUP, PVST_GROUP = 0x0180C2000000, 0x01000CCCCCCD  # IEEE 802.1D, and Cisco's spanning tree per VLAN
NOBODY = U64(0xFFFF00000000)  # 0.0.0.0, mapped
ETHERTYPE_RARP, RARP_REPLY = 0x8035, 4  # RFC 903; a virtual machine's host asks (3) to show where it is, nobody answers
SYN, RST_OR_FIN, ACK, URG = 0x02, 0x05, 0x10, 0x20
URGENT_AT = 18  # of the TCP header
ND_FIRST, ND_LAST, ND_HOPS = 133, 136, 255  # RFC 4861: router solicitation to neighbour advertisement, never routed
STRATUM_LOOK = 256  # the method name of a miner's JSON line stands near its start
SDC_LOOK = 1024  # an envelope declares its namespaces first


@leaf
def _text_request(word: int) -> tuple[int, int]:
    """Protocols that begin with a word of ASCII."""
    if word == 0x47455420 or word == 0x504F5354 or word == 0x48454144 or word == 0x50555420:  # GET, POST, HEAD, PUT
        return A_HTTP, H_REQUEST
    if word == 0x48545450:  # HTTP
        return A_HTTP, H_RESPONSE
    if word == 0x434F4E4E or word == 0x44454C45 or word == 0x50524F50:  # CONNECT, DELETE, PROPFIND
        return A_HTTP, H_REQUEST
    if word == 0x5353482D:  # SSH-
        return A_SSH, H_SSH
    if word == 0x52464220:  # RFB
        return A_VNC, 0
    if word == 0x52545350:  # RTSP
        return A_RTSP, 0
    if word == 0x5349502F or word == 0x494E5649 or word == 0x52454749:  # SIP/, INVITE, REGISTER
        return A_SIP, H_SIP
    if word == 0x2B4F4B20:  # +OK
        return A_POP3, 0
    if word == 0x2A204F4B:  # * OK
        return A_IMAP, 0
    if word == 0x4D53487C:  # MSH| without its MLLP frame
        return A_HL7, H_HL7
    return 0, 0


@leaf
def _binary_stream(octets: Octets, at: int, have: int, size: int) -> tuple[int, int]:
    """Protocols whose first octets are numbers. `size` is the payload on the wire."""
    first = np.int64(octets[at])
    if first == 0x16 and octets[at + 1] == 3 and octets[at + 2] <= 4 and have >= 6:  # TLS handshake record
        return A_TLS, H_TLS if octets[at + 5] == 1 else (H_TLS_SERVER if octets[at + 5] == 2 else 0)
    if first == 0 and have >= 8:  # NetBIOS session message, then SMB's own magic
        magic = u32(octets, at + 4)
        if magic == 0xFF534D42:
            return A_SMB1, smb1_hint(octets, at, have)
        if magic == 0xFE534D42:
            return A_SMB2, smb2_hint(octets, at, have)
        if magic == 0xFD534D42:
            return A_SMB2, H_SMB
    if 1 <= first <= 3 and octets[at + 1] == 0 and have >= 10:  # DICOM PS3.8: A-ASSOCIATE-RQ, -AC, -RJ
        length = u32(octets, at + 2)
        if (first == 3 and length == 4) or (first < 3 and 68 <= length < 1 << 20 and u16(octets, at + 6) & 1):
            return A_DICOM, H_DICOM
    if first == 7 and size == 10 and have == 10 and octets[at + 1] == 0 and u32(octets, at + 2) == 4:  # A-ABORT
        return A_DICOM, H_DICOM
    if first == 0x0B and have >= 5 and u32(octets, at + 1) == 0x4D53487C:  # MLLP start block, MSH|
        return A_HL7, H_HL7
    if first == 0x10 and have >= 10:  # MQTT CONNECT: the protocol name follows a remaining length of 1 to 4 octets
        for skip in range(2, 6):
            name = u32(octets, at + skip) if skip + 6 <= have else 0
            if name == 0x00044D51 or name == 0x00064D51:  # MQTT, and MQIsdp of version 3.1
                return A_MQTT, H_MQTT
    if (
        first == 3 and octets[at + 1] == 0 and have >= 7 and u16(octets, at + 2) == size
    ):  # TPKT, X.224 request or confirm
        if octets[at + 5] == 0xE0 or octets[at + 5] == 0xD0:
            return A_RDP, 0
    if first == 0xFF and 0xFB <= octets[at + 1] <= 0xFE:  # telnet option negotiation
        return A_TELNET, 0
    return 0, 0


@leaf
def _element(octets: Octets, at: int, have: int, word: int) -> tuple[int, int]:
    """A payload that begins with '<': two clinical protocols write XML without HTTP around it."""
    if word == 0x3C3F786D:  # '<?xm': SDC in clear names its standard, 11073-20701
        if holds(octets, at, at + min(have, SDC_LOOK), 0x31313037, 0x332D3230):
            return A_IEEE11073, H_SDC
    return (A_POCT1A, H_POCT1A) if message_at(octets, at, have) >= 0 else (0, 0)


@leaf
def _stream(octets: Octets, at: int, have: int, size: int, low_port: int) -> tuple[int, int]:
    """A TCP payload of at least four octets."""
    word = u32(octets, at)
    found, hint = _text_request(word)
    if found:
        return found, hint
    found, hint = _binary_stream(octets, at, have, size)
    if found:
        return found, hint
    found, hint = login(octets, at, have, low_port)
    if found:
        return found, hint
    if octets[at] == 0x3C:
        found, hint = _element(octets, at, have, word)
        if found:
            return found, hint
    if octets[at] == 0x7B:  # '{': a miner's JSON line ("mining." of stratum, "login" of its monero kin)
        end = at + min(have, STRATUM_LOOK)
        monero = holds(octets, at, end, 0x226C6F67, 0x696E222C) or holds(octets, at, end, 0x226C6F67, 0x696E2220)
        if holds(octets, at, end, 0x226D696E, 0x696E672E) or monero:
            return A_STRATUM, 0
    if word == 0x32323020 or word == 0x3232302D:  # a 220 greeting is FTP's or SMTP's: the port decides
        return (A_FTP, 0) if low_port == 21 else ((A_SMTP, 0) if low_port == 25 or low_port == 587 else (0, 0))
    if low_port == 502 and have >= 8 and u16(octets, at + 2) == 0 and u16(octets, at + 4) == size - 6:
        return A_MODBUS, H_MODBUS
    return 0, 0


@leaf
def _dns_hint(octets: Octets, at: int) -> int:
    """A plain query or its answer: operation 0, the reserved bit clear, one question (RFC 1035 section 4.1.1)."""
    if u16(octets, at + 2) & 0x7840 or u16(octets, at + 4) != 1:
        return 0
    return H_ANSWER if octets[at + 2] & 0x80 else H_QUERY


@leaf
def _dns_part(octets: Octets, at: int) -> int:
    """What its header says of a message, for who counts it without its octets."""
    if octets[at + 2] & 0xF8 == 0:
        return DNS_QUESTION
    return DNS_FAILURE if octets[at + 2] & 0x80 and octets[at + 3] & 0x0F else 0


@leaf
def _is_intellivue(octets: Octets, at: int, have: int) -> bool:
    """Data export, an association's step, or a connect indication's nomenclature."""
    if have < 8:
        return False
    first = np.int64(octets[at])
    if u16(octets, at) == 0xE100 or first == 0:
        return True
    return first == 0x09 or first == 0x0A or first == 0x0C or first == 0x0D or first == 0x0E or first == 0x19


@leaf
def _named_datagram(octets: Octets, at: int, have: int, port: int) -> tuple[int, int]:
    """Name services and announcements, by their port and a first look."""
    if port == 53:
        return (A_DNS, _dns_hint(octets, at)) if have >= 12 else (0, 0)
    if port == 5353:
        return (A_MDNS, H_MDNS) if have >= 12 else (0, 0)
    if port == 5355:
        return A_LLMNR, H_LLMNR
    if port == 137 or port == 138:
        return A_NETBIOS, H_NETBIOS
    if port == 1900:
        return A_SSDP, H_SSDP
    if port == 3702:
        return A_WSD, H_WSD
    if port == 67 or port == 68:  # the magic cookie of RFC 2131 section 3
        return (A_DHCP, H_DHCP) if have >= 240 and u32(octets, at + 236) == 0x63825363 else (0, 0)
    if port == 546 or port == 547:
        return A_DHCPV6, H_DHCPV6
    return 0, 0


@leaf
def _is_call(octets: Octets, at: int, have: int) -> bool:
    """RTP (RFC 3550) of a telephone call: plain header, a codec of RFC 3551 and as much as it makes in 10 to 40 ms."""
    if have < 32 or octets[at] != 0x80:
        return False
    codec, body = np.int64(octets[at + 1] & 0x7F), have - 12
    if codec == 0 or codec == 8 or codec == 9:  # G.711, G.722: 80 octets in 10 ms
        return body == 80 or body == 160 or body == 240 or body == 320
    return codec == 18 and (body == 20 or body == 40)  # G.729


@leaf
def _link_hint(row: np.void) -> int:
    """What a frame without IP may say of its sender."""
    if row["ethertype"] == ETHERTYPE_LLDP:
        return H_LLDP
    if row["ethertype"] == ETHERTYPE_ARP:  # of a card's own address; questions for others tell nothing
        own = row["src_lo"] == row["dst_lo"] or row["src_lo"] == NOBODY or row["dst_port"] == 2
        return H_ARP if own and row["src_mac"] else 0
    if row["ethertype"] == ETHERTYPE_RARP:
        return H_RARP if row["dst_port"] == RARP_REPLY else 0
    if row["dst_mac"] == CDP_GROUP:
        return H_CDP
    if row["dst_mac"] == STP_GROUP and row["ethertype"] < ETHERTYPE_MIN:
        return H_STP
    return H_STP if row["dst_mac"] == PVST_GROUP else 0


@leaf
def _urgent_hint(row: np.void, octets: Octets) -> int:
    """Urgent data that ends before it began (CVE-2019-12255); to scan without an ACK is another matter."""
    if not row["tcp_flags"] & ACK:
        return 0
    at = tcp_header(row, octets)
    return H_URGENT if at >= 0 and u16(octets, at + URGENT_AT) == 0 else 0


@leaf
def _headers_hint(row: np.void, octets: Octets) -> int:
    """What a packet's headers say without a payload: a connection's first packet, a neighbour discovery."""
    if row["protocol"] == TCP:
        if not row["tcp_flags"] & (SYN | URG) or row["tcp_flags"] & RST_OR_FIN:
            return 0
        if not row["tcp_flags"] & SYN:
            return _urgent_hint(row, octets)
        if row["src_lo"] == row["dst_lo"] and row["src_hi"] == row["dst_hi"] and row["src_port"] == row["dst_port"]:
            return H_LAND if row["src_mac"] else 0  # a link without MACs is the loopback's
        left = np.int64(row["ttl"])  # of a packet that no router has passed on: it speaks of its sender's stack
        near = left == 64 or left == 128 or left == 255 or left == 32
        passed = left == 63 or left == 127 or left == 254 or left == 31  # by one: of a path that became longer
        return H_SYN if near or passed else 0
    if row["protocol"] != ICMPV6 or row["ttl"] != ND_HOPS:
        return 0
    kind, at = np.int64(row["src_port"]) >> 8, np.int64(row["payload"]) - 8
    if kind < ND_FIRST or kind > ND_LAST or at < 0 or at + 8 > len(octets):
        return 0
    return H_ND if octets[at] == kind else 0


@leaf
def _datagram(octets: Octets, at: int, have: int, src_port: int, dst_port: int) -> tuple[int, int]:
    """A UDP payload: the responder's port names it, and its first octets must not deny it."""
    for port in (dst_port, src_port):
        found, hint = _named_datagram(octets, at, have, port)
        if found:
            return found, hint
        if port == 123 and have >= 48:
            plain = 8 <= octets[at] & 0x38 <= 32 and 1 <= octets[at] & 7 <= 5 and octets[at + 1] <= 16
            return A_NTP, H_NTP if plain else 0
        if (port == 161 or port == 162) and octets[at] == 0x30:
            return A_SNMP, H_SNMP
        if port == 47808 and octets[at] == 0x81:
            return A_BACNET, H_BACNET
        if port == 24105 or port == 24005:
            return A_INTELLIVUE, H_INTELLIVUE if _is_intellivue(octets, at, have) else 0
        if port == 5090:
            return A_CAPSULE, H_CAPSULE
        if port == 5247 and have >= 4 and octets[at] == 1:  # RFC 5415 section 4.1: a DTLS header
            return A_CAPWAP, 0
        if port == 5060:
            return A_SIP, H_SIP
        if port == 443 and have >= 20:
            if octets[at] & 0x40:  # QUIC's fixed bit (RFC 9000 section 17); a long header tells the version
                return A_QUIC, H_QUIC if octets[at] & 0x80 else 0
            if octets[at] & 9 == 9 and u16(octets, at + 9) == 0x5130:  # Google's first form: Q0
                return A_QUIC, H_QUIC
    if have >= 20 and octets[at] & 0xC0 == 0xC0 and u32(octets, at + 1) == 1:  # QUIC version 1 on any port
        return A_QUIC, H_QUIC
    return (A_RTP, 0) if _is_call(octets, at, have) and not (src_port | dst_port) & 1 else (0, 0)


@kernel
def recognise_burst(rows: Rows, count: int, octets: Octets) -> int:
    """Set `application` and `hint` of `rows[:count]`. Returns how many have a hint."""
    hints = 0
    for i in range(count):
        row = rows[i]
        if row["verdict"] == LINK:
            row["hint"] = _link_hint(row)
            hints += np.int64(row["hint"] != 0)
            continue
        have = np.int64(row["payload_caplen"])
        if row["verdict"] != METERED or not row["flags"] & F_PORTS:
            hints += np.int64(row["hint"] != 0)  # what the walk found stays
            continue
        found, hint = 0, 0
        if have != 0:
            at, src_port, dst_port = np.int64(row["payload"]), np.int64(row["src_port"]), np.int64(row["dst_port"])
            if row["protocol"] == TCP and have >= 4:
                found, hint = _stream(octets, at, have, np.int64(row["payload_octets"]), min(src_port, dst_port))
            elif row["protocol"] == UDP:
                found, hint = _datagram(octets, at, have, src_port, dst_port)
        if row["hint"] != 0:
            hint = np.int64(row["hint"])
        elif hint == 0:
            hint = _headers_hint(row, octets)
        row["application"], row["hint"] = found, hint
        row["dns"] = _dns_part(octets, np.int64(row["payload"])) if found == A_DNS else 0
        hints += np.int64(hint != 0)
    return hints
