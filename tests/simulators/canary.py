"""Canary patients on the wire: planted in what clinical systems carry, and in every field where a name can be set.

A place is a talk of one protocol with one patient in it, in proper flows, from devices of its own - so that the readers
see it and nothing of it is lost in the limits for one device. `ward()` is all places for all patients as a capture.
"""

import base64
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple
from urllib.parse import quote

from tests.forge.ethernet import IPV6, ethernet
from tests.forge.ipv6 import Ipv6
from tests.forge.octets import group_mac
from tests.forge.pcap import Frame
from tests.forge.udp import Udp
from tests.simulators.medium import MS, Behaviour, Host, Medium, S, Step
from tests.simulators.patients import PATIENTS, Patient

START_NS = 1_793_606_400 * S
GATEWAY = "10.66.0.1"
EVERY_NS = 200 * MS  # between two places: no second holds more news than the readers' budget
PUMP, MONITOR, MODALITY, DESK = "00:d0:75:18", "00:09:fb:2e", "00:08:fb:52", "48:4d:7e:a2"
HOSTS_EACH = 200


class Turn(NamedTuple):
    """One side of a connection speaks."""

    from_client: bool
    data: bytes


def ask(data: bytes) -> Turn:
    """The client's."""
    return Turn(from_client=True, data=data)


def tell(data: bytes) -> Turn:
    """The server's."""
    return Turn(from_client=False, data=data)


class Canaries:
    """The cable, and devices as they are needed."""

    def __init__(self) -> None:
        self.medium = Medium("10.66.", GATEWAY, START_NS)
        self._known = 0
        self.device(DESK)  # the gateway

    def device(self, block: str) -> Host:
        """A new device of a maker."""
        self._known += 1
        high, low = divmod(self._known, HOSTS_EACH)
        address = f"10.66.{high}.{low}"
        host = Host(f"device-{self._known}", f"{block}:{high:02x}:{low:02x}", address, Random(self._known))
        self.medium.hosts[address] = host
        return host

    def stream(self, port: int, *turns: Turn, block: str = DESK) -> Behaviour:
        """A TCP connection between two new devices, opened and closed."""
        client, server = self.device(block), self.device(DESK)
        steps = [Step(2 * MS, turn.from_client, turn.data) for turn in turns]
        yield from self.medium.session(client, server, port, steps)

    def datagrams(self, port: int, *turns: Turn, group: str = "", block: str = DESK) -> Behaviour:
        """UDP between two new devices, or from one to a group; the client greets the gateway to be known."""
        client, server = self.device(block), self.device(DESK)
        yield from self.medium.resolve(client, GATEWAY)
        yield from self.medium.resolve(client, server.ip)
        for turn in turns:
            yield 2 * MS
            if group:
                self.medium.datagram(client, group, (port, port), turn.data)
            elif turn.from_client:
                self.medium.datagram(client, server.ip, (50000, port), turn.data)
            else:
                self.medium.datagram(server, client.ip, (port, 50000), turn.data)

    def datagrams6(self, ports: tuple[int, int], group: str, data: bytes, block: str = DESK) -> Behaviour:
        """UDP over IPv6 from a new device to a group."""
        client = self.device(block)
        yield from self.medium.resolve(client, GATEWAY)
        source = f"fe80::{self._known:x}"
        packet = Ipv6(source, group, 17).octets(Udp(*ports).octets(source, group, data))
        self.medium.put(ethernet(group_mac(group), client.mac, IPV6, packet))

    def frames(self, make: Callable[[Host], bytes], block: str = DESK) -> Behaviour:
        """A frame of a new device that has been heard before."""
        client = self.device(block)
        yield from self.medium.resolve(client, GATEWAY)
        self.medium.put(make(client))


Place = Callable[[Canaries, Patient], Behaviour]


def forms(text: str) -> Iterator[bytes]:
    """A text in every way in which software writes it."""
    utf8 = text.encode()
    yield from (utf8, text.encode("latin-1", "replace"), text.encode("utf-16"), text.encode("utf-16-be"))
    yield from (b"x" * offset + base64.b64encode(b"." * offset + utf8) for offset in range(3))
    yield from (quote(text).encode(), quote(text, encoding="latin-1", errors="replace").encode())
    yield from (utf8.hex().encode(), utf8.hex().upper().encode())


def blob(patient: Patient) -> bytes:
    """Everything of a patient in every form: what a file, a page or a message may hold."""
    return b"\r\n".join(forms(patient.told()))


def ward(places: dict[str, Place]) -> list[Frame]:
    """All places for all patients, one after another."""
    canaries = Canaries()
    at_ns = 0
    for place in places.values():
        for patient in PATIENTS:
            canaries.medium.add(place(canaries, patient), at_ns)
            at_ns += EVERY_NS
    canaries.medium.run(at_ns + 5 * S)
    return sorted(canaries.medium.frames, key=lambda frame: frame.time_ns)
