"""A slow walk over a small capture, written with struct: feeds readers and Identifier as the pipeline does."""

import gzip
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent.devices.identity import Identifier
from agent.devices.records import EdgeDirection
from agent.packets.hints import READERS
from agent.packets.records import Application, HintKind

PORTS: dict[tuple[int, int], HintKind] = {
    (17, 67): HintKind.DHCP,
    (17, 68): HintKind.DHCP,
    (17, 5353): HintKind.MDNS,
    (17, 1900): HintKind.SSDP,
    (17, 3702): HintKind.WS_DISCOVERY,
    (17, 137): HintKind.NETBIOS,
    (17, 138): HintKind.NETBIOS,
    (17, 5355): HintKind.LLMNR,
    (17, 546): HintKind.DHCPV6,
    (17, 547): HintKind.DHCPV6,
    (17, 47808): HintKind.BACNET,
    (17, 123): HintKind.NTP,
    (17, 161): HintKind.SNMP,
    (17, 162): HintKind.SNMP,
    (17, 5060): HintKind.SIP,
    (17, 24105): HintKind.INTELLIVUE,
    (17, 24005): HintKind.INTELLIVUE,
}
APPLICATIONS = {
    HintKind.DICOM: Application.DICOM,
    HintKind.HL7: Application.HL7,
    HintKind.BACNET: Application.BACNET,
    HintKind.SSH: Application.SSH,
}
CONCLUDED_EVERY = 50  # frames
GATEWAY_FROM = 3  # source addresses of one card beyond its own


class Packet(NamedTuple):
    """What the walk needs of a frame."""

    source_mac: int
    target_mac: int
    source: bytes
    target: bytes
    protocol: int
    source_port: int
    target_port: int
    syn: bool
    payload: bytes
    stack: bytes = b""  # of a connection's first packet: time to live and TCP header


def frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Link type and octets of each frame of a pcap or pcapng file."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from _pcapng(data)
        return
    order = "<" if data[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 8)[0]
        yield link, data[at + 16 : at + 16 + size]
        at += 16 + size


def _pcapng(data: bytes) -> Iterator[tuple[int, bytes]]:
    order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    links: list[int] = []
    at = 0
    while at + 12 <= len(data):
        kind, size = struct.unpack_from(order + "II", data, at)
        if kind == 1:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6:
            number, captured = struct.unpack_from(order + "I8xI", data, at + 8)
            yield links[number], data[at + 28 : at + 28 + captured]
        at += max(size, 12)


def packet(link: int, frame: bytes) -> Packet | None:
    """The packet of an Ethernet or raw IP frame; None for anything else."""
    source_mac = target_mac = 0
    if link == 1:
        target_mac, source_mac = int.from_bytes(frame[:6], "big"), int.from_bytes(frame[6:12], "big")
        at = 12
        while frame[at : at + 2] in {b"\x81\x00", b"\x88\xa8"}:
            at += 4
        at += 2
    elif link in {12, 101}:
        at = 0
    else:
        at = 4 if link == 0 else 16
    version = frame[at] >> 4 if at < len(frame) else 0
    left = frame[at + (8 if version == 4 else 7) :][:1]
    if version == 4 and len(frame) >= at + 20:
        total = int.from_bytes(frame[at + 2 : at + 4], "big")
        end, protocol = (at + total if total else len(frame)), frame[at + 9]
        source, target = frame[at + 12 : at + 16], frame[at + 16 : at + 20]
        if int.from_bytes(frame[at + 6 : at + 8], "big") & 0x1FFF:
            return None
        at += 4 * (frame[at] & 15)
    elif version == 6 and len(frame) >= at + 40:
        end, protocol = at + 40 + int.from_bytes(frame[at + 4 : at + 6], "big"), frame[at + 6]
        source, target = frame[at + 8 : at + 24], frame[at + 24 : at + 40]
        at += 40
    else:
        return None
    head = frame[at : at + 20]
    if protocol not in {6, 17} or len(head) < 8:
        return None
    source_port, target_port = struct.unpack_from(">HH", head)
    start = at + (8 if protocol == 17 else 4 * (head[12] >> 4) if len(head) > 12 else 20)
    syn = protocol == 6 and len(head) > 13 and head[13] & 0x12 == 2
    stack = left + frame[at:start] if protocol == 6 and len(head) > 13 and head[13] & 2 else b""
    ports = (source_port, target_port)
    return Packet(source_mac, target_mac, source, target, protocol, *ports, syn, frame[start:end], stack)


