"""What happens on a ward within ten days, none of it harm: `life(seed, days)` is the ward with all of it.

Times are shares of ten days, so a shorter run has the same days, only shorter.
"""

from tests.forge import arp, dicom, dns, tls
from tests.forge.tcp import SACK_PERMITTED, mss, window_scale
from tests.simulators import services
from tests.simulators.medium import MS, Behaviour, Host, Medium, S, Step
from tests.simulators.reel import ALWAYS, DAY_S, HOUR_S, Scene, Strip, Window, both, without
from tests.simulators.ward_cast import (
    KINDS,
    PREFIX,
    STANDBY_ENGINE,
    STANDBY_PACS,
    STANDBY_PUMPS,
    UPDATES,
    Life,
    add_host,
    empty,
    host,
)
from tests.simulators.ward_life import (
    asks,
    at_work,
    browses,
    hl7_stream,
    images,
    lives,
    printer_announces,
    pump_reports,
)

FULL_DAYS = 10
LIBRARY_OCTETS, FIRMWARE_OCTETS, PATCH_OCTETS = 300 << 10, 600 << 10, 1 << 20
VOLUME_OCTETS = 5 << 20  # a minute of a large transfer, three times in a row
ANOTHER_MAKE = mss(1460) + window_scale(8) + b"\x01\x01" + SACK_PERMITTED  # the TCP options of a server of another make
VISITORS_A_DAY, VISITOR_POOL = 25, range(224, 251)
MISSED = 0.005  # of all frames, for all days: a mirror port that is a little too full
PUBLIC = tuple(f"203.0.113.{n}" for n in range(10, 40))
REBOOT_S, ROAM_S, OUTAGE_S = 75.0, 300.0, float(HOUR_S)
LOSSY_DAY, LOSS = 4.9, 0.005  # from here on for half a day the tap itself loses frames, and says so
OUTAGE_DAY = 6.5


def life(seed: int, days: float = FULL_DAYS, share: float = 1.0) -> Life:
    """The ward, with everything that happens."""
    ward = empty(seed, days, share)
    ward.reel.missed = MISSED
    _switched_on_and_off(ward)
    _out_of_reach(ward)
    _patch_night(ward)
    _servers_fail(ward)
    newcomers = _a_new_pump(ward)
    moved = _a_printer_moves(ward)
    at_work(ward)
    for one in newcomers:
        lives(ward, one, "ALARIS-PCU-8015")
        pump_reports(ward, one)
    lives(ward, moved, "Hewlett-Packard JetDirect")
    printer_announces(ward, moved, ward.windows(moved.ip))
    _stand_ins(ward)
    _pushes(ward)
    _volumes(ward)
    _visitors(ward)
    ward.reel.summer_ends_s = at(ward, 7) + 3 * HOUR_S
    ward.happens(ward.reel.summer_ends_s, "summer time ends")
    return ward


def at(ward: Life, day: float) -> float:
    """A moment of the ten days, in seconds since the start."""
    return day * DAY_S * ward.days / FULL_DAYS


def _switched_on_and_off(ward: Life) -> None:
    """Pumps: in use for hours or days, then switched off and stored; one goes to another ward for good."""
    pumps, end = ward.of("infusion-pump"), at(ward, FULL_DAYS)
    for pump in pumps:
        clock, windows = ward.chance.uniform(-20, 4) * HOUR_S, list[Window]()
        while clock < end:
            used = ward.chance.uniform(6, 72) * HOUR_S
            if clock + used > 0:
                windows.append((max(0.0, clock), clock + used))
            clock += used + ward.chance.choice((0.3, 2, 9, 30)) * HOUR_S
        ward.on[pump.ip] = tuple(windows)
    leaves = at(ward, 5.4)
    ward.on[pumps[0].ip] = without(ward.on[pumps[0].ip], [(leaves, 1e11)])
    ward.happens(leaves, "a pump goes to another ward for good")
    switched = sum(len(windows) for windows in ward.on.values())
    ward.happens(0, f"{len(pumps)} pumps are switched on {switched} times in all, and off in between")


def _out_of_reach(ward: Life) -> None:
    """Five minutes without radio: pumps, carts and phones, about once a day each."""
    count = 0
    for role in ("infusion-pump", "clinical-workstation", "voip-phone", "phone"):
        for one in ward.of(role):
            gaps = [
                (start, start + ROAM_S)
                for day in range(FULL_DAYS)
                for start in [at(ward, day + ward.chance.uniform(0.05, 0.95))]
            ]
            ward.away[one.ip] = tuple(gaps)
            count += len(gaps)
    ward.happens(0, f"{count} times a device is out of the radio's reach for five minutes")


