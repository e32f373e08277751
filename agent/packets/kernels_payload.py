"""What a payload says it is, and which payloads are worth a reader's time.

`recognise_burst` sets `application` (by content, for datagrams also by port) and `hint` of decoded rows;
`select_hints` picks the hints that were not seen before, within a budget, so that Python runs only for news. Total:
every read is guarded by the payload octets that were captured. Nothing of a payload is kept but its keyed hash. Cost:
one look at the first octets of each payload.
"""

import numpy as np

from agent.jit import Flags, Hashes, Words, kernel, leaf
from agent.keyed import sip3
from agent.packets.records import Application as App
from agent.packets.records import HintKind, PacketFlag, Rows, Verdict
from agent.tap.records import Octets

METERED, LINK = int(Verdict.METERED), int(Verdict.LINK)
F_PORTS = int(PacketFlag.PORTS)
TCP, UDP = 6, 17
U64, U32 = np.uint64, np.uint32
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)  # unsigned indices: see packets/cursor.py

A_DNS, A_DHCP, A_NTP, A_TLS, A_HTTP = int(App.DNS), int(App.DHCP), int(App.NTP), int(App.TLS), int(App.HTTP)
A_SMB1, A_SMB2, A_DICOM, A_HL7, A_SSH = int(App.SMB1), int(App.SMB2), int(App.DICOM), int(App.HL7), int(App.SSH)
A_RDP, A_MQTT, A_BACNET, A_MODBUS = int(App.RDP), int(App.MQTT), int(App.BACNET), int(App.MODBUS)
A_STRATUM, A_TELNET, A_FTP, A_SNMP, A_MDNS = (
    int(App.STRATUM),
    int(App.TELNET),
    int(App.FTP),
    int(App.SNMP),
    int(App.MDNS),
)
A_LLMNR, A_NETBIOS, A_SSDP, A_WSD = int(App.LLMNR), int(App.NETBIOS), int(App.SSDP), int(App.WS_DISCOVERY)
A_INTELLIVUE, A_SIP, A_VNC, A_SMTP, A_POP3 = (
    int(App.INTELLIVUE),
    int(App.SIP),
    int(App.VNC),
    int(App.SMTP),
    int(App.POP3),
)
A_IMAP, A_QUIC, A_CAPSULE, A_RTSP, A_DHCPV6 = (
    int(App.IMAP),
    int(App.QUIC),
    int(App.CAPSULE),
    int(App.RTSP),
    int(App.DHCPV6),
)

A_CAPWAP = int(App.CAPWAP)
H_DHCP, H_MDNS, H_DICOM, H_HL7 = int(HintKind.DHCP), int(HintKind.MDNS), int(HintKind.DICOM), int(HintKind.HL7)
H_SSDP, H_WSD, H_LLDP, H_CDP = int(HintKind.SSDP), int(HintKind.WS_DISCOVERY), int(HintKind.LLDP), int(HintKind.CDP)
H_NETBIOS, H_REQUEST, H_RESPONSE = int(HintKind.NETBIOS), int(HintKind.HTTP_REQUEST), int(HintKind.HTTP_RESPONSE)
H_TLS, H_SSH, H_SMB, H_DHCPV6 = int(HintKind.TLS_CLIENT), int(HintKind.SSH), int(HintKind.SMB), int(HintKind.DHCPV6)
H_BACNET, H_CAPSULE, H_LLMNR = int(HintKind.BACNET), int(HintKind.CAPSULE), int(HintKind.LLMNR)

ETHERTYPE_LLDP = 0x88CC
CDP_GROUP = 0x01000CCCCCCC  # Cisco's group address for CDP, VTP and UDLD
HINT_OCTETS_MAX = 4096  # what a reader may see of one payload
HASHED_OCTETS = 512  # enough to tell two announcements of one device apart
STRATUM_LOOK = 256  # the method name of a miner's JSON line stands near its start

# Columns of `budget`.
LEFT, PER_SOURCE_MAX, SKIPPED, REPEATED = 0, 1, 2, 3


@leaf
def _word(octets: Octets, at: int) -> int:
    """Four octets, network order; the caller has checked that they are there."""
    i = U64(at)
    high = (U32(octets[i]) << U32(24)) | (U32(octets[i + ONE]) << U32(16))
    return np.int64(high | (U32(octets[i + TWO]) << U32(8)) | U32(octets[i + THREE]))


