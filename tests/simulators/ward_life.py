"""A ward of a hundred devices as it lives for days: `life(seed, days)` gives its reel. No harm is in it.

Paces are those of life: a poll a second for each monitor, a report every ten seconds from each pump. What is shorter
than life: a call lasts five seconds, a study has four images. Each exchange has a few forms that take turns, so TCP
sequence numbers and payloads repeat. What happens on certain days is `ward_days.py`.
"""

from collections.abc import Iterator, Sequence
from math import sin
from struct import pack

from tests.forge import arp, bedside, dicom, dns, smb, ssdp, tls
from tests.forge.octets import mac
from tests.simulators import clinical, office, services
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.reel import ALWAYS, HOUR_S, Routine, Scene, Window, both, without
from tests.simulators.ward_cast import BACKUP, KINDS, PREFIX, Life, host

OFFICE_HOURS = (0.2,) * 6 + (0.6, *(1.0,) * 12, 0.6) + (0.3,) * 4  # a ward works by day and sleeps a little
NIGHTLY = tuple(float(hour == 2) for hour in range(24))
LEASE_RENEWED_S, ARP_EVERY_S = 1800, 300


def at_work(life: Life) -> None:
    """Everything that a ward does every day."""
    reel, hosts = life.reel, life.ward.hosts
    reel.again(life.strip(services_hello(hosts[services.SWITCH])), 30, [ALWAYS], jitter=0.01)
    for kind in KINDS:
        for number in range(life.count(kind)):
            lives(life, host(life, kind, number), kind.vendor_class)
    for pump in life.of("infusion-pump"):
        pump_reports(life, pump)
    for bed in life.of("patient-monitor"):
        monitor_reports(life, bed)
    hl7_stream(life, hosts[services.CENTRAL], hosts[services.ENGINE], "PHILIPS-PIC")
    for ventilator in life.of("ventilator"):
        ventilator_reports(life, ventilator)
    images(life)
    for cart in life.of("clinical-workstation"):
        workstation_works(life, cart)
    things(life)


def services_hello(switch: Host) -> Scene:
    """The switch's spanning tree and LLDP."""

    def scene(ward: Medium) -> Behaviour:
        for number, wait in enumerate(services.switch(ward, switch)):
            if number == 14:
                return
            yield wait

    return scene


def asks(asker: Host, wanted: Host) -> Scene:
    """ARP, answered."""

    def scene(ward: Medium) -> Behaviour:
        ward.put(arp.request((asker.mac, asker.ip), wanted.ip))
        yield 150_000
        ward.put(arp.reply((wanted.mac, wanted.ip), (asker.mac, asker.ip)))

    return scene


def lives(life: Life, one: Host, vendor_class: str) -> None:
    """What every device does: asks for its lease and the gateway's card, and for the time."""
    windows, gateway = life.windows(one.ip), life.ward.hosts[services.GATEWAY]
    if one.ip != gateway.ip:
        life.reel.again(life.strip(asks(one, gateway)), ARP_EVERY_S, windows, jitter=0.3)
    if vendor_class:
        renewal = life.strip(lambda ward: services.lease(ward, one, vendor_class, fresh=False))
        life.reel.again(renewal, LEASE_RENEWED_S, windows, jitter=0.02)
        fresh = life.strip(lambda ward: services.lease(ward, one, vendor_class, fresh=True), asks(one, gateway))
        switched_on = {start for start, _ in life.on.get(one.ip, (ALWAYS,))}
        for start, _ in windows:
            comes = fresh if start in switched_on else renewal  # who comes back into reach keeps its address
            life.reel.once(start + life.chance.uniform(0, 3), comes, windows)
    if one.ip != services.CORE:
        life.reel.again(life.strip(time_asked(one)), 256, windows, jitter=0.02)


def time_asked(one: Host) -> Scene:
    """NTP, once."""

    def scene(ward: Medium) -> Behaviour:
        for wait in services.time_sync(ward, one, S):
            if wait > 500 * MS:
                return
            yield wait

    return scene


