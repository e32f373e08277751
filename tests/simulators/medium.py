"""The ward's cable: simulated time, hosts that resolve by ARP, datagrams and TCP sessions as a mirror port sees them.

A behaviour is a generator that yields how long it waits, in nanoseconds; everything it sends meanwhile happens at
`Medium.now_ns`. Two runs with one seed give the same octets: no wall time, no set order, one random stream per host.
"""

import heapq
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.forge import arp
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import DONT_FRAGMENT, TCP, UDP, Ipv4
from tests.forge.octets import BROADCAST, group_mac, ip
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, FIN, PSH, RST, SACK_PERMITTED, SYN, Tcp, mss, window_scale
from tests.forge.udp import Udp

US, MS, S = 1_000, 1_000_000, 1_000_000_000
SEGMENT = 1460  # payload octets of a full TCP segment on Ethernet
ARP_LIFE_NS = 240 * S
Behaviour = Generator[int, None, None]


@dataclass(slots=True)
class Host:
    """A device on the segment, or a far one whose frames carry the gateway's MAC."""

    name: str
    mac: str
    ip: str
    rng: Random
    ttl: int = 64
    window: int = 64240
    ident: int = 0
    port: int = 49152
    stack: bytes = b""  # TCP options of its SYN; empty: segment size, SACK, window scale
    neighbours: dict[str, int] = field(default_factory=dict)  # next hop -> when it was learned

    def next_port(self) -> int:
        """A fresh ephemeral port (RFC 6335: 49152 to 65535)."""
        self.port = 49152 + (self.port - 49151) % 16384
        return self.port

    def next_ident(self) -> int:
        """The next IP identification."""
        self.ident = (self.ident + 1) & 0xFFFF
        return self.ident


class Step(NamedTuple):
    """One turn of a conversation: wait, then one side speaks."""

    wait_ns: int
    from_client: bool
    data: bytes


