"""A recorded ward: `python -m tests.simulators.ward OUT.pcap[.gz] [--seed N] [--minutes M] [--no-incident]`.

About thirty devices of fifteen roles as a mirror port of the ward's switch hears them: infusion pumps and their server,
patient monitors and their central station, ventilators, imaging and PACS, workstations, printer, phones, camera,
building control, servers, gateway. After two thirds of the time one infusion pump, so far like the others, exchanges
data with a public address on an odd port and then looks for TCP 445 on its own and on a neighbouring subnet.
One seed gives one file, octet by octet; `--truth FILE` writes down what is in it.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.forge import icmp
from tests.forge.dicom import CT_IMAGE, ULTRASOUND_IMAGE
from tests.forge.ipv4 import ICMP, TCP, Ipv4
from tests.forge.pcap import Pcap, write
from tests.forge.tcp import SYN, Tcp
from tests.simulators import clinical, office, services
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S

SEED, MINUTES = 20_261_102, 15
START_NS = 1_793_606_400 * S  # 2026-11-02 08:00 UTC, a Monday morning
PREFIX, NEIGHBOUR = "10.20.30.", "10.20.31."
PUBLIC, PUBLIC_PORT = "203.0.113.77", 4444  # RFC 5737 documentation range, which counts as the Internet
PATIENT_ZERO = "10.20.30.104"


class Device(NamedTuple):
    """A row of the ward: what it is, and whether it refuses (RST) or swallows a SYN to a port it does not offer."""

    name: str
    mac: str
    last: int  # last octet of its address
    role: str
    vendor: str
    refuses: bool = False
    ttl: int = 64


DEVICES = (
    Device("gw-ward3", "00:1b:54:3a:10:01", 1, "network-gear", "Cisco", refuses=True, ttl=255),
    Device("sw-ward3", "00:1b:54:7c:22:80", 2, "network-gear", "Cisco", refuses=True, ttl=255),
    Device("otti-core", "d4:ae:52:10:30:0a", 10, "hospital-server", "Dell"),
    Device("otti-engine", "d4:ae:52:10:30:0b", 11, "hospital-server", "Dell"),
    Device("otti-pacs", "94:18:82:44:0c:12", 12, "pacs", "Hewlett Packard Enterprise"),
    Device("otti-pumps", "d4:ae:52:10:30:0d", 13, "pump-gateway", "Dell", ttl=128),
    Device("otti-sdc", "d4:ae:52:10:30:0e", 14, "hospital-server", "Dell"),
    Device("PCU-13408871", "00:d0:75:18:42:9b", 101, "infusion-pump", "Alaris Medical"),
    Device("PCU-13408902", "00:d0:75:18:42:c4", 102, "infusion-pump", "Alaris Medical"),
    Device("PCU-13409115", "00:d0:75:18:51:07", 103, "infusion-pump", "Alaris Medical"),
    Device("PCU-13410277", "00:d0:75:18:60:3e", 104, "infusion-pump", "Alaris Medical"),
    Device("PCU-13410280", "00:d0:75:18:60:41", 105, "infusion-pump", "Alaris Medical"),
    Device("PCU-13411536", "00:d0:75:18:77:19", 106, "infusion-pump", "Alaris Medical"),
    Device("MX800-W3-B01", "00:09:fb:2e:77:01", 121, "patient-monitor", "Philips Patient Monitoring"),
    Device("MX800-W3-B02", "00:09:fb:2e:77:0d", 122, "patient-monitor", "Philips Patient Monitoring"),
    Device("MX800-W3-B03", "00:09:fb:2e:78:22", 123, "patient-monitor", "Philips Patient Monitoring"),
    Device("MX800-W3-B04", "00:09:fb:2e:7a:90", 124, "patient-monitor", "Philips Patient Monitoring"),
    Device("PIC-WARD3", "00:09:5c:11:20:35", 130, "central-station", "Philips Cardiac and Monitoring", ttl=128),
    Device("VN800-W3-1", "00:30:e6:4d:11:c8", 141, "ventilator", "Draeger Medical Systems", refuses=True),
    Device("VN800-W3-2", "00:30:e6:4d:12:3f", 142, "ventilator", "Draeger Medical Systems", refuses=True),
    Device("CT-OTTI-1", "44:4b:5d:0c:21:7e", 151, "imaging-modality", "GE Healthcare"),
    Device("US-OTTI-2", "00:08:fb:52:19:d0", 152, "imaging-modality", "SonoSite"),
    Device("W3-CART-01", "48:4d:7e:a2:5c:61", 161, "clinical-workstation", "Dell", ttl=128),
    Device("W3-CART-02", "48:4d:7e:a2:5c:8a", 162, "clinical-workstation", "Dell", ttl=128),
    Device("W3-DESK-01", "48:4d:7e:b0:17:33", 163, "clinical-workstation", "Dell", ttl=128),
    Device("NPI20A4C1", "00:1b:78:20:a4:c1", 171, "printer", "Hewlett Packard", refuses=True),
    Device("d83-3107", "00:01:3e:21:07:5b", 181, "voip-phone", "Ascom Tateco", refuses=True),
    Device("d83-3112", "00:01:3e:21:07:92", 182, "voip-phone", "Ascom Tateco", refuses=True),
    Device("Pixel-8", "da:a1:19:3c:44:07", 190, "phone", ""),
    Device("axis-accc8e1f2a", "ac:cc:8e:1f:2a:60", 195, "ip-camera", "Axis Communications", refuses=True),
    Device("ahu-w3", "00:10:8d:0b:55:20", 201, "building-control", "Johnson Controls", refuses=True),
    Device("bms-front", "00:40:ae:03:19:7a", 202, "building-control", "Delta Controls", refuses=True),
)
FAR = (
    (services.EHR, "ehr"),
    (services.PORTAL, "portal"),
    (services.FILES, "files"),
    (services.RECORDER, "recorder"),
    (PUBLIC, "public"),
)
NEIGHBOURS_REFUSE = frozenset({5, 12, 17, 31, 44, 60, 77, 101, 118, 140, 163, 190, 221})
NEIGHBOURS_UNREACHABLE = frozenset({90, 91, 92, 93, 94, 95})  # the gateway says so


def build(seed: int, minutes: float, *, incident: bool = True) -> Medium:
    """A ward whose time has passed."""
    ward = Medium(PREFIX, services.GATEWAY, START_NS)
    for device in DEVICES:
        address = f"{PREFIX}{device.last}"
        ward.hosts[address] = Host(device.name, device.mac, address, Random(f"{seed}/{device.name}"), device.ttl)
    for address, name in FAR:
        ward.hosts[address] = Host(name, ward.hosts[services.GATEWAY].mac, address, Random(f"{seed}/{name}"))
    for behaviour in _daily_work(ward):
        ward.add(behaviour, Random(f"{seed}/start/{ward.serial}").randrange(20 * S))
    if incident:
        ward.add(_incident(ward), incident_ns(minutes))
    ward.run(int(minutes * 60 * S))
    return ward


def incident_ns(minutes: float) -> int:
    """When the pump goes astray."""
    return int(minutes * 40 * S)


def _daily_work(ward: Medium) -> Iterator[Behaviour]:
    def of(role: str) -> list[Host]:
        return [ward.hosts[f"{PREFIX}{device.last}"] for device in DEVICES if device.role == role]

    yield services.switch(ward, ward.hosts[services.SWITCH])
    simple: dict[str, Callable[[Medium, Host], Behaviour]] = {
        "infusion-pump": clinical.pump, "clinical-workstation": office.workstation, "printer": office.printer,
        "phone": office.phone, "ip-camera": office.camera,
    }  # fmt: skip
    for role, behaviour in simple.items():
        yield from (behaviour(ward, host) for host in of(role))
    monitors, ventilators, handsets, controls = (
        of("patient-monitor"), of("ventilator"), of("voip-phone"), of("building-control"),
    )  # fmt: skip
    for number, bed in enumerate(monitors):
        yield clinical.monitor(ward, bed, f"W3-B{number + 1:02d}", clinical.CANARIES[number % 2])
    yield clinical.central_station(ward, ward.hosts[services.CENTRAL], tuple(monitors))
    providers = tuple(
        (host, f"5c0e7b1a-0000-4000-8000-0030e64d{host.mac[-5:].replace(':', '')}") for host in ventilators
    )
    yield from (clinical.ventilator(ward, host, device) for host, device in providers)
    yield clinical.sdc_prober(ward, ward.hosts[services.SDC_SERVER], providers)
    scanner, ultrasound = of("imaging-modality")
    yield clinical.modality(ward, scanner, "CT_OTTI_1", (CT_IMAGE, clinical.GE), 170 * S)
    yield clinical.modality(ward, ultrasound, "US_OTTI_2", (ULTRASOUND_IMAGE, clinical.SONOSITE), 240 * S)
    yield from (office.handset(ward, host, host.name[-4:]) for host in handsets)
    yield _later(office.call(ward, handsets[0], handsets[1], 12), 200 * S)
    yield office.building_control(ward, controls[1], controls[0], 410_701)
    yield services.status_page(ward, ward.hosts[services.CORE], ward.hosts[f"{PREFIX}171"])


def _later(behaviour: Behaviour, wait_ns: int) -> Behaviour:
    yield wait_ns
    yield from behaviour


def _incident(ward: Medium) -> Behaviour:
    """Data to and from a public address, then SYNs to TCP 445: own subnet (after ARP), then the neighbouring one."""
    pump = ward.hosts[PATIENT_ZERO]
    yield from ward.resolve(pump, PUBLIC)
    talk = Conversation(ward, pump, ward.hosts[PUBLIC], PUBLIC_PORT)
    yield from talk.open()
    for size_out, size_in in ((212, 96), (64, 5840), (64, 8760), (1310, 32)):
        yield services.about(pump, 2 * S, 40)
        yield from talk.say(from_client=True, data=pump.rng.randbytes(size_out))
        yield 45 * MS
        yield from talk.say(from_client=False, data=pump.rng.randbytes(size_in))
    ward.add(_keep_talking(talk), ward.now_ns + 20 * S)
    yield 30 * S
    for last in pump.rng.sample(range(1, 255), 254):
        if f"{PREFIX}{last}" != pump.ip:
            ward.add(_probe_near(ward, pump, f"{PREFIX}{last}"), ward.now_ns)
        yield services.about(pump, 90 * MS, 30)
    for last in pump.rng.sample(range(1, 255), 254):
        ward.add(_probe_far(ward, pump, last), ward.now_ns)
        yield services.about(pump, 90 * MS, 30)


def _keep_talking(talk: Conversation) -> Behaviour:
    while True:
        yield from talk.say(from_client=True, data=talk.client.rng.randbytes(48))
        yield 50 * MS
        yield from talk.say(from_client=False, data=talk.client.rng.randbytes(32))
        yield services.about(talk.client, 20 * S, 5)


def _probe_near(ward: Medium, pump: Host, address: str) -> Behaviour:
    if (yield from ward.resolve(pump, address)):
        refuses = next(device.refuses for device in DEVICES if f"{PREFIX}{device.last}" == address)
        yield from Conversation(ward, pump, ward.hosts[address], 445).probe(refused=refuses)


def _probe_far(ward: Medium, pump: Host, last: int) -> Behaviour:
    address = f"{NEIGHBOUR}{last}"
    yield from ward.resolve(pump, address)
    gateway = ward.hosts[services.GATEWAY]
    target = ward.hosts.setdefault(address, Host(address, gateway.mac, address, Random(address), 64))
    talk = Conversation(ward, pump, target, 445)
    yield from talk.probe(refused=last in NEIGHBOURS_REFUSE)
    if last in NEIGHBOURS_UNREACHABLE:
        yield 2 * MS
        lost = Tcp(talk.local_port, 445, talk.seq[0] - 1, 0, SYN).octets(pump.ip, address)
        quoted = Ipv4(pump.ip, address, TCP, 63, pump.ident).octets(lost)
        ward.send(gateway, pump.ip, ICMP, icmp.unreachable(1, quoted))


def truth(ward: Medium, seed: int, minutes: float, *, incident: bool) -> dict[str, Any]:
    """What a reader of the capture should come to know; times in seconds after `start_ns`."""
    began = incident_ns(minutes) // S
    zero = ward.hosts[PATIENT_ZERO]
    expected = [
        {
            "id": "internet-contact",
            "severity": "page",
            "mac": zero.mac,
            "peer": PUBLIC,
            "port": PUBLIC_PORT,
            "after_s": began,
        },
        {"id": "host-sweep|smb-spread", "severity": "page", "mac": zero.mac, "port": 445, "after_s": began + 30},
    ]
    return {
        "seed": seed,
        "minutes": minutes,
        "start_ns": START_NS,
        "frames": len(ward.frames),
        "quiet_until_s": began,
        "devices": [
            {"mac": d.mac, "ip": f"{PREFIX}{d.last}", "role": d.role, "vendor": d.vendor, "name": d.name}
            for d in DEVICES
        ],
        "gateway_speaks_for": [address for address, _ in FAR] + ([f"{NEIGHBOUR}0/24"] if incident else []),
        "findings": expected if incident else [],
        "findings_may": ["contract-breach", "arp-sweep", "cleartext-clinical"] if incident else ["cleartext-clinical"],
        "canaries": {
            "where": "HL7 PID-3 and PID-5, DICOM (0010,0010) and (0010,0020)",
            "never": sorted({word for patient in clinical.CANARIES for field in patient for word in field.split("^")}),
        },
    }


def main(arguments: list[str] | None = None) -> int:
    """Write a capture, and its truth when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--no-incident", action="store_true")
    parser.add_argument("--truth", type=Path)
    given = parser.parse_args(arguments)
    incident = not given.no_incident
    ward = build(given.seed, given.minutes, incident=incident)
    write(given.out, Pcap().octets(ward.frames))
    if given.truth:
        told = truth(ward, given.seed, given.minutes, incident=incident)
        given.truth.write_text(json.dumps(told, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
