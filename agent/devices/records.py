"""What leaves the device table: DEVICE rows, their STATS, EDGEs (who they talk to, how) and FANs (how widely)."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]
NO_SLOT = 0xFFFFFFFF  # in EDGE.peer_device: the peer is no device of ours
ADDRESSES_MAX = 4  # addresses kept per device; more are counted, and make it a gateway


class Scope(IntEnum):
    """Where an address lies, seen from the ward."""

    SEGMENT = 0  # a device whose frames this tap hears itself (its MAC owns the address), or link-local
    SITE = 1  # private (RFC 1918, RFC 6598, RFC 4193) or listed as the site's own
    INTERNET = 2  # any other unicast address
    MULTICAST = 3
    BROADCAST = 4


class DeviceFlag(IntEnum):
    """Bits of DEVICE.flags."""

    GATEWAY = 1  # speaks for addresses that are not its own: remote hosts are peers by address, never devices
    RANDOM_MAC = 2  # locally administered address
    NO_MAC = 4  # the link type has no MAC: `mac` is a keyed hash of the address with bit 63 set
    PROMOTED = 8  # enough was seen to call it a device: three frames, or an exchange, or an announcement
    GROUP_SOURCE = 16  # a group address as source: hostile or broken


DEVICE = np.dtype(
    [
        ("mac", "<u8"),  # 48 bits; 0 = free slot
        ("last_ns", "<i8"),
        ("tx_packets", "<u8"),  # frames it sent since first seen
        ("rx_packets", "<u8"),  # frames addressed to it
        ("tx_octets", "<u8"),  # wire octets
        ("rx_octets", "<u8"),
        ("group_packets", "<u8"),  # of tx_packets, those to broadcast or multicast
        ("vlan", "<u2"),
        ("flags", "u1"),  # DeviceFlag bits
        ("address_count", "u1"),
        ("claimed", "u1"),  # bit i: address i was claimed by ARP, not only sent from
        ("pad", "u1", (3,)),
        # The second cache line.
        ("address_lo", "<u8", (ADDRESSES_MAX,)),  # addresses it owns: claimed by ARP, ND or DHCP, or sent from
        ("address_hi", "<u8", (ADDRESSES_MAX,)),
        # The third, which a frame that changes nothing but counts does not touch.
        ("first_ns", "<i8"),
        ("foreign", "<u8"),  # 64-bit linear-counting map of source addresses it does not own (Whang et al. 1990)
        ("flows_started", "<u4"),  # as originator
        ("flows_answered", "<u4"),  # of those that ended, answered by the responder
        ("flows_failed", "<u4"),  # of those that ended, refused or never answered
        ("flows_accepted", "<u4"),  # as responder, answered, ended
        ("arp_requests", "<u4"),
        ("arp_answered", "<u4"),  # ARP replies it sent
        ("peers", "<u4"),  # distinct edges, out and in
        ("tries", "<u4"),  # contacts that nobody had answered when they were kept, less what `trying` has forgiven
        ("tries_s", "<u4"),  # the second in which it did so last, since 1970
        ("room", "u1", (12,)),  # rows begin at a cache line
    ],
    align=True,
)
assert DEVICE.itemsize == 192


class Clinical(IntEnum):
    """Places in STATS.clear_* and STATS.tls_*: protocols that carry patient data."""

    DICOM = 0
    HL7 = 1
    IEEE11073 = 2  # SDC included
    INTELLIVUE = 3
    CAPSULE = 4


SCOPES, CLINICALS = len(Scope), len(Clinical)
EXACT_MAX = 64  # distinct values that are kept one by one; from the next on a HyperLogLog holds their place
SIZE_BINS, SIZE_FIRST = 8, 6  # bin 0: below 2^6 octets on the wire; each next twice as wide; the last: 2^12 and more
GAP_BINS, GAP_FIRST = 16, 14  # bin 0: below 2^14 ns (16 us); each next four times as wide; the last: 2^42 ns (73 min)

# One row for each DEVICE row, at the same slot; all counts since first seen, all of them mergeable (statistics.py).
STATS = np.dtype(
    [
        # What it sent; two cache lines, of which few frames touch the second.
        ("tx", "<u8", (2 * SCOPES,)),  # frames and their wire octets, in turn, by Scope of the destination
        ("announcements", "<u8"),  # frames to a group that tell who it is
        ("dns_questions", "<u8"),  # DNS queries it sent (RFC 1035 section 4.1.1: QR 0, opcode QUERY)
        ("peers_used", "u1"),  # how many of `peers` are hashes; EXACT_MAX + 1: they are registers
        ("ports_used", "u1"),
        ("pad", "u1", (30,)),
        # What it received; likewise.
        ("rx", "<u8", (2 * SCOPES,)),  # by Scope of the source
        ("dns_failures", "<u8"),  # DNS answers it received whose response code is not zero
        ("clear_flows", "<u4", (CLINICALS,)),  # flows of a clinical protocol that ended, in clear
        ("tls_flows", "<u4", (CLINICALS,)),  # likewise, under TLS
        # Histograms of what it sent: a cache line, then two.
        ("sizes", "<u8", (SIZE_BINS,)),  # frames by wire octets
        ("gaps", "<u8", (GAP_BINS,)),  # by time since the frame before
        # Flow events, and what is behind them.
        ("clear_octets", "<u8", (CLINICALS,)),  # layer 3, both ways, since it was known what the flow speaks
        ("tls_octets", "<u8", (CLINICALS,)),
        ("pad_flows", "u1", (48,)),
        ("peers", "<u8", (EXACT_MAX,)),  # keyed hashes of addresses, or eight registers a word
        ("ports", "<u8", (EXACT_MAX,)),  # of (protocol, responder's port), used or offered
    ],
    align=True,
)
assert STATS.itemsize == 25 * 64

EDGE = np.dtype(
    [
        ("peer_hi", "<u8"),  # the peer's address (IPv4 mapped)
        ("peer_lo", "<u8"),
        ("first_ns", "<i8"),
        ("last_ns", "<i8"),
        ("octets_out", "<u8"),  # layer 3, from the device's side
        ("octets_in", "<u8"),
        ("packets_out", "<u4"),
        ("packets_in", "<u4"),
        ("device", "<u4"),  # slot of the device whose edge this is
        ("peer_device", "<u4"),  # slot of the peer when its MAC owns the address, else NO_SLOT
        ("flows", "<u4"),
        ("answered", "<u4"),  # flows with a handshake, or with packets both ways
        ("failed", "<u4"),  # flows refused (RST, ICMP unreachable) or never answered
        ("port", "<u2"),  # responder's port; ICMP: type << 8 | code of the originator's first packet
        ("protocol", "u1"),  # IANA number; 0 in a free slot
        ("direction", "u1"),  # EdgeDirection
        ("scope", "u1"),  # Scope of the peer
        ("application", "u1"),  # packets.records.Application
        ("gates", "u1"),  # EdgeGate bits
        ("changed", "u1"),  # bit 0: given to the judge at the next turn; bit 1: has counts for the next summary
        ("rtt_us", "<u4"),  # newest handshake, SYN to SYN/ACK: from the tap to the responder and back; 0 = not seen
        ("room", "u1", (8,)),  # rows never touch a third cache line; no octet of one is nameless, so a copy is whole
    ],
    align=True,
)
assert EDGE.itemsize == 96


class Grant(NamedTuple):
    """What a DHCP server gave or offered, as it was heard."""

    time_ns: int
    server: int  # MAC that sent it: the server's, or a relay's
    client: int  # MAC it is for
    message: str  # offer or ack
    address: int  # IPv4
    identifier: int  # IPv4 of option 54, 0 when it is not there
    router: int  # IPv4, likewise
    dns: int
    resolvers: tuple[int, ...] = ()  # IPv4, all name servers that are given, `dns` first


class Sighting(NamedTuple):
    """One fact of a payload that the judge weighs, and between whom it went. Addresses: 128 bits, IPv4 mapped; 0: none.

    `word` is of a small vocabulary or, for fingerprints and class UIDs, text from the wire: compared, never printed.
    """

    time_ns: int
    kind: str  # of the signal (packets/hints/records.py)
    word: str
    source: int  # MAC of the frame
    destination: int
    sender: int = 0  # address of the packet
    receiver: int = 0
    subject: int = 0  # MAC that the payload itself speaks of (DHCP chaddr)
    address: int = 0  # that the payload binds
    about_peer: bool = False  # it speaks of the device the payload was sent to


TLS_VERSIONS = ("ssl3", "1.0", "1.1", "1.2", "1.3")  # oldest first
SMB_DIALECTS = ("1-old", "1", "2.?", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1")  # oldest first
OLD_SERVICES = {"tcp/21": "ftp", "tcp/23": "telnet"}  # without protection


class Advisory(NamedTuple):
    """A public advisory that is about a product like the device."""

    id: str
    title: str
    flaws: int  # CVE ids in it
    match: str  # product: its model or system is named; maker: maker and role fit


class DefaultLogin(NamedTuple):
    """A product known to be shipped with credentials that are public, and how a device shows that it is one."""

    product: str
    source: str  # who says so: an advisory's id, or a maker's document
    shown_by: str  # kind of the signal that names the product, or the service of old that a device of its maker offers
    match: str  # banner: the device names the product itself; maker: its maker, role and service fit


class Posture(NamedTuple):
    """How a device stands, as far as it was heard; empty where nothing was. Words of the packs and of the readers."""

    system: str = ""
    said_by: tuple[str, ...] = ()  # kinds of signals that named the system
    ended: str = ""  # day on which the system's support ended or ends, yyyy-mm-dd
    tls_answers: tuple[str, ...] = ()  # versions it chose as a server
    tls_asks: tuple[str, ...] = ()  # highest version of each of its hellos
    smb: tuple[str, ...] = ()  # dialects it offered or chose
    services: tuple[str, ...] = ()  # services of old that it answers: telnet, ftp
    log_ins: tuple[str, ...] = ()  # protocols in which it sent credentials in clear
    advisories: tuple[Advisory, ...] = ()
    default_logins: tuple[DefaultLogin, ...] = ()


class Remark(NamedTuple):
    """What the judge listens to of one payload. Words are text from the wire: compared, and never told as they are."""

    time_ns: int
    source: int  # MAC of the frame; a gateway's, when somebody outside the segment said it
    destination: int
    words: tuple[tuple[str, str], ...]  # (kind of `packets/hints/records.py`, value) in the order read


class EdgeDirection(IntEnum):
    """From the device's side."""

    ORIGINATES = 0
    RESPONDS = 1


