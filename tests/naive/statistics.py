"""The slow twin of STATS: what each device's statistics are, from decoded rows, payloads and flow events.

Decisions where records.py leaves room. A device is counted for as a sender from its first frame on, as a receiver only
of frames after that. Who owns an address is given, not worked out. A frame's scope: by the link-layer group bit, else
SEGMENT for frames without IP and for an address that the other MAC of the frame owns, else by the address.
Sizes and gaps are those of frames that the device sent; a gap is never negative. A flow's peer and port count when it
begins; for the responder, when it is answered. What a flow speaks is known by content, or by port when it runs under
TLS, or by port when its beginning was seen and its first payload is nothing known.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_network

from agent.devices.records import Scope
from agent.flows.records import FlowEvent, FlowMark, FlowState
from agent.packets.records import Application, PacketFlag, Verdict

Row = Mapping[str, int]
Owners = Mapping[int, set[int]]  # MAC -> addresses, as numbers of 128 bits, IPv4 mapped
ARP = 0x0806
SIZE_EDGES = [64, 128, 256, 512, 1024, 2048, 4096]
GAP_EDGES = [2**14 * 4**i for i in range(15)]
HERE = [ip_network(text) for text in ("127.0.0.0/8", "169.254.0.0/16")]
SITE = [ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
HERE6 = [ip_network(text) for text in ("fe80::/10", "::1/128", "::/128")]
SITE6 = [ip_network("fc00::/7")]
ANNOUNCING = {
    *(Application.MDNS, Application.SSDP, Application.WS_DISCOVERY, Application.NETBIOS),
    *(Application.INTELLIVUE, Application.CAPSULE, Application.BACNET),
}
CLINICAL = {
    Application.DICOM: {(6, 104), (6, 2762), (6, 11112)},
    Application.HL7: {(6, 2575)},
    Application.IEEE11073: {(6, 6464), (17, 6464), (132, 6464)},
    Application.INTELLIVUE: {(17, 24005), (17, 24105)},
    Application.CAPSULE: {(17, 5090)},
}


@dataclass(slots=True)
class Statistic:
    """One device; counters by Scope, by bin, or by (clinical protocol, under TLS)."""

    last_ns: int
    tx_packets: Counter[int] = field(default_factory=Counter)
    tx_octets: Counter[int] = field(default_factory=Counter)
    rx_packets: Counter[int] = field(default_factory=Counter)
    rx_octets: Counter[int] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)
    announcements: int = 0
    dns_questions: int = 0
    dns_failures: int = 0
    peers: set[int] = field(default_factory=set)
    ports: set[tuple[int, int]] = field(default_factory=set)
    flows: Counter[tuple[int, bool]] = field(default_factory=Counter)
    octets: Counter[tuple[int, bool]] = field(default_factory=Counter)


def scope_of(address: int) -> int:
    """Where an address lies, by the registries alone."""
    if address >> 32 == 0xFFFF:
        four = IPv4Address(address & 0xFFFFFFFF)
        if four in (IPv4Address(0), IPv4Address("255.255.255.255")):
            return Scope.BROADCAST
        if four.is_multicast:
            return Scope.MULTICAST
        return _nearest(any(four in net for net in HERE), any(four in net for net in SITE))
    six = IPv6Address(address)
    if six.is_multicast:
        return Scope.MULTICAST
    return _nearest(any(six in net for net in HERE6), any(six in net for net in SITE6))


def _nearest(here: bool, site: bool) -> int:
    return Scope.SEGMENT if here else Scope.SITE if site else Scope.INTERNET


def _frame_scope(row: Row, address: int, other: int, owners: Owners) -> int:
    if row["flags"] & PacketFlag.BROADCAST:
        return Scope.BROADCAST
    if row["flags"] & PacketFlag.MULTICAST:
        return Scope.MULTICAST
    if row["verdict"] == Verdict.LINK or address in owners.get(other, set()):
        return Scope.SEGMENT
    return scope_of(address)


def _announces(row: Row) -> bool:
    if not row["flags"] & (PacketFlag.BROADCAST | PacketFlag.MULTICAST):
        return False
    if row["verdict"] == Verdict.METERED:
        return row["application"] in ANNOUNCING
    return row["ethertype"] != ARP or (row["dst_port"] > 0 and row["src_lo"] == row["dst_lo"])


def _dns(row: Row, octets: bytes) -> tuple[bool, bool]:
    """Whether it is a question, whether it is an answer that failed (RFC 1035 section 4.1.1)."""
    message = octets[row["payload"] :][: row["payload_caplen"]]
    if row["application"] != Application.DNS or len(message) < 12:
        return False, False
    response, opcode, code = message[2] >> 7, message[2] >> 3 & 15, message[3] & 15
    return not response and opcode == 0, bool(response and code)


def measure_frames(table: dict[int, Statistic], rows: Iterable[Row], octets: bytes, owners: Owners) -> None:
    """Frames of one burst, in order."""
    for row in rows:
        source, target = row["src_mac"], row["dst_mac"]
        if row["verdict"] not in {Verdict.METERED, Verdict.LINK} or not source:
            continue
        question, failure = _dns(row, octets)
        first = source not in table
        sender = table.setdefault(source, Statistic(row["time_ns"]))
        scope = _frame_scope(row, row["dst_hi"] << 64 | row["dst_lo"], target if target in table else 0, owners)
        sender.tx_packets[scope] += 1
        sender.tx_octets[scope] += row["wire_octets"]
        sender.sizes[bisect_right(SIZE_EDGES, row["wire_octets"])] += 1
        if not first:
            sender.gaps[bisect_right(GAP_EDGES, max(row["time_ns"] - sender.last_ns, 0))] += 1
        sender.last_ns = max(sender.last_ns, row["time_ns"])
        sender.announcements += _announces(row)
        sender.dns_questions += question
        if row["flags"] & (PacketFlag.BROADCAST | PacketFlag.MULTICAST) or target not in table:
            continue
        receiver = table[target]
        scope = _frame_scope(row, row["src_hi"] << 64 | row["src_lo"], source, owners)
        receiver.rx_packets[scope] += 1
        receiver.rx_octets[scope] += row["wire_octets"]
        receiver.dns_failures += failure


def _speaks(event: Row, service: tuple[int, int]) -> tuple[int, bool] | None:
    """(clinical protocol, whether under TLS)."""
    spoken = event["application"]
    if spoken in CLINICAL:
        return spoken, False
    named = [protocol for protocol, services in CLINICAL.items() if service in services]
    if not named or spoken not in {Application.TLS, Application.UNKNOWN}:
        return None
    if spoken == Application.TLS:
        return named[0], True
    begun = service[0] != 6 or event["state"] & FlowState.SYN
    return (named[0], False) if begun and event["forward_data"] + event["reverse_data"] else None


def measure_events(table: dict[int, Statistic], events: Iterable[Row], owners: Owners) -> None:
    """Flow events, in order; for each end that owns the address it speaks from."""
    for event in events:
        low, high = (event[f"key_{end}_hi"] << 64 | event[f"key_{end}_lo"] for end in ("lo", "hi"))
        ports = event["key_ports"]
        ends = [(low, ports >> 48), (high, ports >> 32 & 0xFFFF)]
        (originator, _), (responder, port) = reversed(ends) if event["originator_is_hi"] else ends
        service = (ports & 0xFF, port)
        answered = bool(event["marks"] & FlowMark.ANSWERED)
        before = bool(event["told_marks"] & FlowMark.ANSWERED)
        total = event["forward_octets"] + event["reverse_octets"]
        since = total - event["told_forward_octets"] - event["told_reverse_octets"]
        sides = [
            (event["originator_mac"], originator, responder, event["event"] == FlowEvent.STARTED, since),
            (event["responder_mac"], responder, originator, answered and not before, since if before else total),
        ]
        group = event["flags"] & (PacketFlag.BROADCAST | PacketFlag.MULTICAST)
        for side, (mac, own, peer, began, octets) in enumerate(sides):
            if own not in owners.get(mac, set()) or not service[0] or (side == 1 and not answered):
                continue
            device = table[mac]
            away = event["responder_mac"] if side == 0 else event["originator_mac"]
            on_segment = peer in owners.get(away, set())
            grouped = (group and side == 0) or (not on_segment and scope_of(peer) in {Scope.MULTICAST, Scope.BROADCAST})
            if began and not grouped:
                device.peers.add(peer)
                if service[0] in {6, 17}:
                    device.ports.add(service)
            speaks = _speaks(event, service)
            if speaks is not None:
                device.octets[speaks] += octets
                device.flows[speaks] += event["event"] == FlowEvent.ENDED