def spoken(talk: Conversation, *turns: tuple[bool, bytes]) -> Scene:
    """Turns of an open conversation; True is the client's."""

    def scene(ward: Medium) -> Behaviour:
        talk.medium = ward
        for from_client, data in turns:
            yield from talk.say(from_client=from_client, data=data)
            yield 6 * MS

    return scene


def opened(talk: Conversation) -> Scene:
    """The handshake."""

    def scene(ward: Medium) -> Behaviour:
        talk.medium = ward
        yield from talk.open()

    return scene


def pump_reports(life: Life, pump: Host, server: Host | None = None, windows: Sequence[Window] | None = None) -> None:
    """Alaris: one session after the other on TCP 3613, five minutes each."""
    server = server or life.ward.hosts[services.PUMP_SERVER]
    if windows is None:
        windows = without(life.windows(pump.ip), life.down.get(server.ip, ()))
    life.reel.again([life.strip(pump_session(pump, server, form)) for form in range(3)], 320, windows, jitter=0.01)


def pump_session(pump: Host, server: Host, form: int) -> Scene:
    """A name asked for, then a session of thirty records."""

    def scene(ward: Medium) -> Behaviour:
        yield from services.lookup(ward, pump, "pump-server")
        steps = [Step(20 * MS, True, bedside.pump_record(1, form, pump.name.encode().ljust(64, b"\0")))]
        steps.append(Step(8 * MS, False, bedside.pump_record(2, form, b"\0" * 16)))
        for number in range(30):
            rate = pack(">IIHH", 1200 + number % 7, 50_000 - 30 * form - number, 1, 0)
            steps.append(Step(services.about(pump, 10 * S), True, bedside.pump_record(3, number, rate * 4)))
            steps.append(Step(4 * MS, False, bedside.pump_record(4, number)))
        yield from ward.session(pump, server, bedside.ALARIS_PORT, steps)

    return scene


def monitor_reports(life: Life, bed: Host) -> None:
    """IntelliVue: announcements, polls of the central station, an HL7 stream."""
    windows, central = life.windows(bed.ip), life.ward.hosts[services.CENTRAL]

    def announce(ward: Medium) -> Behaviour:
        port = bedside.INTELLIVUE_CONNECT_PORT
        ward.datagram(bed, f"{PREFIX}255", (port, port), bedside.connect_indication(mac(bed.mac), bed.name))
        yield 0

    port = central.next_port()

    def polled(ward: Medium) -> Behaviour:
        ward.datagram(central, bed.ip, (port, bedside.INTELLIVUE_PORT), bedside.poll(1, answer=False))
        yield services.about(central, 3 * MS, 50)
        wave = b"".join(pack(">h", int(900 * sin(i / 11))) for i in range(64))
        ward.datagram(bed, central.ip, (bedside.INTELLIVUE_PORT, port), bedside.poll(1, answer=True, values=wave))

    life.reel.again(life.strip(announce), 10, windows, jitter=0.03)
    life.reel.again([life.strip(polled), life.strip(polled)], 1, windows, jitter=0.01)
    hl7_stream(life, bed, life.ward.hosts[services.ENGINE], "PHILIPS-IIC")


def hl7_stream(
    life: Life, sender: Host, engine: Host, application: str, windows: Sequence[Window] | None = None
) -> None:
    """One MLLP connection, an observation a minute; it is opened when a window opens and not closed."""
    talk = Conversation(life.ward, sender, engine, 2575)
    if windows is None:
        windows = without(life.windows(sender.ip), life.down.get(engine.ip, ()))
    asked = life.strip(lambda ward: services.lookup(ward, sender, "hl7"), opened(talk))
    beat = life.strip(
        spoken(
            talk,
            *zip((True, False), clinical.oru(life.ward, sender, application, clinical.CANARIES[0], 1), strict=True),
        )
    )
    for start, stop in windows:
        life.reel.once(start + life.chance.uniform(4, 9), asked, [(start, stop)])
    life.reel.again(beat, 60, [(start + 10, stop) for start, stop in windows], jitter=0.02)