def _patch_night(ward: Life) -> None:
    """Workstations and the core server start anew in one night."""
    night = at(ward, 4.05)
    for number, cart in enumerate(ward.of("clinical-workstation")):
        start = night + number * 240 + 600
        ward.on[cart.ip] = without([(0.0, 1e11)], [(start, start + REBOOT_S * 2)])
    core = ward.ward.hosts[services.CORE]
    ward.reel.mute.append((core.mac, (night + 5400, night + 5400 + 600)))
    ward.happens(night, "patch night: every workstation loads updates and restarts, the core server is gone for 600 s")


def _servers_fail(ward: Life) -> None:
    """The HL7 engine dies and a stand-in with another address takes over; the pump server's address moves."""
    engine, pumps, archive = at(ward, 5.2), at(ward, 8.3), at(ward, 9.4)
    ward.down[services.ENGINE] = ((engine, engine + 4 * HOUR_S),)
    ward.down[services.PUMP_SERVER] = ((pumps, pumps + 5 * HOUR_S),)
    ward.down[services.PACS] = ((archive, archive + 3 * HOUR_S),)
    ward.happens(archive, "the PACS fails for three hours, a stand-in takes its address")
    ward.happens(engine, "the HL7 engine fails for four hours, another one takes over at its own address")
    ward.happens(pumps, "the pump server fails for five hours, a stand-in takes its address")
    for address, windows in ward.down.items():
        ward.reel.mute += [(ward.ward.hosts[address].mac, window) for window in windows]


def _stand_ins(ward: Life) -> None:
    hosts, usual = ward.ward.hosts, dict(ward.ward.hosts)
    gap = 45.0  # until a sender gives up and asks for the name again
    for start, stop in ward.down[services.ENGINE]:
        for sender in [*ward.of("patient-monitor"), hosts[services.CENTRAL]]:
            application = "PHILIPS-IIC" if sender.ip != services.CENTRAL else "PHILIPS-PIC"
            hl7_stream(ward, sender, hosts[STANDBY_ENGINE], application, [(start + gap, stop)])
    for start, stop in ward.down[services.PUMP_SERVER]:
        acting = _takes_the_address(ward, services.PUMP_SERVER, STANDBY_PUMPS, (start, stop))
        for pump in ward.of("infusion-pump"):
            inside = both(ward.windows(pump.ip), [(start + 20, stop)])
            pump_reports(ward, pump, acting, inside)
            ward.reel.again(ward.strip(asks(pump, acting)), 900, inside)
        hosts[services.PUMP_SERVER] = usual[services.PUMP_SERVER]
    for start, stop in ward.down[services.PACS]:
        acting = _takes_the_address(ward, services.PACS, STANDBY_PACS, (start, stop))
        acting.stack, acting.ttl = ANOTHER_MAKE, 128
        images(ward, [(start + 20, stop)])
        ward.reel.again(ward.strip(asks(acting, hosts[services.GATEWAY])), 120, [(start + 20, stop)])
        hosts[services.PACS] = usual[services.PACS]


def _takes_the_address(ward: Life, address: str, stand_in: str, window: Window) -> Host:
    """A cluster's other node claims a dead one's address, and gives it back; strips that are made now meet it."""
    hosts = ward.ward.hosts
    other, dead = hosts[stand_in], hosts[address]
    acting = Host(other.name, other.mac, address, other.rng, other.ttl, neighbours=other.neighbours)
    hosts[address] = acting
    ward.reel.once(window[0] + 2, ward.strip(_claims(acting)))
    ward.reel.once(window[1] + 2, ward.strip(_claims(dead)))
    return acting


def _claims(one: Host) -> Scene:
    def scene(ward: Medium) -> Behaviour:
        ward.put(arp.gratuitous((one.mac, one.ip)))
        yield 0

    return scene


def _a_new_pump(ward: Life) -> list[Host]:
    comes = at(ward, 7.4)
    ward.on[f"{PREFIX}60"] = ((comes, 1e11),)
    ward.happens(comes, "a new pump of the same make comes")
    return [add_host(ward, "PCU-1340899", "00:d0:75:14:77:60", f"{PREFIX}60")]


def _a_printer_moves(ward: Life) -> Host:
    """To another room and another address, with the same card."""
    kind = next(kind for kind in KINDS if kind.role == "printer")
    printer, goes = host(ward, kind, 1), at(ward, 8.1)
    ward.on[printer.ip] = ((0.0, goes),)
    ward.on[f"{PREFIX}173"] = ((goes + 2 * HOUR_S * ward.days / FULL_DAYS, 1e11),)
    ward.happens(goes, "a printer moves and comes back with another address")
    return add_host(ward, printer.name, printer.mac, f"{PREFIX}173")


