"""What a frame and a flow add to a device's STATS row. Leaves of the kernels.

Everything here is a sum or a union, so that rows of several tables with one key add up (`statistics.py`). Cost: a dozen
words of a row per frame and device.
"""

import numpy as np

from agent.devices.placing import owned, scope_of
from agent.devices.records import (
    CLINICALS,
    EXACT_MAX,
    GAP_BINS,
    GAP_FIRST,
    SCOPES,
    SIZE_BINS,
    SIZE_FIRST,
    Clinical,
    Rows,
    Scope,
)
from agent.flows.records import FlowEvent, FlowMark, FlowState
from agent.jit import LINE, Hashes, bit_length, fetch_line, leaf
from agent.keyed import sip3
from agent.packets.records import Application as App
from agent.packets.records import DnsPart, PacketFlag, Verdict

U64, U32 = np.uint64, np.uint32
NONE = -1
LINK, ETHERTYPE_ARP = int(Verdict.LINK), 0x0806
F_BROADCAST, F_GROUP = int(PacketFlag.BROADCAST), int(PacketFlag.BROADCAST) | int(PacketFlag.MULTICAST)
S_SEGMENT, S_MULTICAST, S_BROADCAST = int(Scope.SEGMENT), int(Scope.MULTICAST), int(Scope.BROADCAST)
E_ENDED, M_ANSWERED, S_SYN = int(FlowEvent.ENDED), int(FlowMark.ANSWERED), int(FlowState.SYN)
TCP, UDP = 6, 17

# Cache lines of a STATS row: that nearly every frame touches, that flows do.
TX_LINE, RX_LINE, SIZES_LINE, GAPS_LINE = 0, 2, 4, 5
USED_LINE, CLINICAL_FLOWS_LINE, CLINICAL_OCTETS_LINE = 1, 3, 7
A_DNS = int(App.DNS)
# A bit for each application whose datagrams to a group tell who the sender is.
ANNOUNCING = U64(
    1 << App.MDNS
    | 1 << App.SSDP
    | 1 << App.WS_DISCOVERY
    | 1 << App.NETBIOS
    | 1 << App.INTELLIVUE
    | 1 << App.CAPSULE
    | 1 << App.BACNET
)
DNS_QUESTION, DNS_FAILURE = int(DnsPart.QUESTION), int(DnsPart.FAILURE)

# HyperLogLog (Flajolet et al. 2007) with 2^9 registers of eight bits: standard error 1.04 / sqrt(512) = 4.6 %.
PEERS_AT, PORTS_AT = 9 * LINE, 17 * LINE  # octets into a row, where the registers begin
DENSE = EXACT_MAX + 1  # in *_used: the words are registers
INDEX_BITS = 9
RANK_MAX = 64 - INDEX_BITS + 1
A_PEER, A_PORT = U64(1 << 32), U64(2 << 32)  # what one distinct count hashes never equals what the other does

A_TLS, A_UNKNOWN = int(App.TLS), int(App.UNKNOWN)
A_DICOM, A_HL7, A_IEEE11073 = int(App.DICOM), int(App.HL7), int(App.IEEE11073)
A_INTELLIVUE, A_CAPSULE = int(App.INTELLIVUE), int(App.CAPSULE)
C_DICOM, C_HL7, C_IEEE11073 = int(Clinical.DICOM), int(Clinical.HL7), int(Clinical.IEEE11073)
C_INTELLIVUE, C_CAPSULE = int(Clinical.INTELLIVUE), int(Clinical.CAPSULE)


@leaf
def begin_stats(stat: np.void) -> None:
    """A new owner starts from nothing. Words of `peers` and `ports` beyond those used are never read."""
    for i in range(2 * SCOPES):
        stat["tx"][i], stat["rx"][i] = U64(0), U64(0)
    for i in range(SIZE_BINS):
        stat["sizes"][i] = U64(0)
    for i in range(GAP_BINS):
        stat["gaps"][i] = U64(0)
    for i in range(CLINICALS):
        stat["clear_flows"][i], stat["tls_flows"][i] = U32(0), U32(0)
        stat["clear_octets"][i], stat["tls_octets"][i] = U64(0), U64(0)
    stat["announcements"], stat["dns_questions"], stat["dns_failures"] = U64(0), U64(0), U64(0)
    stat["peers_used"], stat["ports_used"] = 0, 0


@leaf
def fetch_stats(stats: Rows, sender: int, receiver: int) -> None:
    """Ask for what a frame will need of them."""
    fetch_line(stats, sender, TX_LINE * LINE)
    fetch_line(stats, sender, SIZES_LINE * LINE)
    fetch_line(stats, sender, GAPS_LINE * LINE)
    fetch_line(stats, receiver, RX_LINE * LINE)