def hint(p: Packet) -> HintKind:
    """Which reader a payload is for: by port for UDP, by its first octets for TCP."""
    if p.protocol == 17:
        if 53 in {p.source_port, p.target_port}:
            return HintKind.DNS_QUERY if p.target_port == 53 else HintKind.DNS_ANSWER
        return PORTS.get((17, p.target_port)) or PORTS.get((17, p.source_port)) or HintKind.NONE
    head = p.payload[:8]
    if head[:1] == b"\x0b" or head[:4] == b"MSH|":
        return HintKind.HL7
    if head[:1] in {b"\x01", b"\x02"} and head[1:2] == b"\0" and len(p.payload) >= 74 and head[6:8] == b"\0\1":
        return HintKind.DICOM
    if head[:2] == b"\x16\x03" and p.payload[5:6] == b"\x01":
        return HintKind.TLS_CLIENT
    if head[:4] == b"SSH-":
        return HintKind.SSH
    if head[:2] == b"\x16\x03" and p.payload[5:6] == b"\x02":
        return HintKind.TLS_SERVER
    if head[:1] == b"\x10" and p.payload[4:8] == b"MQTT":
        return HintKind.MQTT
    if 502 in {p.source_port, p.target_port} and head[2:4] == b"\0\0":
        return HintKind.MODBUS
    if p.payload[4:8] in {b"\xffSMB", b"\xfeSMB"}:
        return HintKind.SMB
    if head[:5] == b"HTTP/":
        return HintKind.HTTP_RESPONSE
    return HintKind.HTTP_REQUEST if head[:4] in {b"GET ", b"POST", b"HEAD", b"PUT "} else HintKind.NONE


class Ward:
    """Walks files into an Identifier; edges count when both sides sent, UDP to a group at once."""

    def __init__(self, identifier: Identifier) -> None:
        self.identifier = identifier
        self.text: list[str] = []  # every signal value that was read
        self._sources: dict[int, set[bytes]] = defaultdict(set)
        self._owned: dict[int, set[bytes]] = defaultdict(set)
        self._seen: dict[tuple[object, ...], tuple[Packet, HintKind]] = {}
        self._done: set[tuple[object, ...]] = set()

    def walk(self, path: Path) -> None:
        """One file; roles are concluded now and then, as they are live."""
        for number, (link, frame) in enumerate(frames(path)):
            if number % CONCLUDED_EVERY == 0:
                self.identifier.changed()
            if link == 1 and len(frame) >= 14:
                self._link(frame)
            p = packet(link, frame)
            if p is not None and (link != 1 or p.source_mac):
                self._packet(p)

    def _link(self, frame: bytes) -> None:
        mac = int.from_bytes(frame[6:12], "big")
        self.identifier.see(mac)
        for kind in (HintKind.LLDP, HintKind.CDP, HintKind.STP, HintKind.ARP):
            self._signals(kind, frame, mac, 0)
        if frame[12:14] == b"\x08\x06" and len(frame) >= 32:
            self._owned[mac].add(frame[28:32])

    def _signals(self, kind: HintKind, payload: bytes, source: int, target: int) -> None:
        signals = [signal for signal in READERS[kind](payload[:4096]) if signal.kind != "dns.answer"]  # of nobody here
        self.text += [signal.value for signal in signals]
        self.identifier.observe_payload(source, target, signals, 0)

    def _packet(self, p: Packet) -> None:
        sources = self._sources[p.source_mac]
        if len(p.source) == 4 and any(p.source):
            sources.add(p.source)
        if len(sources - self._owned[p.source_mac]) >= GATEWAY_FROM and len(sources) > GATEWAY_FROM:
            self.identifier.observe_gateway(p.source_mac)
        kind = hint(p)
        if kind is not HintKind.NONE and p.payload:
            self._signals(kind, p.payload, p.source_mac, p.target_mac)
        if p.stack:
            self._signals(HintKind.TCP_SYN, p.stack, p.source_mac, p.target_mac)
        key = (p.source, p.target, p.protocol, p.source_port, p.target_port)
        back = (p.target, p.source, p.protocol, p.target_port, p.source_port)
        group = bool(p.target_mac >> 40 & 1)
        if group and p.protocol == 17:
            self._edge(p, kind, EdgeDirection.ORIGINATES, p.source_mac, p.target_port)
        if back in self._seen:
            first, known = self._seen[back]
            self._edges(first, kind or known)
        elif key not in self._seen and (p.protocol == 17 or p.syn or p.payload):
            self._seen[key] = (p, kind)

    def _edges(self, first: Packet, kind: HintKind) -> None:
        self._edge(first, kind, EdgeDirection.ORIGINATES, first.source_mac, first.target_port)
        self._edge(first, kind, EdgeDirection.RESPONDS, first.target_mac, first.target_port)

    def _edge(self, p: Packet, kind: HintKind, direction: EdgeDirection, mac: int, port: int) -> None:
        edge = (mac, direction, p.protocol, port, kind)
        if edge not in self._done:
            self._done.add(edge)
            application = APPLICATIONS.get(kind, Application.UNKNOWN)
            self.identifier.observe_edge(mac, direction, p.protocol, port, application)
