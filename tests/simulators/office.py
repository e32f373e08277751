"""What else lives on a ward: workstations, a printer, phones, a camera, building control."""

from math import sin

from tests.forge import bedside, dns, smb, ssdp
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.services import (
    CORE,
    DOMAIN,
    FILES,
    RECORDER,
    about,
    browse,
    lease,
    lookup,
    time_sync,
)


def workstation(ward: Medium, host: Host) -> Behaviour:
    """Clinical workstation: DHCP, names, EHR over TLS, the file server by SMB, sometimes a print job."""
    yield from lease(ward, host, "MSFT 5.0", fresh=host.rng.random() < 0.5)
    ward.add(time_sync(ward, host, 900 * S), ward.now_ns + S)
    yield from lookup(ward, host, "files")
    steps = [Step(10 * MS, True, smb.negotiate_smb2()), Step(3 * MS, False, smb.negotiated_smb2())]
    for _ in range(5):
        steps.append(Step(30 * MS, True, smb.encrypted(host.rng.randbytes(120))))
        steps.append(Step(4 * MS, False, smb.encrypted(host.rng.randbytes(180))))
    yield from ward.session(host, ward.hosts[FILES], smb.SMB_PORT, steps)
    while True:
        yield about(host, 15 * S, 60)
        yield from browse(ward, host, "ehr", host.rng.randrange(2, 7))
        if host.rng.random() < 0.25:
            job = b"\x1b%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=PCL\r\n" + host.rng.randbytes(40) * 200
            printer = ward.hosts["10.20.30.171"]
            port = 9100 if host.rng.random() < 0.7 else 515
            yield from ward.session(
                host, printer, port, [Step(5 * MS, True, b"\x02lp\n" + job if port == 515 else job)]
            )


def printer(ward: Medium, host: Host) -> Behaviour:
    """Announces itself by multicast DNS."""
    yield from lease(ward, host, "Hewlett-Packard JetDirect", fresh=False)
    instance, target = "HP LaserJet Ward 3._ipp._tcp.local", f"{host.name}.local"
    records = [
        dns.ptr("_ipp._tcp.local", instance),
        dns.ptr("_pdl-datastream._tcp.local", "HP LaserJet Ward 3._pdl-datastream._tcp.local"),
        dns.srv(instance, target, 631),
        dns.txt(instance, ["txtvers=1", "ty=HP LaserJet M507", "product=(HP LaserJet M507)", "usb_MFG=HP"]),
        dns.a(target, host.ip, flush=True),
    ]
    while True:
        ward.datagram(host, "224.0.0.251", (dns.MDNS_PORT, dns.MDNS_PORT), dns.announcement(records))
        yield about(host, 60 * S)


def handset(ward: Medium, host: Host, user: str) -> Behaviour:
    """Wireless ward phone: registers once a minute."""
    yield from lease(ward, host, "Ascom d83", fresh=host.rng.random() < 0.5)
    server, number = ward.hosts[CORE], 0
    while True:
        number += 1
        yield from ward.resolve(host, CORE)
        question = bedside.sip_register(user, DOMAIN, host.ip, number)
        ward.datagram(host, CORE, (bedside.SIP_PORT, bedside.SIP_PORT), question)
        yield 4 * MS
        ward.datagram(
            server, host.ip, (bedside.SIP_PORT, bedside.SIP_PORT), bedside.sip_ok(user, DOMAIN, host.ip, number)
        )
        yield about(host, 60 * S, 5)


def call(ward: Medium, caller: Host, called: Host, seconds: int) -> Behaviour:
    """Voice both ways, a packet every 20 ms."""
    yield from ward.resolve(caller, called.ip)
    for number in range(seconds * 50):
        voice = bytes((127 + int(20 * sin((number * 8 + i) / 3))) & 0xFF for i in range(160))
        ward.datagram(caller, called.ip, (20010, 20020), bedside.rtp(0, number, 160 * number, 0x51, voice))
        yield 9 * MS
        ward.datagram(called, caller.ip, (20020, 20010), bedside.rtp(0, number, 160 * number, 0x52, voice[::-1]))
        yield 11 * MS


def phone(ward: Medium, host: Host) -> Behaviour:
    """A nurse's smartphone with a random MAC: the hospital's mobile portal, and multicast DNS questions."""
    yield from lease(ward, host, "android-dhcp-14", fresh=True)
    while True:
        ward.datagram(
            host, "224.0.0.251", (5353, 5353), dns.question(0, "_googlecast._tcp.local", dns.PTR, multicast=True)
        )
        yield from browse(ward, host, "portal", 3)
        yield about(host, 90 * S, 30)


def camera(ward: Medium, host: Host) -> Behaviour:
    """The recorder (far) opens RTSP; the picture flows as RTP; SSDP says what it is."""
    yield from lease(ward, host, "AXIS,Network Camera,P3245-V", fresh=False)
    ward.add(announcer(ward, host), ward.now_ns + S)
    recorder = ward.hosts[RECORDER]
    yield from ward.resolve(recorder, host.ip)
    talk = Conversation(ward, recorder, host, 554)
    yield from talk.open()
    for verb in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
        yield from talk.say(
            from_client=True, data=f"{verb} rtsp://{host.ip}/axis-media/media.amp RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
        )
        yield 5 * MS
        yield from talk.say(
            from_client=False, data=b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: GStreamer RTSP server\r\n\r\n"
        )
    number = 0
    while True:
        number += 1
        if number % 600 == 0:
            yield from ward.resolve(host, RECORDER)
        ward.datagram(
            host, RECORDER, (50000, 50002), bedside.rtp(96, number, 18000 * number, 0xA1, host.rng.randbytes(12) * 60)
        )
        yield about(host, 400 * MS, 5)


def announcer(ward: Medium, host: Host) -> Behaviour:
    """SSDP notifications."""
    where = f"http://{host.ip}:49152/rootdesc1.xml"
    while True:
        notice = ssdp.notify(
            where, "urn:axis-com:service:BasicService:1", "Linux/5.4, UPnP/1.0, Portable SDK for UPnP/1.14.12"
        )
        ward.datagram(host, ssdp.SSDP_GROUP, (41111, ssdp.SSDP_PORT), notice)
        yield about(host, 180 * S)


def building_control(ward: Medium, front_end: Host, controller: Host, device: int) -> Behaviour:
    """BACnet: Who-Is now and then, a temperature read every 15 s."""
    number = 0
    yield from ward.resolve(front_end, controller.ip)
    while True:
        port = (bedside.BACNET_PORT, bedside.BACNET_PORT)
        if number % 20 == 0:
            ward.datagram(front_end, "10.20.30.255", port, bedside.who_is())
            yield 30 * MS
            ward.datagram(controller, "10.20.30.255", port, bedside.i_am(device, 5))
            yield from ward.resolve(front_end, controller.ip)
        number += 1
        yield about(front_end, 15 * S, 4)
        ward.datagram(front_end, controller.ip, port, bedside.read_property(number, 0, 1))
        yield 12 * MS
        ward.datagram(controller, front_end.ip, port, bedside.read_property(number, 0, 1, 21.5))
