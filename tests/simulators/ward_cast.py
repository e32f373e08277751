"""The ward that lives for days: its hosts, when each is there, and what its frames are kept in."""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.simulators import services
from tests.simulators.medium import Host, Medium, S
from tests.simulators.reel import ALWAYS, Reel, Scene, Strip, Window, both, without

START_NS = 1_793_577_600 * S  # 2026-11-02 00:00 UTC, a Monday
PREFIX = "10.20.30."
STANDBY_ENGINE, STANDBY_PUMPS, STANDBY_PACS = "10.20.30.16", "10.20.30.17", "10.20.30.18"
UPDATES, BACKUP = "10.20.8.40", "10.20.8.50"  # behind the gateway
FAR = (services.EHR, services.PORTAL, services.FILES, services.RECORDER, UPDATES, BACKUP)


class Kind(NamedTuple):
    """Devices of one role and product."""

    role: str
    name: str
    cards: str  # first three octets of their cards
    first: int  # last octet of the first address
    count: int
    vendor_class: str = ""
    ttl: int = 64


KINDS = (
    Kind("network-gear", "gw-ward3", "00:1b:54", 1, 1, ttl=255),
    Kind("network-gear", "sw-ward3", "00:1b:54", 2, 1, ttl=255),
    Kind("hospital-server", "otti-core", "d4:ae:52", 10, 1),
    Kind("hospital-server", "otti-engine", "d4:ae:52", 11, 1),
    Kind("pacs", "otti-pacs", "94:18:82", 12, 1),
    Kind("pump-gateway", "otti-pumps", "d4:ae:52", 13, 1, ttl=128),
    Kind("hospital-server", "otti-sdc", "d4:ae:52", 14, 1),
    Kind("hospital-server", "otti-engine2", "d4:ae:52", 16, 1),
    Kind("pump-gateway", "otti-pumps2", "d4:ae:52", 17, 1, ttl=128),
    Kind("pacs", "otti-pacs2", "94:18:82", 18, 1),
    Kind("infusion-pump", "PCU-13408", "00:d0:75", 20, 40, "ALARIS-PCU-8015"),
    Kind("patient-monitor", "MX800-W3-B", "00:09:fb", 62, 16, "PHILIPS-MX800"),
    Kind("central-station", "PIC-WARD3", "00:09:5c", 130, 1, ttl=128),
    Kind("ventilator", "VN800-W3-", "00:30:e6", 141, 6, "DRAEGER-VN800"),
    Kind("imaging-modality", "CT-OTTI-", "44:4b:5d", 151, 1),
    Kind("imaging-modality", "US-OTTI-", "00:08:fb", 152, 1),
    Kind("clinical-workstation", "W3-CART-", "48:4d:7e", 180, 12, "MSFT 5.0", 128),
    Kind("printer", "NPI20A4C", "00:1b:78", 171, 2, "Hewlett-Packard JetDirect"),
    Kind("voip-phone", "d83-31", "00:01:3e", 200, 8, "Ascom d83"),
    Kind("ip-camera", "axis-accc8e", "ac:cc:8e", 195, 2, "AXIS,Network Camera,P3245-V"),
    Kind("building-control", "ahu-w3-", "00:10:8d", 211, 1),
    Kind("building-control", "bms-front", "00:40:ae", 212, 1),
    Kind("phone", "Pixel-", "da:a1:19", 215, 5, "android-dhcp-14"),
)


class _AllKnown(dict[str, int]):
    """Neighbours whose cards are known for ever: ARP is heard as a routine of its own."""

    def get(self, _key: str, _default: object = None) -> int:  # type: ignore[override]
        """Known."""
        return 1 << 62


@dataclass(slots=True)
class Life:
    """The ward, its reel, and when each device is there."""

    reel: Reel
    ward: Medium
    chance: Random
    days: float
    on: dict[str, tuple[Window, ...]] = field(default_factory=dict)  # by address: switched on; not named: always
    away: dict[str, tuple[Window, ...]] = field(default_factory=dict)  # out of the radio's reach, for minutes
    down: dict[str, tuple[Window, ...]] = field(default_factory=dict)  # servers that another one stands in for
    share: float = 1.0  # of the devices of each kind
    told: list[tuple[float, str]] = field(default_factory=list)  # what happens and when, for the report

    def strip(self, *scenes: Scene) -> Strip:
        """Forge."""
        return self.reel.store.strip(self.ward, *scenes)

    def of(self, role: str) -> list[Host]:
        """Hosts of a role that are there from the start."""
        return [host(self, kind, number) for kind in KINDS if kind.role == role for number in range(self.count(kind))]

    def count(self, kind: Kind) -> int:
        """How many of a kind there are."""
        return min(kind.count, max(2, round(kind.count * self.share)))

    def windows(self, *addresses: str) -> tuple[Window, ...]:
        """When all of these are on and within reach."""
        found: tuple[Window, ...] = (ALWAYS,)
        for address in addresses:
            found = both(found, without(self.on.get(address, (ALWAYS,)), self.away.get(address, ())))
        return found

    def happens(self, at_s: float, what: str) -> None:
        """For the report."""
        self.told.append((at_s, what))


def host(life: Life, kind: Kind, number: int) -> Host:
    """The host of one of them."""
    return life.ward.hosts[f"{PREFIX}{kind.first + number}"]


def add_host(life: Life, name: str, card: str, address: str, ttl: int = 64) -> Host:
    """Somebody whose neighbours are known."""
    life.ward.hosts[address] = Host(name, card, address, Random(f"{life.reel.seed}/{name}"), ttl)
    life.ward.hosts[address].neighbours = _AllKnown()
    return life.ward.hosts[address]


def empty(seed: int, days: float, share: float = 1.0) -> Life:
    """The hosts of the ward, at rest."""
    life = Life(Reel(seed, START_NS), Medium(PREFIX, services.GATEWAY, START_NS), Random(seed), days, share=share)
    for kind in KINDS:
        for number in range(life.count(kind)):
            last = kind.first + number
            card = f"{kind.cards}:{kind.first & 255:02x}:{number:02x}:{last:02x}"
            add_host(life, f"{kind.name}{number:02}", card, f"{PREFIX}{last}", kind.ttl)
    for address in FAR:
        add_host(life, address, life.ward.hosts[services.GATEWAY].mac, address)
    return life
