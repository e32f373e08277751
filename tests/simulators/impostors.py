"""Who pretends on a ward to be something else: a router, a neighbour, a resolver, a relay, forty clients, a switch.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from tests.forge import arp, dhcp, dicom, dns, icmp
from tests.forge.ethernet import IPV4, IPV6, ethernet, stp
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.ipv6 import ICMPV6, Ipv6
from tests.forge.octets import BROADCAST, group_mac
from tests.forge.udp import Udp
from tests.simulators import clinical, services
from tests.simulators.medium import MS, Behaviour, Host, Medium, S, Step
from tests.simulators.stage import BUSY, Stage
from tests.simulators.ward_life import asks

EVERYBODY, ROUTERS_ADDRESS = "ff02::1", "fe80::1"


def _advertises(ward: Medium, card: str, address: str) -> None:
    message = icmp.router_advertisement(address, EVERYBODY, card)
    packet = Ipv6(address, EVERYBODY, ICMPV6, hop_limit=255).octets(message)
    ward.put(ethernet(group_mac(EVERYBODY), card, IPV6, packet))


def _claims(ward: Medium, card: str, address: str, *, router: bool) -> None:
    message = icmp.advertisement(address, EVERYBODY, address, card, router=router)
    packet = Ipv6(address, EVERYBODY, ICMPV6, hop_limit=255).octets(message)
    ward.put(ethernet(group_mac(EVERYBODY), card, IPV6, packet))


def second_router(stage: Stage) -> None:
    """A board advertises itself as an IPv6 router, beside the gateway."""
    board, gateway = stage.intruder("board", "b8:27:eb:01:02:20", 99), stage.life.ward.hosts[services.GATEWAY]

    def scene(ward: Medium) -> Behaviour:
        for number in range(6):
            _advertises(ward, gateway.mac, ROUTERS_ADDRESS)
            yield 5 * S
            if number >= 2:
                _advertises(ward, board.mac, "fe80::ba27:ebff:fe01:220")
            yield 5 * S

    stage.plays(scene)
    stage.mac, stage.evidence_s = board.mac, 25


def routers_neighbour(stage: Stage) -> None:
    """A board says by neighbour discovery that the router's IPv6 address is its own."""
    board, gateway = stage.intruder("board", "b8:27:eb:01:02:21", 99), stage.life.ward.hosts[services.GATEWAY]

    def scene(ward: Medium) -> Behaviour:
        for _ in range(4):
            _claims(ward, gateway.mac, ROUTERS_ADDRESS, router=True)
            yield from asks(gateway, board)(ward)
            yield 10 * S
        _claims(ward, board.mac, ROUTERS_ADDRESS, router=True)
        yield S

    stage.plays(scene)
    stage.mac, stage.evidence_s = board.mac, 40


def between_scanner_and_archive(stage: Stage) -> None:
    """A board claims the address of the PACS and passes on what it gets: the archive answers a hop later."""
    board, archive = stage.intruder("board", "b8:27:eb:01:02:22", 99), stage.one("pacs")
    relay = Host("relay", board.mac, archive.ip, board.rng, archive.ttl - 1, neighbours=board.neighbours)
    scanner, titles = stage.one("imaging-modality"), ("OTTIPACS", "CT_OTTI_1")
    steps = [
        Step(BUSY, True, dicom.associate_request(titles, [dicom.CT_IMAGE], clinical.GE)),
        Step(BUSY, False, dicom.associate_accept(titles, 1, clinical.ARCHIVE)),
        Step(BUSY, True, dicom.RELEASE_REQUEST),
        Step(BUSY, False, dicom.RELEASE_RESPONSE),
    ]
    stage.session(scanner, archive, dicom.DICOM_PORT, steps)  # as it was

    def scene(ward: Medium) -> Behaviour:
        ward.hosts = {**ward.hosts, archive.ip: relay}
        for _ in range(5):
            ward.put(arp.gratuitous((board.mac, archive.ip)))
            yield S
            yield from asks(archive, ward.hosts[services.GATEWAY])(ward)
            yield from ward.session(scanner, relay, dicom.DICOM_PORT, steps)
            yield 5 * S

    stage.plays(scene, 20)
    stage.mac, stage.evidence_s = board.mac, 20 + 2


def resolver_of_its_own(stage: Stage) -> None:
    """A pump has its names answered by a board."""
    pump, board = stage.one("infusion-pump", 8), stage.intruder("board", "b8:27:eb:01:02:23", 99)
    name = f"pump-server.{services.DOMAIN}"

    def scene(ward: Medium) -> Behaviour:
        for _ in range(3):
            answer = dns.answer(9, name, [dns.a(name, board.ip)])
            yield from ward.exchange(pump, board, dns.DNS_PORT, dns.question(9, name), answer)
            yield S

    stage.plays(scene, 15)
    stage.mac, stage.evidence_s = pump.mac, 15


def addresses_used_up(stage: Stage) -> None:
    """A laptop asks for an address in the name of forty cards that do not exist."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:24", 99)

    def scene(ward: Medium) -> Behaviour:
        for number in range(60):
            card = f"02:de:ad:00:00:{number:02x}"
            message = dhcp.Dhcp(dhcp.DISCOVER, card, number, dhcp.client_options("", ""))
            packet = Ipv4("0.0.0.0", "255.255.255.255", UDP)
            datagram = Udp(68, 67).octets("0.0.0.0", "255.255.255.255", message.octets())
            ward.put(ethernet(BROADCAST, laptop.mac, IPV4, packet.octets(datagram)))
            yield 300 * MS

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 32 * 0.3 + 10  # ten seconds in which each might go on


def switch_brought_along(stage: Stage) -> None:
    """A laptop speaks spanning tree, as a bridge does."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:25", 99)

    def scene(ward: Medium) -> Behaviour:
        for _ in range(10):
            ward.put(stp(laptop.mac, laptop.mac))
            yield 2 * S

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10
