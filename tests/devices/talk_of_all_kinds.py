"""Frames of everything that statistics tell apart, at random; and a table beside its slow twin."""

from collections.abc import Iterable
from itertools import groupby
from random import Random

import numpy as np

from agent.devices.records import Rows
from agent.devices.table import DeviceTable
from agent.flows.cache import FlowCache
from agent.packets import kernels_payload
from tests.devices.bench import GATEWAY, hello, number, small
from tests.flows.talks import HOSTS, HOSTS6, LIMITS, START_S, Talk
from tests.forge import arp, dicom, dns, hl7, tls
from tests.forge.ethernet import IPV4, IPV6, ethernet, lldp, stp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.ipv6 import Ipv6
from tests.forge.octets import BROADCAST, ip
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, PSH, RST, SYN
from tests.forge.udp import Udp
from tests.naive.statistics import Statistic, measure_events, measure_frames
from tests.simulators.bursts import SECRET, Heard, as_dicts, burst_of, decode

S = 1_000_000_000
YEAR_S = 366 * 24 * 3600
FAR = [f"203.0.113.{n}" for n in range(1, 9)]
ELSEWHERE = ["10.9.1.1", "172.16.5.5", "192.168.7.7", "100.64.0.9", "169.254.3.3"]
RESOLVER = HOSTS[7]
ROUTE = ("PUMP", "ICU", "EHR", "HOSP")
DICOM = dicom.associate_request(("STORE", "SCAN"), ["1.2.840.10008.1.1"], ("1.2.3", "X"))
FIRST_WORDS = (
    tls.client_hello("ehr.example", bytes(32)),
    hl7.acknowledgement(ROUTE, "1", "20261101"),
    DICOM,
    b"nothing that anybody knows",
)
CLINICAL_PORTS = (104, 2762, 11112, 2575, 6464, 443)
CLINICAL_DATAGRAMS = (24105, 24005, 5090, 6464)
GROUPS = (
    ("01:00:5e:00:00:fb", "224.0.0.251", 5353),
    (BROADCAST, "255.255.255.255", 137),
    (BROADCAST, "10.1.255.255", 24005),
)


def greetings(port: int = 30_000) -> list[Frame]:
    """Everybody claims the address it has; the gateway speaks for others. From another port they are other flows."""
    frames = [hello(end) for end in (*HOSTS, GATEWAY)]
    for address, mac in HOSTS6:
        packet = Ipv6(address, "ff02::1", UDP).octets(Udp(port, 6).octets(address, "ff02::1", b"hello"))
        frames.append(Frame(START_S * S, ethernet("33:33:00:00:00:01", mac, IPV6, packet)))
    return frames + [_routed(0, address, HOSTS[0], b"far", port=port) for address in FAR]


def owners() -> dict[int, set[int]]:
    """Who owns what, once all have greeted."""
    four = {number(mac): {0xFFFF << 32 | int.from_bytes(ip(address))} for address, mac in (*HOSTS, GATEWAY)}
    return four | {number(mac): {int.from_bytes(ip(address))} for address, mac in HOSTS6}


def _datagram(source: str, target: str, ports: tuple[int, int], data: bytes) -> bytes:
    return Ipv4(source, target, UDP).octets(Udp(*ports).octets(source, target, data))


def _routed(
    at_s: float, far: str, end: tuple[str, str], data: bytes, *, back: bool = False, port: int = 40_000
) -> Frame:
    """A datagram between a host and somebody behind the gateway."""
    source, target = (end[0], far) if back else (far, end[0])
    macs = (GATEWAY[1], end[1]) if back else (end[1], GATEWAY[1])
    ports = (40_001, port) if back else (port, 40_001)
    return Frame(round((START_S + at_s) * S), ethernet(*macs, IPV4, _datagram(source, target, ports, data)))


def _announced(rng: Random, end: tuple[str, str]) -> bytes:
    """A frame to a group, or ARP."""
    address, mac = end
    group, target, port = rng.choice(GROUPS)
    other = rng.choice(HOSTS)
    return rng.choice(
        [
            ethernet(group, mac, IPV4, _datagram(address, target, (port, port), dns.question(1, "x.local"))),
            lldp(mac, "1", "switch", "text"),
            stp(mac, mac),
            arp.request((mac, address), other[0]),
            arp.gratuitous((mac, address)),
            arp.reply((mac, address), (other[1], other[0])),
            ethernet(other[1], mac, 0x88B5, b"no IP"),
        ]
    )