def ventilator_reports(life: Life, one: Host) -> None:
    """IEEE 11073 SDC: the consumer holds a session under TLS, a report every five seconds; probes are answered."""
    windows, consumer = life.windows(one.ip), life.ward.hosts[services.SDC_SERVER]
    device = f"5c0e7b1a-0000-4000-8000-{one.mac.replace(':', '')}"
    where = f"https://{one.ip}:6464/{device}"
    talk = Conversation(life.ward, consumer, one, 6464)

    def hello(ward: Medium) -> Behaviour:
        ward.datagram(one, ssdp.SSDP_GROUP, (ssdp.WSD_PORT, ssdp.WSD_PORT), ssdp.hello(device, device, where))
        yield 0

    def handshake(ward: Medium) -> Behaviour:
        talk.medium = ward
        yield from talk.open()
        yield from services.tls_handshake(talk, "")

    def probe(ward: Medium) -> Behaviour:
        ward.datagram(consumer, ssdp.SSDP_GROUP, (50123, ssdp.WSD_PORT), ssdp.probe(device[:12]))
        yield 40 * MS
        ward.datagram(one, consumer.ip, (ssdp.WSD_PORT, 50123), ssdp.probe_match(device[:12], device, where))

    begins, report = life.strip(hello, handshake), life.strip(spoken(talk, (False, tls.application(bytes(360)))))
    for start, stop in windows:
        life.reel.once(start + 5, begins, [(start, stop)])
    life.reel.again(report, 5, [(start + 6, stop) for start, stop in windows], jitter=0.03)
    life.reel.again(life.strip(probe), 120, windows)


def images(life: Life, windows: Sequence[Window] | None = None) -> None:
    """Two modalities send studies by day, to whoever has the address of the PACS."""
    kinds = (
        ("CT_OTTI_1", (dicom.CT_IMAGE, clinical.GE), 1500),
        ("US_OTTI_2", (dicom.ULTRASOUND_IMAGE, clinical.SONOSITE), 2100),
    )
    if windows is None:
        windows = without([ALWAYS], life.down.get(services.PACS, ()))
    for one, (title, kind, period_s) in zip(life.of("imaging-modality"), kinds, strict=True):
        studies = [life.strip(study(one, title, kind, count)) for count in (2, 3, 4)]
        life.reel.again(studies, period_s, both(life.windows(one.ip), windows), jitter=0.4, active=OFFICE_HOURS)


def study(one: Host, title: str, kind: tuple[str, tuple[str, str]], count: int) -> Scene:
    """So many images."""
    return lambda ward: clinical.image_store(ward, one, ("OTTIPACS", title), kind, count)


def workstation_works(life: Life, cart: Host) -> None:
    """The record system all day, the file share now and then, a print job sometimes."""
    windows, printer, files = life.windows(cart.ip), life.of("printer")[0], life.ward.hosts[services.FILES]
    steps = [Step(10 * MS, True, smb.negotiate_smb2()), Step(3 * MS, False, smb.negotiated_smb2())]
    steps += [Step(30 * MS, number % 2 == 0, smb.encrypted(bytes(150))) for number in range(8)]
    job = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\n" + bytes(8000)

    def shares(ward: Medium) -> Behaviour:
        yield from services.lookup(ward, cart, "files")
        yield from ward.session(cart, files, smb.SMB_PORT, steps)

    pages = [life.strip(lambda ward, n=n: services.browse(ward, cart, "ehr", n)) for n in (2, 3, 5)]  # type: ignore[misc]
    prints = [
        life.strip(lambda ward, p=p: ward.session(cart, printer, p, [Step(5 * MS, True, job)]))  # type: ignore[misc]
        for p in (9100, 9100, 515)
    ]
    life.reel.again(pages, 120, windows, jitter=0.45, active=OFFICE_HOURS)
    life.reel.again(life.strip(shares), 5400, windows, jitter=0.45)
    life.reel.again(prints, 3600, windows, jitter=0.45, active=OFFICE_HOURS)