@leaf
def _half(octets: Octets, at: int) -> int:
    i = U64(at)
    return (np.int64(octets[i]) << 8) | np.int64(octets[i + ONE])


@leaf
def _holds(octets: Octets, at: int, end: int, first: int, second: int) -> bool:
    """Whether two four-octet words stand in this order, one after the other, in [at, end)."""
    for i in range(at, end - 7):
        if np.int64(octets[i]) == first >> 24 and _word(octets, i) == first and _word(octets, i + 4) == second:
            return True
    return False


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
        return A_SIP, 0
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
        return A_TLS, H_TLS if octets[at + 5] == 1 else 0
    if first == 0 and have >= 8:  # NetBIOS session message, then SMB's own magic
        magic = _word(octets, at + 4)
        if magic == 0xFF534D42:
            return A_SMB1, H_SMB
        if magic == 0xFE534D42 or magic == 0xFD534D42:
            return A_SMB2, H_SMB
    if 1 <= first <= 3 and octets[at + 1] == 0 and have >= 10:  # DICOM PS3.8: A-ASSOCIATE-RQ, -AC, -RJ
        length = _word(octets, at + 2)
        if (first == 3 and length == 4) or (first < 3 and 68 <= length < 1 << 20 and _half(octets, at + 6) & 1):
            return A_DICOM, H_DICOM
    if first == 0x0B and have >= 5 and _word(octets, at + 1) == 0x4D53487C:  # MLLP start block, MSH|
        return A_HL7, H_HL7
    if first == 0x10 and have >= 10:  # MQTT CONNECT: the protocol name follows a remaining length of 1 to 4 octets
        for skip in range(2, 6):
            if at + skip + 6 <= at + have and _word(octets, at + skip) == 0x00044D51:
                return A_MQTT, 0
    if (
        first == 3 and octets[at + 1] == 0 and have >= 7 and _half(octets, at + 2) == size
    ):  # TPKT, X.224 request or confirm
        if octets[at + 5] == 0xE0 or octets[at + 5] == 0xD0:
            return A_RDP, 0
    if first == 0xFF and 0xFB <= octets[at + 1] <= 0xFE:  # telnet option negotiation
        return A_TELNET, 0
    return 0, 0


@leaf
def _stream(octets: Octets, at: int, have: int, size: int, low_port: int) -> tuple[int, int]:
    """A TCP payload of at least four octets."""
    word = _word(octets, at)
    found, hint = _text_request(word)
    if found:
        return found, hint
    found, hint = _binary_stream(octets, at, have, size)
    if found:
        return found, hint
    if octets[at] == 0x7B:  # '{': a miner's JSON line ("mining." of stratum, "login" of its monero kin)
        end = at + min(have, STRATUM_LOOK)
        monero = _holds(octets, at, end, 0x226C6F67, 0x696E222C) or _holds(octets, at, end, 0x226C6F67, 0x696E2220)
        if _holds(octets, at, end, 0x226D696E, 0x696E672E) or monero:
            return A_STRATUM, 0
    if word == 0x32323020 or word == 0x3232302D:  # a 220 greeting is FTP's or SMTP's: the port decides
        return (A_FTP, 0) if low_port == 21 else ((A_SMTP, 0) if low_port == 25 or low_port == 587 else (0, 0))
    if low_port == 502 and have >= 8 and _half(octets, at + 2) == 0 and _half(octets, at + 4) == size - 6:
        return A_MODBUS, 0
    return 0, 0


@leaf
def _named_datagram(octets: Octets, at: int, have: int, port: int) -> tuple[int, int]:
    """Name services and announcements, by their port and a first look."""
    if port == 53:
        return (A_DNS, 0) if have >= 12 else (0, 0)
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
        return (A_DHCP, H_DHCP) if have >= 240 and _word(octets, at + 236) == 0x63825363 else (0, 0)
    if port == 546 or port == 547:
        return A_DHCPV6, H_DHCPV6
    return 0, 0


