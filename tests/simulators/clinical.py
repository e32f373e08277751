"""What the clinical devices of the ward do: plausible cadence, real ports, invented contents."""

import struct
from datetime import UTC, datetime
from functools import partial
from math import sin

from tests.forge import bedside, dicom, hl7, ssdp, tls
from tests.forge.octets import mac
from tests.simulators.medium import MS, Behaviour, Conversation, Host, Medium, S, Step
from tests.simulators.services import (
    ENGINE,
    PACS,
    PUMP_SERVER,
    SDC_SERVER,
    about,
    lease,
    lookup,
    time_sync,
    tls_handshake,
)

# Invented patients whose names must never leave the tap: only in HL7 PID fields and DICOM (0010,xxxx) elements.
CANARIES = (
    ("WT9031447C", "MARWOODE^THEODOSIA"),
    ("WT4418260K", "LINDQVARST^ANSELM"),
    ("WT7702915D", "OSTERHAZY^PERPETUA"),
)
GE, SONOSITE, ARCHIVE = (
    ("1.2.840.113619.6.408", "GE_OTTILIE_2"),
    ("1.2.276.0.7230010.3.0.3.6.4", "OFFIS_DCMTK_364"),
    ("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367"),
)


def stamp(ward: Medium) -> str:
    """HL7 time of the moment."""
    return datetime.fromtimestamp((ward.start_ns + ward.now_ns) // S, UTC).strftime("%Y%m%d%H%M%S")


def pump(ward: Medium, host: Host) -> Behaviour:
    """Alaris PC unit: DHCP, DNS, and one session at a time with its server on TCP 3613 (ICSMA-23-194-01)."""
    yield from lease(ward, host, "ALARIS-PCU-8015", fresh=host.rng.random() < 0.4)
    ward.add(time_sync(ward, host, 256 * S), ward.now_ns + S)
    number = 0
    while True:
        yield from lookup(ward, host, "pump-server")
        steps = [Step(20 * MS, True, bedside.pump_record(1, number, host.name.encode().ljust(64, b"\0")))]
        steps.append(Step(8 * MS, False, bedside.pump_record(2, number, b"\0" * 16)))
        for _ in range(host.rng.randrange(18, 40)):
            number += 1
            rate = struct.pack(">IIHH", 1200 + number % 7, 50_000 - number, 1, 0)
            steps.append(Step(about(host, 10 * S), True, bedside.pump_record(3, number, rate * 4)))
            steps.append(Step(4 * MS, False, bedside.pump_record(4, number)))
        yield from ward.session(host, ward.hosts[PUMP_SERVER], bedside.ALARIS_PORT, steps)
        yield about(host, 15 * S)


def oru(ward: Medium, host: Host, application: str, patient: tuple[str, str], number: int) -> tuple[bytes, bytes]:
    """An observation and its acknowledgement."""
    route, control = (application, "WARD3", "OTTI-ENGINE", "ST-OTTILIE"), f"{host.ip.rsplit('.')[-1]}{number:06d}"
    pulse, oxygen = 70 + number % 9, 96 + number % 3
    values = [
        f"NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.147842|{pulse}|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
        f"NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.150456|{oxygen}|262688^MDC_DIM_PERCENT^MDC|||||R",
    ]
    back = (route[2], route[3], route[0], route[1])
    return hl7.observation(route, control, stamp(ward), patient, values), hl7.acknowledgement(
        back, control, stamp(ward)
    )


def hl7_sender(ward: Medium, host: Host, application: str, patient: tuple[str, str]) -> Behaviour:
    """One MLLP connection that stays open, an observation a minute."""
    yield from lookup(ward, host, "hl7")
    yield from ward.resolve(host, ENGINE)
    talk = Conversation(ward, host, ward.hosts[ENGINE], hl7.MLLP_PORT)
    yield from talk.open()
    number = 0
    while True:
        number += 1
        yield about(host, 60 * S, 2)
        message, answer = oru(ward, host, application, patient, number)
        yield from talk.say(from_client=True, data=message)
        yield 6 * MS
        yield from talk.say(from_client=False, data=answer)


def monitor(ward: Medium, host: Host, bed: str, patient: tuple[str, str]) -> Behaviour:
    """IntelliVue: connect indications by broadcast, HL7 to the engine; the central station polls it."""
    yield from lease(ward, host, "PHILIPS-MX800", fresh=host.rng.random() < 0.3)
    ward.add(time_sync(ward, host, 128 * S), ward.now_ns + 2 * S)
    ward.add(hl7_sender(ward, host, "PHILIPS-IIC", patient), ward.now_ns + 3 * S)
    while True:
        port = bedside.INTELLIVUE_CONNECT_PORT
        ward.datagram(host, "10.20.30.255", (port, port), bedside.connect_indication(mac(host.mac), bed))
        yield about(host, 10 * S, 3)


def poller(ward: Medium, central: Host, bed: Host) -> Behaviour:
    """Data export of one monitor, a poll a second from one port."""
    port, number = central.next_port(), 0
    yield from ward.resolve(central, bed.ip)
    while True:
        number += 1
        if number % 300 == 0:
            yield from ward.resolve(central, bed.ip)
        ward.datagram(central, bed.ip, (port, bedside.INTELLIVUE_PORT), bedside.poll(number, answer=False))
        yield about(central, 3 * MS, 50)
        wave = b"".join(struct.pack(">h", int(900 * sin((number * 64 + i) / 11))) for i in range(64))
        ward.datagram(bed, central.ip, (bedside.INTELLIVUE_PORT, port), bedside.poll(number, answer=True, values=wave))
        yield about(central, S, 1)


def central_station(ward: Medium, host: Host, beds: tuple[Host, ...]) -> Behaviour:
    """Polls every monitor, sends one ORU stream of its own."""
    ward.add(time_sync(ward, host, 64 * S), ward.now_ns + S)
    for bed in beds:
        ward.add(poller(ward, host, bed), ward.now_ns + about(host, 2 * S, 50))
    yield from hl7_sender(ward, host, "PHILIPS-PIC", CANARIES[2])


def ventilator(ward: Medium, host: Host, device: str) -> Behaviour:
    """IEEE 11073 SDC provider: Hello, answers to probes; its consumer gets a report every 5 s over TLS."""
    yield from lease(ward, host, "DRAEGER-VN800", fresh=False)
    ward.add(time_sync(ward, host, 512 * S), ward.now_ns + S)
    where = f"https://{host.ip}:6464/{device}"
    ward.datagram(host, ssdp.SSDP_GROUP, (ssdp.WSD_PORT, ssdp.WSD_PORT), ssdp.hello(device, device, where))
    yield 2 * S
    consumer = ward.hosts[SDC_SERVER]
    yield from ward.resolve(consumer, host.ip)
    talk = Conversation(ward, consumer, host, 6464)
    yield from talk.open()
    yield from tls_handshake(talk, "")
    while True:
        yield about(host, 5 * S, 4)
        yield from talk.say(from_client=False, data=tls.application(host.rng.randbytes(60) * 6))


def sdc_prober(ward: Medium, host: Host, providers: tuple[tuple[Host, str], ...]) -> Behaviour:
    """The SDC consumer looks for devices every two minutes."""
    while True:
        yield about(host, 120 * S)
        message = f"{host.rng.randrange(1 << 48):012x}"
        ward.datagram(host, ssdp.SSDP_GROUP, (50123, ssdp.WSD_PORT), ssdp.probe(message))
        for provider, device in providers:
            yield about(provider, 40 * MS, 50)
            match = ssdp.probe_match(message, device, f"https://{provider.ip}:6464/{device}")
            ward.datagram(provider, host.ip, (ssdp.WSD_PORT, 50123), match)


def image_store(
    ward: Medium, host: Host, titles: tuple[str, str], kind: tuple[str, tuple[str, str]], images: int
) -> Behaviour:
    """A study: association, C-STORE and its response per image, release; `kind` is (SOP class, implementation)."""
    sop, implementation = kind
    server, number, patient = ward.hosts[PACS], host.rng.randrange(10_000), CANARIES[host.rng.randrange(2)]
    yield from lookup(ward, host, "pacs")
    yield from ward.resolve(host, PACS)
    talk = Conversation(ward, host, server, dicom.DICOM_PORT)
    say, hear = partial(talk.say, from_client=True), partial(talk.say, from_client=False)
    yield from talk.open()
    yield from say(data=dicom.associate_request(titles, [sop], implementation))
    yield 5 * MS
    yield from hear(data=dicom.associate_accept(titles, 1, ARCHIVE))
    for image in range(1, images + 1):
        name = dicom.element(0x10, 0x10, patient[1].encode()) + dicom.element(0x10, 0x20, patient[0].encode())
        pixels = bytes((x * image // 5) & 0xFF for x in range(256)) * 144
        content = name + dicom.element(0x7FE0, 0x10, pixels)
        yield 120 * MS
        yield from say(
            data=dicom.command(dicom.STORE_RQ, sop, image, data=True, instance=f"1.2.826.0.1.99.{number}.{image}")
        )
        yield from say(data=dicom.data(content))
        yield 40 * MS
        yield from hear(data=dicom.command(dicom.STORE_RSP, sop, image, data=False))
    yield 300 * MS
    yield from say(data=dicom.RELEASE_REQUEST)
    yield MS
    yield from hear(data=dicom.RELEASE_RESPONSE)
    yield from talk.close()


def modality(ward: Medium, host: Host, title: str, kind: tuple[str, tuple[str, str]], period_ns: int) -> Behaviour:
    """Sends a study now and then; asks the time."""
    yield from lease(ward, host, "", fresh=False)
    ward.add(time_sync(ward, host, 300 * S), ward.now_ns + S)
    while True:
        yield about(host, period_ns, 20)
        yield from image_store(ward, host, ("OTTIPACS", title), kind, host.rng.randrange(4, 9))