@leaf
def size_bin(octets: np.uint64) -> int:
    """Bin 0 below 2^SIZE_FIRST octets, each next twice as wide."""
    return min(max(bit_length(octets) - SIZE_FIRST, 0), SIZE_BINS - 1)


@leaf
def gap_bin(gap_ns: int) -> int:
    """Bin 0 below 2^GAP_FIRST ns, each next four times as wide."""
    return min(max((bit_length(U64(gap_ns)) - GAP_FIRST + 1) >> 1, 0), GAP_BINS - 1)


@leaf
def _target_scope(row: np.void, devices: Rows, receiver: int, sites: Hashes) -> int:
    """Where the destination lies: a device that owns the address is on this segment."""
    if row["flags"] & F_GROUP:
        return S_BROADCAST if row["flags"] & F_BROADCAST else S_MULTICAST
    hi, lo = row["dst_hi"], row["dst_lo"]
    if row["verdict"] == LINK or (receiver >= 0 and owned(devices[receiver], hi, lo) >= 0):
        return S_SEGMENT
    return scope_of(hi, lo, sites)


@leaf
def _source_scope(row: np.void, devices: Rows, sender: int, sites: Hashes) -> int:
    """Where the source of a frame to one device lies."""
    hi, lo = row["src_hi"], row["src_lo"]
    if row["verdict"] == LINK or (sender >= 0 and owned(devices[sender], hi, lo) >= 0):
        return S_SEGMENT
    return scope_of(hi, lo, sites)


@leaf
def _announces(row: np.void) -> bool:
    """LLDP, CDP, STP and their kin; gratuitous ARP (RFC 5227); datagrams to a group of protocols that announce."""
    if not row["flags"] & F_GROUP:
        return False
    if row["verdict"] != LINK:
        return bool(ANNOUNCING >> U64(row["application"]) & U64(1)) and row["application"] < 64
    return bool(row["ethertype"] != ETHERTYPE_ARP or (row["dst_port"] != 0 and row["src_lo"] == row["dst_lo"]))


@leaf
def measure_frame(
    row: np.void, sender: int, receiver: int, gap_ns: int, devices: Rows, stats: Rows, sites: Hashes
) -> None:
    """A frame, for the device that sent it and the one it was addressed to; -1 for one that is not known.

    `gap_ns` is the time since the sender's frame before; -1: there was none.
    """
    size = U64(row["wire_octets"])
    dns = row["dns"] if row["application"] == A_DNS else 0
    if sender >= 0:
        stat, scope = stats[sender], _target_scope(row, devices, receiver, sites)
        sent, sizes = stat["tx"], stat["sizes"]
        sent[U64(2 * scope)] += U64(1)
        sent[U64(2 * scope + 1)] += size
        sizes[U64(size_bin(size))] += U64(1)
        if gap_ns >= 0:
            gaps = stat["gaps"]
            gaps[U64(gap_bin(gap_ns))] += U64(1)
        if _announces(row):
            stat["announcements"] += U64(1)
        if dns == DNS_QUESTION:
            stat["dns_questions"] += U64(1)
    if receiver >= 0:
        stat, scope = stats[receiver], _source_scope(row, devices, sender, sites)
        heard = stat["rx"]
        heard[U64(2 * scope)] += U64(1)
        heard[U64(2 * scope + 1)] += size
        if dns == DNS_FAILURE:
            stat["dns_failures"] += U64(1)


@leaf
def _raise_register(words: Hashes, digest: np.uint64) -> None:
    """HyperLogLog: the first bits choose a register, which keeps the longest run of zeros among the others."""
    rank = min(65 - bit_length(digest << U64(INDEX_BITS)), RANK_MAX)
    index = digest >> U64(64 - INDEX_BITS)
    place, shift = index >> U64(3), (index & U64(7)) << U64(3)
    if U64(rank) > words[place] >> shift & U64(255):
        words[place] = (words[place] & ~(U64(255) << shift)) | U64(rank) << shift


@leaf
def _note(words: Hashes, used: int, digest: np.uint64, spare: Hashes) -> int:
    """One value of a distinct count: among the hashes while there is room, then in registers. Returns the new `used`.

    `spare` (EXACT_MAX) holds the hashes while their words become registers.
    """
    if used <= EXACT_MAX:
        for i in range(used):  # in the order they came: the common ones are found first
            if words[i] == digest:
                return used
        if used < EXACT_MAX:
            words[used] = digest
            return used + 1
        for i in range(EXACT_MAX):
            spare[i], words[i] = words[i], U64(0)
        for i in range(EXACT_MAX):
            _raise_register(words, spare[i])
    _raise_register(words, digest)
    return DENSE


