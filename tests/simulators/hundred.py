"""A ward of a hundred devices of twenty-six roles on one switch: what identity says of them, and when.

python -m tests.simulators.hundred                        a table of roles after 1, 2, 5 and 10 minutes of ward time
python -m tests.simulators.hundred --write                puts it into docs/identity.md
python -m tests.simulators.hundred --out WARD.pcap        writes the capture
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from agent.config import Config
from tests.conftest import ROOT
from tests.forge.dicom import CT_IMAGE, ULTRASOUND_IMAGE
from tests.forge.ethernet import lldp
from tests.forge.pcap import Frame, Pcap, write
from tests.golden.identity.score import Row, table, total
from tests.service.bench import Sensor
from tests.simulators import clinical, machines, office, services
from tests.simulators.medium import Behaviour, Host, Medium, S
from tests.simulators.roster import Member, members

SEED, MINUTES, LOOKS = 20_261_127, 10, (1, 2, 5, 10)
START_NS = 1_793_606_400 * S  # 2026-11-02 08:00 UTC
PREFIX = "10.20.30."
PAGE = ROOT / "docs" / "identity.md"
BEGIN, END = "<!-- ward: begin -->", "<!-- ward: end -->"
SIEMENS = ("1.3.12.2.1107.5.1.4", "SIEMENS_SYNGO")
Habit = Callable[[Medium, Host], Behaviour]

HABITS: dict[str, Habit] = {
    "alaris": clinical.pump,
    "pump-server": lambda ward, host: machines.tls_client(ward, host, "pump-server", 8443),
    "reports": lambda ward, host: machines.reports(ward, host, host.name.upper()),
    "meter": lambda ward, host: machines.point_of_care(ward, host, "NOVABIO", "StatStrip"),
    "ct": lambda ward, host: clinical.modality(ward, host, "CT_OTTI_1", (CT_IMAGE, clinical.GE), 170 * S),
    "ultrasound": lambda ward, host: clinical.modality(
        ward, host, "US_OTTI_2", (ULTRASOUND_IMAGE, clinical.SONOSITE), 240 * S
    ),
    "quiet": machines.quiet,
    "record": machines.clinical_workstation,
    "office": machines.office_workstation,
    "thin": machines.thin_client,
    "android": machines.android,
    "iphone": machines.apple,
    "ipad": machines.apple,
    "ascom": lambda ward, host: office.handset(ward, host, host.name[-4:]),
    "yealink": lambda ward, host: machines.desk_phone(ward, host, "yealink", "Yealink SIP-T46U 108.86.0.45"),
    "jetdirect": office.printer,
    "brother": lambda ward, host: machines.announcer(ward, host, "_ipp._tcp", ["ty=Brother HL-L6400DW"]),
    "lexmark": lambda ward, host: machines.announcer(ward, host, "_printer._tcp", ["ty=Lexmark MS521dn"]),
    "camera": office.camera,
    "googlehome": lambda ward, host: machines.announcer(ward, host, "_googlecast._tcp", ["md=Google Home Mini"]),
    "echo": machines.quiet,
    "chromecast": lambda ward, host: machines.announcer(ward, host, "_googlecast._tcp", ["md=Chromecast Ultra"]),
    "sonos": lambda ward, host: machines.announcer(ward, host, "_sonos._tcp", ["vers=3"]),
    "hue": lambda ward, host: machines.smart_thing(ward, host, "udhcp 1.23.1", "discovery.meethue.com"),
    "withings": lambda ward, host: machines.smart_thing(ward, host, "", "scalews.withings.net", "Withings UserAgent"),
    "tuya": machines.tuya,
}  # what a device of the habit does by itself


def build(seed: int, minutes: float, *, bare: bool = False) -> Medium:
    """A ward whose time has passed."""
    ward = Medium(PREFIX, services.GATEWAY, START_NS)
    crew = members(bare=bare)
    for member in crew:
        address = f"{PREFIX}{member.last}"
        host = Host(member.name, member.mac, address, Random(f"{seed}/{member.name}"), member.ttl, stack=member.stack)
        ward.hosts[address] = host
    for address in (services.EHR, services.PORTAL, services.FILES, services.RECORDER):
        ward.hosts[address] = Host(address, ward.hosts[services.GATEWAY].mac, address, Random(f"{seed}/{address}"))
    for behaviour in _lives(ward, crew):
        ward.add(behaviour, Random(f"{seed}/start/{ward.serial}").randrange(20 * S))
    ward.run(int(minutes * 60 * S))
    return ward


def _lives(ward: Medium, everybody: list[Member]) -> Iterator[Behaviour]:
    """Everybody's day."""
    crew = {member: ward.hosts[f"{PREFIX}{member.last}"] for member in everybody}
    yield from (HABITS[member.habit](ward, host) for member, host in crew.items() if member.habit in HABITS)

    def of(habit: str) -> list[Host]:
        return [host for member, host in crew.items() if member.habit == habit]

    yield services.switch(ward, of("switch")[0])
    yield from (_access_point(ward, host) for host in of("access-point"))
    yield from _bedside(ward, of)
    yield from _imaging(ward, of)
    front = of("bacnet-front")[0]
    yield from (office.building_control(ward, front, host, 410_701 + n) for n, host in enumerate(of("bacnet")))
    yield from (machines.terminal_server(ward, host, ward.hosts[services.ENGINE]) for host in of("terminal"))
    player = of("android")[0]
    yield from (machines.cast(ward, player, host) for host in (*of("googlehome"), *of("chromecast")))
    yield services.status_page(ward, ward.hosts[services.CORE], ward.hosts[f"{PREFIX}171"])


