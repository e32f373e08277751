"""From tshark's layers and fields to the IP packet that a flow tool counts: the innermost, as far as wardtap goes."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.agreement.reasons import (
    AROUND_NO_IP,
    CUT,
    HEADERS_CUT,
    INSIDE,
    LIE,
    QUOTED,
    ROUTED,
    SUPER_PACKET,
    TOO_DEEP,
    TUNNEL,
    Reason,
)
from tests.agreement.tshark import Dissected

if TYPE_CHECKING:
    from collections.abc import Iterator

ICMP, ICMPV6 = 1, 58
WITH_PORTS = {"tcp", "udp", "sctp"}
WITH_TYPE = {"icmp", "icmpv6"}
TAGS = {"vlan": "vlan.id", "ieee8021ad": "ieee8021ad.id"}
HEADERS = {"ip", "ipv6"}
EXTENSIONS = {
    "ipv6.hopopts": "ipv6.hopopts.nxt",
    "ipv6.dstopts": "ipv6.dstopts.nxt",
    "ipv6.routing": "ipv6.routing.nxt",
    "ipv6.fraghdr": "ipv6.fraghdr.nxt",
    "ah": "ah.next_header",
}
# The ways into a tunnel that wardtap goes (docs/flows.md). Whatever is reached in another way is not entered.
WAYS = {
    *(("ip", "ip"), ("ip", "ipv6"), ("ipv6", "ip"), ("ipv6", "ipv6")),
    *(("ip", "gre"), ("ipv6", "gre"), ("gre", "ip"), ("gre", "ipv6"), ("gre", "eth"), ("eth", "ip"), ("eth", "ipv6")),
    *(("udp", "vxlan"), ("vxlan", "eth"), ("udp", "geneve"), ("geneve", "eth"), ("geneve", "ip"), ("geneve", "ipv6")),
    *(("udp", "teredo"), ("teredo", "ipv6"), ("udp", "capwap.data"), ("capwap.data", "eth")),
}
TUNNELS = {"gre", "vxlan", "geneve", "teredo", "capwap.data"}
TAGS_MAX, LABELS_MAX, EXTENSIONS_MAX, TUNNELS_MAX = 3, 8, 8, 4  # agent/packets/records.py says why
ANSWERS = {ICMP: {0: 8, 14: 13, 16: 15, 18: 17}, ICMPV6: {129: 128, 134: 133, 136: 135}}

End = tuple[str, int]


@dataclass(slots=True)
class Packet:
    """One IP packet."""

    version: int
    source: str
    destination: str
    octets: int
    protocol: int
    ident: int = 0
    ttl: int = 0
    fragment: int | None = None  # None: whole; 0: the first part; else where a later part begins
    ports: tuple[int, int] | None = None  # ICMP: type, code
    check: tuple[str, ...] = ()  # transport checksum, sequence numbers
    vlans: tuple[int, int] = (0, 0)
    outer: "Packet | None" = None
    reasons: set[Reason] = field(default_factory=set)

    @property
    def ends(self) -> tuple[End, End]:
        """Sender and receiver; ICMP has the request's type and code at the end that is asked."""
        one, other = self.ports or (0, 0)
        if self.protocol in ANSWERS and self.ports:
            kind = ANSWERS[self.protocol].get(one)
            one, other = (0, one << 8 | other) if kind is None else (kind << 8 | other, 0)
        return (self.source, one), (self.destination, other)


class Fields:
    """The values of a frame, taken one occurrence after the other."""

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values
        self._rest: dict[str, Iterator[str]] = {}

    def text(self, name: str) -> str | None:
        """The next occurrence, or None when there are no more."""
        rest = self._rest.get(name)
        if rest is None:
            rest = self._rest[name] = iter(self._values.get(name, ()))
        return next(rest, None)

    def number(self, name: str) -> int | None:
        """The next occurrence as a number."""
        found = self.text(name)
        return int(found, 0) if found else None

    def numbers(self, *names: str) -> list[int] | None:
        """One of each, or None when one is missing."""
        found = [self.number(name) for name in names]
        return None if None in found else [value for value in found if value is not None]

    def flag(self, name: str) -> bool:
        """Whether the next occurrence is set."""
        return self.text(name) in {"1", "True"}


def _ipv4(fields: Fields) -> Packet | None:
    source, destination = fields.text("ip.src"), fields.text("ip.dst")
    numbers = fields.numbers("ip.len", "ip.proto", "ip.id", "ip.ttl", "ip.frag_offset")
    more = fields.flag("ip.flags.mf")
    if source is None or destination is None or numbers is None:
        return None
    packet = Packet(4, source, destination, *numbers[:4])
    packet.fragment = numbers[4] if more or numbers[4] else None
    return packet


def _ipv6(fields: Fields) -> Packet | None:
    source, destination = fields.text("ipv6.src"), fields.text("ipv6.dst")
    numbers = fields.numbers("ipv6.plen", "ipv6.nxt", "ipv6.hlim")
    if source is None or destination is None or numbers is None:
        return None
    return Packet(6, source, destination, 40 + numbers[0], numbers[1], 0, numbers[2])