def things(life: Life) -> None:
    """Printers, phones, cameras, building control, the servers' nightly backup."""
    core = life.ward.hosts[services.CORE]
    for printer in life.of("printer"):
        printer_announces(life, printer, life.windows(printer.ip))
    for one in life.of("voip-phone"):
        life.reel.again(life.strip(registers(one, core)), 60, life.windows(one.ip), jitter=0.05)
    handsets = life.of("voip-phone")
    for caller, called in zip(handsets, [*handsets[1:], handsets[0]], strict=True):
        talk = life.strip(lambda ward, a=caller, b=called: office.call(ward, a, b, 5))  # type: ignore[misc]
        life.reel.again(talk, 5000, life.windows(caller.ip, called.ip), jitter=0.45, active=OFFICE_HOURS)
    for one in life.of("phone"):
        browses(life, one, life.windows(one.ip))
    for one in life.of("ip-camera"):
        camera_streams(life, one)
    ahu, front = life.of("building-control")

    def reads(ward: Medium) -> Behaviour:
        port = (bedside.BACNET_PORT, bedside.BACNET_PORT)
        ward.datagram(front, ahu.ip, port, bedside.read_property(1, 0, 1))
        yield 12 * MS
        ward.datagram(ahu, front.ip, port, bedside.read_property(1, 0, 1, 21.5))

    life.reel.again(life.strip(reads), 15, [ALWAYS])
    steps = [Step(20 * MS, number % 6 != 5, tls.application(bytes(1200))) for number in range(40)]
    backup = life.strip(lambda ward: ward.session(core, ward.hosts[BACKUP], 8443, steps))
    life.reel.routines.append(Routine((backup,), HOUR_S, (ALWAYS,), 0.2, NIGHTLY))


def printer_announces(life: Life, printer: Host, windows: Sequence[Window]) -> None:
    """Multicast DNS, and its page is read by the core server."""
    core = life.ward.hosts[services.CORE]

    def says(ward: Medium) -> Behaviour:
        yield from first(office.printer(ward, printer), 100 * MS)

    def page(ward: Medium) -> Behaviour:
        yield from first(services.status_page(ward, core, printer), 200 * S)

    life.reel.again(life.strip(says), 60, windows)
    life.reel.again(life.strip(page), 300, windows)


def first(behaviour: Behaviour, longest_ns: int) -> Iterator[int]:
    """The beginning of an endless behaviour: until it has waited for so long in all."""
    waited = 0
    for wait in behaviour:
        waited += wait
        if waited > longest_ns:
            return
        yield wait


def registers(one: Host, server: Host) -> Scene:
    """SIP, once."""

    def scene(ward: Medium) -> Behaviour:
        port = (bedside.SIP_PORT, bedside.SIP_PORT)
        ward.datagram(one, server.ip, port, bedside.sip_register(one.name[-4:], services.DOMAIN, one.ip, 1))
        yield 4 * MS
        ward.datagram(server, one.ip, port, bedside.sip_ok(one.name[-4:], services.DOMAIN, one.ip, 1))

    return scene


def browses(life: Life, one: Host, windows: Sequence[Window]) -> None:
    """A smartphone: multicast DNS questions and the hospital's portal."""

    def asks_for_screens(ward: Medium) -> Behaviour:
        question = dns.question(0, "_googlecast._tcp.local", dns.PTR, multicast=True)
        ward.datagram(one, "224.0.0.251", (5353, 5353), question)
        yield 0

    life.reel.again(life.strip(asks_for_screens), 120, windows, jitter=0.3)
    life.reel.again(life.strip(lambda ward: services.browse(ward, one, "portal", 2)), 900, windows, jitter=0.45)


def camera_streams(life: Life, one: Host) -> None:
    """RTP to the recorder, SSDP notices."""
    windows = life.windows(one.ip)

    def picture(ward: Medium) -> Behaviour:
        ward.datagram(one, services.RECORDER, (50000, 50002), bedside.rtp(96, 1, 18000, 0xA1, bytes(720)))
        yield 0

    def notice(ward: Medium) -> Behaviour:
        yield from first(office.announcer(ward, one), MS)

    life.reel.again(life.strip(picture), 0.4, windows, jitter=0.03)
    life.reel.again(life.strip(notice), 180, windows)