@leaf
def _datagram(octets: Octets, at: int, have: int, src_port: int, dst_port: int) -> tuple[int, int]:
    """A UDP payload: the responder's port names it, and its first octets must not deny it."""
    for port in (dst_port, src_port):
        found, hint = _named_datagram(octets, at, have, port)
        if found:
            return found, hint
        if port == 123 and have >= 48:
            return A_NTP, 0
        if (port == 161 or port == 162) and octets[at] == 0x30:
            return A_SNMP, 0
        if port == 47808 and octets[at] == 0x81:
            return A_BACNET, H_BACNET
        if port == 24105 or port == 24005:
            return A_INTELLIVUE, 0
        if port == 5090:
            return A_CAPSULE, H_CAPSULE
        if port == 5247 and have >= 4 and octets[at] == 1:  # RFC 5415 section 4.1: a DTLS header
            return A_CAPWAP, 0
        if port == 5060:
            return A_SIP, 0
        if port == 443 and octets[at] & 0x40 and have >= 20:  # QUIC's fixed bit (RFC 9000 section 17)
            return A_QUIC, 0
    return 0, 0


@kernel
def recognise_burst(rows: Rows, count: int, octets: Octets) -> int:
    """Set `application` and `hint` of `rows[:count]`. Returns how many have a hint."""
    hints = 0
    for i in range(count):
        row = rows[i]
        if row["verdict"] == LINK:
            if row["ethertype"] == ETHERTYPE_LLDP:
                row["hint"] = H_LLDP
            elif row["dst_mac"] == CDP_GROUP:
                row["hint"] = H_CDP
            hints += np.int64(row["hint"] != 0)
            continue
        have = np.int64(row["payload_caplen"])
        if row["verdict"] != METERED or have == 0 or not row["flags"] & F_PORTS:
            continue
        at, src_port, dst_port = np.int64(row["payload"]), np.int64(row["src_port"]), np.int64(row["dst_port"])
        found, hint = 0, 0
        if row["protocol"] == TCP and have >= 4:
            found, hint = _stream(octets, at, have, np.int64(row["payload_octets"]), min(src_port, dst_port))
        elif row["protocol"] == UDP:
            found, hint = _datagram(octets, at, have, src_port, dst_port)
        row["application"], row["hint"] = found, hint
        hints += np.int64(hint != 0)
    return hints


@leaf
def _digest(octets: Octets, at: int, size: int, key: Hashes, start: np.uint64) -> np.uint64:
    """Keyed hash of a payload's first octets, sixteen at a time."""
    digest, i = start, at
    end = at + min(size, HASHED_OCTETS)
    while i < end:
        first, second = U64(0), U64(0)
        for j in range(8):
            if i + j < end:
                first = (first << U64(8)) | U64(octets[i + j])
            if i + 8 + j < end:
                second = (second << U64(8)) | U64(octets[i + 8 + j])
        digest = sip3(key[0], key[1], digest, first, second)
        i += 16
    return digest


@kernel
def select_hints(
    frames: Rows, rows: Rows, places: Words, octets: Octets, wanted: Flags, seen: Hashes, per_source: Words,
    key: Hashes, budget: Words, chosen: Words,
) -> int:  # fmt: skip
    """Rows among those at `places`, in that order, whose hint is news: `chosen[:n]` = (row, offset, octets).

    `seen` remembers hashes of (source, kind, payload); `per_source` counts hints of one source and kind since it was
    last cleared; `budget` says how many may pass, and counts what was skipped and what was a repeat. Returns n.
    """
    n = 0
    for place in range(len(places)):
        i = U64(places[place])
        kind = np.int64(rows[i]["hint"])
        if kind == 0 or not wanted[kind]:
            continue
        at, size = np.int64(rows[i]["payload"]), np.int64(rows[i]["payload_caplen"])
        if kind == H_LLDP or kind == H_CDP:
            at, size = np.int64(frames[i]["offset"]), np.int64(frames[i]["caplen"])
        size = min(size, len(octets) - at, HINT_OCTETS_MAX)
        if size <= 0:
            continue
        digest = _digest(octets, at, size, key, U64(rows[i]["src_mac"]) | (U64(kind) << U64(56))) | U64(1)
        slot = np.int64(digest & U64(len(seen) - 1))
        if seen[slot] == digest:
            budget[REPEATED] += 1
            continue
        source = np.int64(sip3(key[0], key[1], U64(rows[i]["src_mac"]), U64(kind), U64(0)) & U64(len(per_source) - 1))
        if budget[LEFT] <= 0 or per_source[source] >= budget[PER_SOURCE_MAX] or n >= len(chosen):
            budget[SKIPPED] += 1
            continue
        seen[slot] = digest
        per_source[source] += 1
        budget[LEFT] -= 1
        chosen[n, 0], chosen[n, 1], chosen[n, 2] = i, at, size
        n += 1
    return n