def _pushes(ward: Life) -> None:
    """Firmware to all pumps in one night, a drug library over a day, updates to workstations."""
    server = ward.ward.hosts[services.PUMP_SERVER]
    night, day = at(ward, 6.08), at(ward, 7.3)
    for number, pump in enumerate(ward.of("infusion-pump")):
        start = night + number * 100
        ward.reel.once(start, ward.strip(_push(server, pump, 1500, FIRMWARE_OCTETS)), ward.windows(pump.ip))
        library = ward.strip(_push(server, pump, 1500, LIBRARY_OCTETS))
        ward.reel.once(day + ward.chance.uniform(0, 9) * HOUR_S * ward.days / FULL_DAYS, library, ward.windows(pump.ip))
    ward.happens(night, "firmware is pushed to every pump that is on, one after the other")
    ward.happens(day, "a drug library goes out to every pump within nine hours")
    updates = ward.ward.hosts[UPDATES]
    for number, cart in enumerate(ward.of("clinical-workstation")):
        loads = ward.strip(_push(cart, updates, 8530, PATCH_OCTETS, from_server=True))
        ward.reel.once(at(ward, 4.05) + number * 240, loads, ward.windows(cart.ip))


def _push(client: Host, server: Host, port: int, octets: int, *, from_server: bool = False) -> Scene:
    steps = [Step(5 * MS, not from_server, bytes(17_520)) for _ in range(octets // 17_520)]
    steps.insert(0, Step(5 * MS, from_server, b"begin".ljust(60, b"\0")))

    def scene(ward: Medium) -> Behaviour:
        yield from ward.session(client, server, port, steps)

    return scene


def _volumes(ward: Life) -> None:
    """The central station's waves go to the archive of files each night, and two large studies a day to the PACS."""
    central, scanner = ward.ward.hosts[services.CENTRAL], ward.of("imaging-modality")[0]
    files, archive = ward.ward.hosts[services.FILES], ward.ward.hosts[services.PACS]
    minute = round(VOLUME_OCTETS * ward.share)
    waves = [ward.strip(_push(central, files, 443, minute)) for _ in range(3)]
    study = [ward.strip(_push(scanner, archive, dicom.DICOM_PORT, minute)) for _ in range(3)]
    there = without([ALWAYS], ward.down[services.PACS])
    for day in range(FULL_DAYS):
        for strips, hours, windows in ((waves, (2.1,), (ALWAYS,)), (study, (9.3, 14.6), there)):
            for hour in hours:
                start = at(ward, day + hour / 24) + ward.chance.uniform(0, 900) * ward.days / FULL_DAYS
                for number, strip in enumerate(strips):
                    ward.reel.once(start + 60 * number, strip, windows)
    ward.happens(0, "the central station stores its waves at night, and two large studies a day go to the PACS")


def _visitors(ward: Life) -> None:
    """Phones with a card drawn at random, in from ten to eight; addresses of a pool that are used again and again."""
    place = 0
    for day in range(FULL_DAYS):
        for _ in range(round(VISITORS_A_DAY * ward.share)):
            place += 1
            comes = at(ward, day + ward.chance.uniform(0.42, 0.8))
            window = (comes, comes + ward.chance.uniform(0.4, 2.5) * HOUR_S)
            _visitor(ward, f"{PREFIX}{VISITOR_POOL[place % len(VISITOR_POOL)]}", window)
    ward.happens(0, f"{place} visitors' phones come and go")
    for phone in ward.of("phone"):
        ward.reel.again(_surfs(ward, phone), 400, ward.windows(phone.ip), jitter=0.45)


def _visitor(ward: Life, address: str, window: Window) -> None:
    card = ":".join(f"{octet:02x}" for octet in (ward.chance.getrandbits(6) << 2 | 2, *ward.chance.randbytes(5)))
    phone = add_host(ward, f"visitor-{card[-5:]}", card, address)
    ward.on[address] = (window,)
    lives(ward, phone, "android-dhcp-14")
    browses(ward, phone, (window,))
    ward.reel.again(_surfs(ward, phone), 90, (window,), jitter=0.45)


def _surfs(ward: Life, phone: Host) -> tuple[Strip, ...]:
    """A name, and a page under TLS from a public address."""
    forms = []
    for address in ward.chance.sample(PUBLIC, 3):
        name = f"cdn{address.rsplit('.', 1)[1]}.example"
        far = add_host(ward, name, ward.ward.hosts[services.GATEWAY].mac, address)
        forms.append(ward.strip(_page(phone, far, name)))
    return tuple(forms)


def _page(phone: Host, far: Host, name: str) -> Scene:
    steps = [
        Step(3 * MS, True, tls.client_hello(name, bytes(32))),
        Step(20 * MS, False, tls.server_hello(bytes(32)) + tls.application(bytes(1200))),
        Step(S, True, tls.application(bytes(500))),
        Step(30 * MS, False, tls.application(bytes(4000))),
    ]

    def scene(ward: Medium) -> Behaviour:
        core = ward.hosts[services.CORE]
        answer = dns.answer(7, name, [dns.a(name, far.ip)])
        yield from ward.exchange(phone, core, dns.DNS_PORT, dns.question(7, name), answer)
        yield from ward.session(phone, far, 443, steps)

    return scene