def _bedside(ward: Medium, of: Callable[[str], list[Host]]) -> Iterator[Behaviour]:
    beds, providers = of("intellivue"), of("sdc")
    for number, bed in enumerate(beds):
        yield clinical.monitor(ward, bed, f"W3-B{number + 1:02d}", clinical.CANARIES[number % 2])
    yield clinical.central_station(ward, of("central")[0], tuple(beds))
    known = tuple((host, f"5c0e7b1a-0000-4000-8000-{number:012x}") for number, host in enumerate(providers))
    yield from (clinical.ventilator(ward, host, device) for host, device in known)
    yield clinical.sdc_prober(ward, ward.hosts[services.SDC_SERVER], known)


def _imaging(ward: Medium, of: Callable[[str], list[Host]]) -> Iterator[Behaviour]:
    for host in of("siemens"):
        yield clinical.modality(ward, host, "CT_OTTI_3", (CT_IMAGE, SIEMENS), 200 * S)
        yield machines.worklist(ward, host, "CT_OTTI_3", SIEMENS)


def _access_point(ward: Medium, host: Host) -> Behaviour:
    """LLDP every half minute; its clients' frames go by as their own."""
    yield from services.lease(ward, host, "", fresh=False)
    while True:
        ward.put(lldp(host.mac, "eth0", f"{host.name}.{services.DOMAIN}", "access point", 0x0C))
        yield 30 * S


def heard(
    ward: Medium, minutes: tuple[int, ...], *, bare: bool = False, sensor: Sensor | None = None
) -> Iterator[list[Row]]:
    """What the sensor (a new one, when none is given) says of every device after so many minutes."""
    sensor, crew = sensor or Sensor(Config()), members(bare=bare)
    frames = iter(ward.frames)
    waiting: list[Frame] = []
    for minute in minutes:
        until_ns = START_NS + minute * 60 * S
        for frame in frames:
            waiting.append(frame)
            if frame.time_ns >= until_ns:
                break
        _play(sensor, waiting)
        yield [_row(sensor, member, minute) for member in crew]
        waiting = []
    sensor.pipeline.settle()


def _play(sensor: Sensor, frames: list[Frame], most: int = 512) -> None:
    """In bursts, as a leg gives them."""
    for at in range(0, len(frames), most):
        sensor.play(frames[at : at + most])


def _row(sensor: Sensor, member: Member, minute: int) -> Row:
    identity = sensor.pipeline.ward._identifier.assess(int(member.mac.replace(":", ""), 16))
    return Row(f"{minute} min", member.name, member.role, identity.role, identity.confidence, "", identity.vendor)


def _counts(name: str, rows: list[Row]) -> str:
    score, sure = total(rows), sum(row.surely_wrong() for row in rows)
    return f"| {name} | {score.right} | {score.unknown} | {score.falsely} | {sure} |"


def told(looks: list[list[Row]], bare: list[Row]) -> str:
    """By minute, at the end without makers, and by role at the end."""
    lines = ["| after | right | unknown | wrong | wrong above 0.6 |", "|---|---|---|---|---|"]
    lines += [_counts(rows[0].capture, rows) for rows in looks]
    lines.append(_counts(f"{bare[0].capture}, every maker hidden by a module's card", bare))
    return "\n".join([*lines, "", *table(looks[-1])]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Print, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    ward = build(given.seed, MINUTES)
    if given.out:
        write(given.out, Pcap().octets(ward.frames))
        return 0
    looks = list(heard(ward, LOOKS))
    bare = next(heard(build(given.seed, MINUTES, bare=True), (MINUTES,), bare=True))
    text = told(looks, bare)
    sys.stdout.write(text)
    sys.stdout.writelines(f"not right: {row}\n" for row in (*looks[-1], *bare) if row.verdict() != "right")
    if given.write:
        before, _, rest = PAGE.read_text("utf-8").partition(f"{BEGIN}\n")
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{rest.partition(END)[2]}", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