def _extend(packet: Packet, layer: str, fields: Fields) -> None:
    following = fields.number(EXTENSIONS[layer])
    if following is None:
        packet.reasons.add(HEADERS_CUT)
        return
    packet.protocol = following
    if layer == "ipv6.fraghdr":
        more, offset = fields.flag("ipv6.fraghdr.more"), fields.number("ipv6.fraghdr.offset")
        ident = fields.number("ipv6.fraghdr.ident") or 0
        if offset or more:  # RFC 6946: an atomic fragment is none
            packet.fragment, packet.ident = offset, ident & 0xFFFF


def _transport(packet: Packet, layer: str, fields: Fields) -> None:
    names = ("type", "code") if layer in WITH_TYPE else ("srcport", "dstport")
    ports = fields.numbers(*(f"{layer}.{name}" for name in names))
    packet.ports = (ports[0], ports[1]) if ports else None
    check = [fields.text(f"{layer}.checksum")]
    if layer == "tcp":
        check += [fields.text("tcp.seq_raw"), fields.text("tcp.ack_raw")]
    packet.check = tuple(value or "" for value in check)


def _enter(found: Packet | None, layer: str, fields: Fields) -> Packet | None:
    inner = _ipv4(fields) if layer == "ip" else _ipv6(fields)
    if inner is not None and found is not None:
        inner.outer = found
        inner.reasons.add(INSIDE)
    return inner


def _walk(frame: Dissected) -> Packet | None:
    """Layer by layer. `before` is the last layer that says what may follow."""
    fields, before = Fields(frame.values), ""
    found: Packet | None = None
    tags: list[int] = []  # outside a tunnel
    for layer in frame.layers:
        if layer in HEADERS:
            if found and (before, layer) not in WAYS:
                found.reasons.add(TUNNEL)
                break
            inner = _enter(found, layer, fields)
            if inner is None:
                if found:
                    found.reasons.add(AROUND_NO_IP)
                break
            found = inner
        elif layer in TAGS and not found:
            tags.append(fields.number(TAGS[layer]) or 0)
        elif found and layer in EXTENSIONS and found.version == 6:
            _extend(found, layer, fields)
            continue
        elif found and layer in WITH_PORTS | WITH_TYPE:
            _transport(found, layer, fields)
            if layer in WITH_TYPE:
                break
        if layer not in {"ethertype", *TAGS}:
            before = layer
    if found:
        found.vlans = (*tags, 0, 0)[0], (*tags, 0, 0)[1]
    return found


def _unfinished(frame: Dissected) -> bool:
    """Whether tshark gave up in the last layer."""
    return "_ws.short" in frame.values or "_ws.malformed" in frame.values


def _too_deep(frame: Dissected, packet: Packet) -> bool:
    """Tags, labels, extension headers and tunnels beyond what wardtap walks."""
    tunnels = 0
    outer = packet.outer
    while outer:
        tunnels, outer = tunnels + 1, outer.outer
    tags = sum(layer in TAGS for layer in frame.layers)
    extensions = sum(layer in EXTENSIONS for layer in frame.layers)
    labels = len(frame.values.get("mpls.bottom", []))
    return tags > TAGS_MAX or labels > LABELS_MAX or extensions > EXTENSIONS_MAX or tunnels > TUNNELS_MAX


def _remark(frame: Dissected, packet: Packet) -> None:
    """What else is told of a packet."""
    if frame.layers[-1] in EXTENSIONS and packet.version == 6 and _unfinished(frame):
        packet.reasons.add(HEADERS_CUT)
    kinds = [at for at, layer in enumerate(frame.layers) if layer in WITH_TYPE]
    if kinds and HEADERS & set(frame.layers[kinds[0] :]):
        packet.reasons.add(QUOTED)
    if "ipv6.routing" in frame.layers:
        packet.reasons.add(ROUTED)
    if _too_deep(frame, packet):
        packet.reasons.add(TOO_DEEP)
    if frame.captured < frame.length:
        packet.reasons.add(CUT)
    if packet.octets > frame.length:
        packet.reasons.add(LIE)
    if packet.octets > 0xFFFF + (40 if packet.version == 6 else 0):
        packet.reasons.add(SUPER_PACKET)


def packet_of(frame: Dissected) -> Packet | None:
    """The packet of a frame; None where tshark sees no IP packet."""
    packet = _walk(frame)
    if packet is None:
        return None
    _remark(frame, packet)
    if HEADERS_CUT in packet.reasons and packet.outer:
        packet.outer.vlans = packet.vlans
        packet = packet.outer
        packet.reasons.add(AROUND_NO_IP)
    elif TUNNELS & set(frame.layers) and not packet.outer:
        packet.reasons.add(AROUND_NO_IP)
    return packet
