"""A hundred devices of twenty-six roles: who they are. `hundred.py` lets them live.

MAC addresses are in blocks that the registry gives to their makers; module and virtual cards are among them, as on a
real ward. Not among them, because nothing public tells them from others: anaesthesia machines, dispensing cabinets.
"""

from collections.abc import Iterator
from typing import NamedTuple

from tests.simulators import machines


class Member(NamedTuple):
    """A device: its name, card, last octet of its address, role, what it does, and its stack."""

    name: str
    mac: str
    last: int
    role: str
    habit: str
    stack: bytes = b""
    ttl: int = 64


# Role, habit, block of the card, how many, stack.
_KINDS: tuple[tuple[str, str, str, int, bytes], ...] = (
    ("infusion-pump", "alaris", "00:d0:75", 7, b""),
    ("infusion-pump", "alaris", "00:25:ca", 3, machines.LINUX),  # Laird's module in a PC unit
    ("infusion-pump", "pump-server", "00:03:b1", 2, machines.LINUX),
    ("infusion-pump", "pump-server", "00:12:21", 2, machines.LINUX),
    ("patient-monitor", "intellivue", "00:09:fb", 7, b""),
    ("patient-monitor", "reports", "00:a0:37", 2, b""),
    ("patient-monitor", "reports", "00:1a:fa", 2, b""),
    ("central-station", "central", "00:09:5c", 1, machines.WINDOWS),
    ("ventilator", "sdc", "00:30:e6", 3, b""),
    ("ventilator", "reports", "00:25:41", 2, machines.LINUX),
    ("imaging-modality", "ct", "44:4b:5d", 1, machines.WINDOWS),
    ("imaging-modality", "ultrasound", "00:08:fb", 1, machines.WINDOWS_XP),
    ("imaging-modality", "ct", "00:1d:4a", 1, machines.WINDOWS),
    ("imaging-modality", "ultrasound", "88:b4:36", 1, machines.LINUX),
    ("imaging-modality", "siemens", "d4:ae:52", 1, machines.WINDOWS),  # a scanner's computer with a general card
    ("lab-analyser", "reports", "00:50:c2:05:b0", 1, machines.WINDOWS),
    ("lab-analyser", "reports", "00:60:19", 1, b""),
    ("lab-analyser", "meter", "c0:a2:6d", 1, b""),
    ("tube-station", "quiet", "00:22:db", 2, b""),
    ("nurse-call", "quiet", "00:90:5e", 3, b""),
    ("clinical-workstation", "record", "48:4d:7e", 4, machines.WINDOWS),
    ("clinical-workstation", "record", "00:68:eb", 2, machines.WINDOWS),
    ("clinical-workstation", "record", "48:c3:5a", 1, machines.WINDOWS),
    ("office-workstation", "office", "00:68:eb", 2, machines.WINDOWS),
    ("office-workstation", "office", "48:c3:5a", 2, machines.WINDOWS),
    ("office-workstation", "office", "48:4d:7e", 1, machines.WINDOWS),
    ("thin-client", "thin", "00:80:64", 3, machines.LINUX),
    ("phone", "android", "da:a1:19", 3, machines.LINUX),  # drawn at random
    ("phone", "iphone", "7e:31:9a", 2, machines.APPLE),  # drawn at random
    ("phone", "android", "00:07:ab", 1, machines.LINUX),
    ("tablet", "ipad", "5a:0c:44", 2, machines.APPLE),  # drawn at random
    ("voip-phone", "ascom", "00:01:3e", 3, b""),
    ("voip-phone", "yealink", "80:5e:0c", 2, b""),
    ("printer", "brother", "00:1b:a9", 1, b""),
    ("printer", "lexmark", "00:21:b7", 1, b""),
    ("ip-camera", "camera", "ac:cc:8e", 1, b""),
    ("ip-camera", "camera", "04:03:12", 1, b""),
    ("building-control", "bacnet", "00:10:8d", 2, b""),
    ("building-control", "bacnet-front", "00:40:ae", 1, b""),
    ("rtls", "quiet", "00:24:dd", 2, b""),
    ("serial-gateway", "terminal", "00:90:e8", 1, b""),
    ("serial-gateway", "terminal", "00:80:a3", 1, b""),
    ("voice-assistant", "googlehome", "54:60:09", 1, machines.LINUX),
    ("voice-assistant", "echo", "5c:41:5a", 1, machines.LINUX),
    ("media-player", "chromecast", "00:f6:20", 1, machines.LINUX),
    ("media-player", "sonos", "34:7e:5c", 1, machines.LINUX),
    ("iot-other", "hue", "00:17:88", 1, b""),
    ("iot-other", "withings", "00:24:e4", 1, b""),
    ("iot-other", "tuya", "10:d5:61", 1, b""),
)
NAMES = {
    "alaris": "PCU-1341{:04d}", "intellivue": "MX800-W3-B{:02d}", "record": "W3-CART-{:02d}",
    "office": "W3-DESK-{:02d}", "android": "Galaxy-{}",
    "iphone": "iPhone-{}", "ipad": "iPad-{}", "ascom": "d83-{:04d}", "yealink": "t46-{:04d}",
    "googlehome": "Google-Home-Mini-{}", "echo": "amazon-{:08x}", "chromecast": "Chromecast-{}", "hue": "Philips-hue",
}  # fmt: skip
# The servers and the network of ward.py, at the addresses that its behaviours know.
SERVERS = (
    Member("gw-ward3", "00:1b:54:3a:10:01", 1, "network-gear", "gateway", ttl=255),
    Member("sw-ward3", "00:1b:54:7c:22:80", 2, "network-gear", "switch", ttl=255),
    Member("ap-ward3-1", "00:0b:86:10:20:31", 3, "network-gear", "access-point"),
    Member("ap-ward3-2", "00:18:0a:10:20:32", 4, "network-gear", "access-point"),
    Member("otti-core", "d4:ae:52:10:30:0a", 10, "hospital-server", "served"),
    Member("otti-engine", "00:0c:29:10:30:0b", 11, "hospital-server", "served"),
    Member("otti-pacs", "94:18:82:44:0c:12", 12, "pacs", "served"),
    Member("otti-pumps", "d4:ae:52:10:30:0d", 13, "pump-gateway", "served", ttl=128),
    Member("otti-sdc", "d4:ae:52:10:30:0e", 14, "hospital-server", "sdc-consumer"),
    Member("NPI20A4C1", "00:1b:78:20:a4:c1", 171, "printer", "jetdirect"),
)
MODULE = "00:25:ca"  # Laird's radio modules are in pumps, scanners and carts
CENTRAL_LAST = 130  # where ward.py's names look for it


def members(*, bare: bool = False) -> list[Member]:
    """All hundred; the same each time. `bare`: every card that has a maker is a module's, which says nothing."""
    everybody = _members()
    if not bare:
        return everybody
    return [m if int(m.mac[:2], 16) & 2 else m._replace(mac=f"{MODULE}:01:{m.last:02x}:07") for m in everybody]


def _members() -> list[Member]:
    free = (last for last in range(20, 250) if last not in {*(server.last for server in SERVERS), CENTRAL_LAST})
    return [*SERVERS, *_made(free)]


def _made(free: Iterator[int]) -> Iterator[Member]:
    serial = 0
    for role, habit, block, count, stack in _KINDS:
        for number in range(count):
            serial += 1
            tail = ":".join(f"{octet:02x}" for octet in (0x21, serial, 7 * number + 3)[block.count(":") - 2 :])
            card = (f"{block}:{tail}" if tail else block)[:17]
            name = NAMES.get(habit, f"{habit}-{{}}").format(100 + serial)
            last = CENTRAL_LAST if habit == "central" else next(free)
            yield Member(name, card, last, role, habit, stack, 128 if stack == machines.WINDOWS else 64)