def _asked(rng: Random, talk: Talk, at_s: float) -> None:
    """A question to the resolver and its answer, whole or not quite."""
    asked, code = dns.question(rng.randrange(99), "ehr.example"), rng.choice((0, 0, 2, 3))
    cut = rng.choice((None, None, 11))
    talk.udp(at_s, asked[:cut])
    talk.udp(at_s, dns.answer(1, "ehr.example", [], rcode=code)[:cut], back=True)
    if rng.random() < 0.2:
        talk.udp(at_s, b"\0\1\x28\0" + bytes(8))  # a NOTIFY is no question


def _session(rng: Random, talk: Talk, at_s: float) -> None:
    """A TCP flow to a clinical port: with its beginning or from its middle, answered, refused or not."""
    if rng.random() < 0.2:
        talk.tcp(at_s, SYN)
        if rng.random() < 0.5:
            talk.tcp(at_s, RST | ACK, back=True)
        return
    if rng.random() < 0.7:
        talk.handshake(at_s)
    talk.tcp(at_s, PSH | ACK, rng.choice(FIRST_WORDS))
    for _ in range(rng.randrange(4)):
        talk.tcp(at_s, PSH | ACK, bytes(rng.randrange(1, 1400)), back=rng.random() < 0.5)


def frames_of_all_kinds(rng: Random, count: int) -> list[Frame]:
    """After the greetings: about `count` frames in order of time, with pauses from nothing to hours."""
    frames, at_s = greetings(), 1.0
    while len(frames) < count:
        at_s += rng.choice((0, 1e-5, 0.001, 0.01, 0.5, 3 * rng.random(), 300 if rng.random() < 0.02 else 0))
        first, second = rng.sample(HOSTS if rng.random() < 0.9 else HOSTS6, 2)
        kind, port = rng.randrange(6), rng.randrange(40000, 40020)
        if kind == 0:
            data, far = bytes(rng.randrange(5000)), rng.choice(FAR + ELSEWHERE)
            frames.append(_routed(at_s, far, rng.choice(HOSTS), data, back=rng.random() < 0.5))
        elif kind == 1:
            frames.append(Frame(round((START_S + at_s) * S), _announced(rng, rng.choice(HOSTS))))
        elif kind == 2:
            _asked(rng, Talk((rng.choice(HOSTS[:7]), RESOLVER), (port, 53), frames=frames), at_s)
        elif kind == 3:
            talk = Talk((first, second), (port, rng.choice(CLINICAL_DATAGRAMS)), frames=frames)
            for _ in range(rng.randrange(1, 4)):
                talk.udp(at_s, bytes(rng.randrange(1, 200)), back=rng.random() < 0.4)
        else:
            _session(rng, Talk((first, second), (port, rng.choice(CLINICAL_PORTS)), frames=frames), at_s)
    return frames


class Pair:
    """A device table and its twin, given the same rows and flow events."""

    def __init__(self, devices: int = 256) -> None:
        self.table, self.cache = DeviceTable(small(devices=devices), SECRET), FlowCache(LIMITS, SECRET)
        self.owners = owners()
        self.twin: dict[int, Statistic] = {}

    def hear(self, frames: Iterable[Frame]) -> "Pair":
        """Frames in order of time, a burst a second."""
        for second, heard in groupby(frames, lambda frame: frame.time_ns // S):
            self.relate(self.cache.expire(second))
            burst = burst_of(Heard(f.octets, f.wirelen or len(f.octets), time_ns=f.time_ns) for f in heard)
            rows = decode(burst)
            kernels_payload.recognise_burst(rows, len(rows), burst.octets)
            self.table.attribute(rows, len(rows))
            measure_frames(self.twin, as_dicts(rows), burst.octets.tobytes(), self.owners)
            self.relate(self.cache.meter(rows, len(rows)))
        return self

    def end(self) -> "Pair":
        """An interval closes, then silence ends every open flow."""
        self.relate(self.cache.update())
        self.relate(self.cache.expire(START_S + YEAR_S))
        self.relate(self.cache.expire(0, forced=True))
        assert self.table.conserved()
        return self

    def relate(self, events: Iterable[Rows]) -> None:
        """Give flow events to both."""
        for records in events:
            self.table.relate(records)
            measure_events(self.twin, as_dicts(records), self.owners)

    def slots(self) -> list[int]:
        """Slots in the order of their MAC addresses."""
        used = np.flatnonzero(self.table._macs)
        order: list[int] = used[np.argsort(self.table._macs[used])].tolist()
        return order