@dataclass(slots=True)
class Medium:
    """What the mirror port hears, in order of time."""

    prefix: str  # first three octets of the segment, with the dot
    gateway: str
    start_ns: int
    now_ns: int = 0
    hosts: dict[str, Host] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    queue: list[tuple[int, int, Behaviour]] = field(default_factory=list)
    serial: int = 0

    def put(self, octets: bytes) -> None:
        """A frame goes by now; capture times are whole microseconds."""
        self.frames.append(Frame(self.start_ns + self.now_ns // US * US, octets))

    def add(self, behaviour: Behaviour, at_ns: int = 0) -> None:
        """Let a behaviour begin at a time."""
        self.serial += 1
        heapq.heappush(self.queue, (at_ns, self.serial, behaviour))

    def run(self, until_ns: int) -> None:
        """Let time pass; what is left at the end is cut, as in every capture."""
        while self.queue and self.queue[0][0] < until_ns:
            self.now_ns, _, behaviour = heapq.heappop(self.queue)
            for wait in behaviour:
                self.add(behaviour, self.now_ns + wait)
                break

    def local(self, address: str) -> bool:
        """Whether an address lies on the segment."""
        return address.startswith(self.prefix)

    def hop(self, source: Host, address: str) -> str:
        """The MAC a frame to `address` goes to."""
        if address in {"255.255.255.255", f"{self.prefix}255"}:
            return BROADCAST
        if 224 <= ip(address)[0] < 240:
            return group_mac(address)
        if not self.local(source.ip):
            return self.hosts[address].mac
        return self.hosts[address if self.local(address) else self.gateway].mac

    def send(self, source: Host, address: str, protocol: int, segment: bytes) -> None:
        """An IPv4 packet; what crosses the gateway shows its MAC and one hop less."""
        far = not self.local(source.ip)
        flags = DONT_FRAGMENT if protocol == TCP else 0
        packet = Ipv4(source.ip, address, protocol, source.ttl - 8 * far, source.next_ident(), flags).octets(segment)
        from_mac = self.hosts[self.gateway].mac if far else source.mac
        self.put(ethernet(self.hop(source, address), from_mac, IPV4, packet))

    def resolve(self, source: Host, address: str) -> Generator[int, None, bool]:
        """Ask by ARP unless the answer is fresh; False when nobody answers."""
        near = source if self.local(source.ip) else self.hosts[self.gateway]
        wanted = address if self.local(address) else self.gateway
        if wanted == near.ip or self.now_ns < near.neighbours.get(wanted, -1):
            return True
        target = self.hosts.get(wanted)
        near.neighbours[wanted] = self.now_ns + ARP_LIFE_NS
        for attempt in range(1 if target else 2):
            if attempt:
                yield S
            self.put(arp.request((near.mac, near.ip), wanted))
        if target is None:
            del near.neighbours[wanted]
            return False
        yield 60 * US + near.rng.randrange(200 * US)
        self.put(arp.reply((target.mac, target.ip), (near.mac, near.ip)))
        target.neighbours[near.ip] = self.now_ns + ARP_LIFE_NS
        yield 20 * US
        return True

    def datagram(self, source: Host, address: str, ports: tuple[int, int], payload: bytes) -> None:
        """One UDP datagram; ports are (source, destination)."""
        self.send(source, address, UDP, Udp(*ports).octets(source.ip, address, payload))

    def exchange(self, client: Host, server: Host, port: int, question: bytes, answer: bytes) -> Behaviour:
        """A datagram and its answer, from a fresh port (NTP from its own)."""
        yield from self.resolve(client, server.ip)
        source = 123 if port == 123 else client.next_port()
        self.datagram(client, server.ip, (source, port), question)
        yield 300 * US + client.rng.randrange(2 * MS)
        self.datagram(server, client.ip, (port, source), answer)

    def session(self, client: Host, server: Host, port: int, steps: Sequence[Step], *, close: bool = True) -> Behaviour:
        """A TCP session: handshake, the steps, both FINs."""
        yield from self.resolve(client, server.ip)
        talk = Conversation(self, client, server, port)
        yield from talk.open()
        for step in steps:
            yield step.wait_ns
            yield from talk.say(from_client=step.from_client, data=step.data)
        if close:
            yield 5 * MS
            yield from talk.close()


@dataclass(slots=True)
class Conversation:
    """One TCP connection with its sequence numbers."""

    medium: Medium
    client: Host
    server: Host
    port: int
    local_port: int = 0
    seq: list[int] = field(default_factory=lambda: [0, 0])  # next of the client, next of the server

    def segment(self, side: int, flags: int, data: bytes = b"", options: bytes = b"") -> None:
        """One segment from a side (0 client, 1 server)."""
        source, target = (self.client, self.server) if side == 0 else (self.server, self.client)
        ports = (self.local_port, self.port) if side == 0 else (self.port, self.local_port)
        acknowledged = self.seq[1 - side] if flags & ACK else 0
        head = Tcp(*ports, self.seq[side], acknowledged, flags, source.window, options)
        self.medium.send(source, target.ip, TCP, head.octets(source.ip, target.ip, data))
        self.seq[side] += len(data) + bool(flags & (SYN | FIN))

    def delay(self) -> int:
        """One way through switch and stack."""
        return 120 * US + self.client.rng.randrange(400 * US)

    def open(self) -> Behaviour:
        """Three segments."""
        self.local_port = self.client.next_port()
        self.seq = [self.client.rng.randrange(1 << 32), self.client.rng.randrange(1 << 32)]
        options = mss(SEGMENT) + SACK_PERMITTED + window_scale(7)
        self.segment(0, SYN, options=self.client.stack or options)
        yield self.delay()
        self.segment(1, SYN | ACK, options=self.server.stack or options)
        yield self.delay()
        self.segment(0, ACK)

    def say(self, *, from_client: bool, data: bytes) -> Behaviour:
        """Data in full segments, every second one acknowledged, the last one in any case."""
        side = 0 if from_client else 1
        pieces = [data[i : i + SEGMENT] for i in range(0, len(data), SEGMENT)]
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            self.segment(side, ACK | PSH if last else ACK, piece)
            yield 15 * US
            if i % 2 or last:
                yield self.delay()
                self.segment(1 - side, ACK)

    def close(self) -> Behaviour:
        """FIN, FIN, ACK."""
        self.segment(0, FIN | ACK)
        yield self.delay()
        self.segment(1, FIN | ACK)
        yield self.delay()
        self.segment(0, ACK)

    def probe(self, *, refused: bool) -> Behaviour:
        """A SYN that is refused, or never answered and sent once more."""
        self.local_port, self.seq = self.client.next_port(), [self.client.rng.randrange(1 << 32), 0]
        start = self.seq[0]
        self.segment(0, SYN, options=mss(SEGMENT))
        if refused:
            yield self.delay()
            self.segment(1, RST | ACK)
            return
        yield S
        self.seq[0] = start
        self.segment(0, SYN, options=mss(SEGMENT))