@leaf
def peer_digest(key0: np.uint64, key1: np.uint64, hi: np.uint64, lo: np.uint64) -> np.uint64:
    """An address among the distinct ones. The key is turned around, as for the fans: no digest of a table's place."""
    return sip3(key1, key0, A_PEER, hi, lo)


@leaf
def service_digest(key0: np.uint64, key1: np.uint64, service: np.uint64) -> np.uint64:
    """A service (protocol << 16 | responder's port) among the distinct ones; 0: one without ports."""
    protocol = service >> U64(16)
    has_ports = U64(protocol == U64(TCP)) | U64(protocol == U64(UDP))
    return sip3(key1, key0, A_PORT, service, U64(0)) * has_ports


@leaf
def fetch_meeting(stats: Rows, device: int, peer: np.uint64, service: np.uint64) -> None:
    """Ask for what `meet` will touch: how many are known, the first services, and the registers of these digests."""
    fetch_line(stats, device, USED_LINE * LINE)
    fetch_line(stats, device, PEERS_AT + (np.int64(peer >> U64(64 - INDEX_BITS)) & ~7))
    fetch_line(stats, device, PORTS_AT)
    fetch_line(stats, device, PORTS_AT + (np.int64(service >> U64(64 - INDEX_BITS)) & ~7))


@leaf
def fetch_clinical(stats: Rows, device: int) -> None:
    """Ask for what `measure_clinical` will touch of the commoner protocols."""
    fetch_line(stats, device, CLINICAL_FLOWS_LINE * LINE)
    fetch_line(stats, device, CLINICAL_OCTETS_LINE * LINE)


@leaf
def meet(stat: np.void, peer: np.uint64, service: np.uint64, spare: Hashes) -> None:
    """A flow began: its peer and its service, as digests, are among the distinct ones."""
    stat["peers_used"] = _note(stat["peers"], np.int64(stat["peers_used"]), peer, spare)
    if service != U64(0):
        stat["ports_used"] = _note(stat["ports"], np.int64(stat["ports_used"]), service, spare)


CLINICAL_PORTS = (104, 2575, 2762, 5090, 6464, 11112, 24005, 24105)
CLINICAL_BITS = U64(sum({1 << port % 64 for port in CLINICAL_PORTS}))  # by their last six bits: most others have none


@leaf
def _clinical_port(protocol: int, port: int) -> int:
    """The clinical protocol that a responder's port is for (IANA; as packets/ports.py and the decoder have them)."""
    if not CLINICAL_BITS >> U64(port & 63) & U64(1):
        return NONE
    if port == 6464:
        return C_IEEE11073
    if protocol == TCP:
        dicom = port == 104 or port == 11112 or port == 2762
        return C_DICOM if dicom else C_HL7 if port == 2575 else NONE
    if protocol != UDP:
        return NONE
    monitor = port == 24105 or port == 24005
    return C_INTELLIVUE if monitor else C_CAPSULE if port == 5090 else NONE


@leaf
def clinical_of(record: np.void, protocol: int, port: int) -> int:
    """2 * Clinical + 1 when it runs under TLS; NONE for other flows and while it is not known what one speaks.

    In clear: by content; by port alone where the flow's first payload was seen and is nothing that is known.
    """
    spoken = np.int64(record["application"])
    if spoken == A_DICOM:
        return 2 * C_DICOM
    if spoken == A_HL7:
        return 2 * C_HL7
    if spoken == A_IEEE11073:
        return 2 * C_IEEE11073
    if spoken == A_INTELLIVUE:
        return 2 * C_INTELLIVUE
    if spoken == A_CAPSULE:
        return 2 * C_CAPSULE
    by_port = _clinical_port(protocol, port)
    if by_port == NONE:
        return NONE
    if spoken != A_UNKNOWN:
        return 2 * by_port + 1 if spoken == A_TLS else NONE
    begun = protocol != TCP or bool(record["state"] & S_SYN)
    return 2 * by_port if begun and record["forward_data"] + record["reverse_data"] > 0 else NONE


@leaf
def measure_clinical(stat: np.void, record: np.void, spoken: int, originates: bool) -> None:
    """What a flow of a clinical protocol did since its last event; a responder hears of all before it was answered."""
    octets = record["forward_octets"] + record["reverse_octets"]
    if originates or record["told_marks"] & M_ANSWERED:
        octets -= record["told_forward_octets"] + record["told_reverse_octets"]
    ended = U32(1) if record["event"] == E_ENDED else U32(0)
    place = spoken >> 1
    if spoken & 1:
        stat["tls_octets"][place] += octets
        stat["tls_flows"][place] += ended
    else:
        stat["clear_octets"][place] += octets
        stat["clear_flows"][place] += ended