class EdgeGate(IntEnum):
    """Bits of EDGE.gates: how sure it is that something happened."""

    HANDSHAKE = 1  # a TCP handshake was completed
    TWO_WAY_DATA = 2  # two payload packets each way
    INITIATOR_KNOWN = 4  # the originator is certain (SYN), not a guess
    EXCHANGED = 8  # at least one payload octet each way
    REFUSED = 16  # an attempt was refused or not answered
    ANSWERED = 32  # an attempt was answered


class FanKind(IntEnum):
    """What a FAN row counts."""

    HOSTS = 0  # one device, one service (protocol, port), many hosts
    PORTS = 1  # one device, one host, many ports
    ARP = 2  # one device asking by ARP for many addresses


FAN = np.dtype(
    [
        ("peer_hi", "<u8"),  # PORTS: the host; else 0
        ("peer_lo", "<u8"),
        ("first_ns", "<i8"),
        ("last_ns", "<i8"),
        ("score", "<f8"),  # log likelihood ratio of the sequential test (Jung et al. 2004), floored at its lower bound
        ("device", "<u4"),
        ("attempts", "<u4"),  # distinct first contacts
        ("answered", "<u4"),
        ("failed", "<u4"),
        ("port", "<u2"),  # HOSTS: the service; else 0
        ("protocol", "u1"),
        ("kind", "u1"),
        ("used", "u1"),
        ("reported", "u1"),  # 1: over the threshold and given to the judge in this episode
        ("scope", "u1"),  # widest Scope among the targets
        ("pad", "u1"),
    ],
    align=True,
)
assert FAN.itemsize == 64
