"""Where patients' data stands by right: HL7, DICOM, FHIR, files, pages, mail - and the fields around it."""

import base64
import json
import struct
from urllib.parse import quote

from tests.forge import arp, bedside, dicom, hl7, http, poct1a, smb
from tests.forge.octets import mac
from tests.packets.hints.payloads import ntlm_challenge, smb1
from tests.simulators.canary import DESK, MODALITY, MONITOR, PUMP, Canaries, Place, ask, blob, tell
from tests.simulators.machines import POINT_OF_CARE_PORT
from tests.simulators.medium import MS, Behaviour, Host, Step
from tests.simulators.patients import PATIENTS, Patient


def admission(patient: Patient, route: tuple[str, str, str, str], kind: str = "ADT^A01^ADT_A01") -> str:
    """PID, NK1, GT1, IN1, OBX, NTE and a Z segment, all of them full of the patient."""
    family, given, born, street = patient.family, patient.given, patient.birthdays[0], patient.street
    address, phone = f"{street}^^Ottilienstadt^^69117^DE", f"^PRN^PH^^^^{patient.phone}"
    lines = [
        hl7.header(route, kind, patient.number, "20261101120000"),
        f"PID|1||{patient.number}^^^STO^MR||{family}^{given}^^^||{born}|F|||{address}||{phone}|||||{patient.phones[2]}",
        f"NK1|1|{given}^{family}|SPO|{address}|{patient.phone}",
        f"GT1|1||{patient.person}||{address}|{patient.phones[1]}||{patient.birthdays[1]}",
        f"IN1|1|PLAN|{patient.number}|Kasse||||||||||||{family} {given}||{patient.birthdays[2]}|{address}",
        f"OBX|1|TX|1^note||{patient.told()}",
        f"OBX|2|ED|2^picture||^IM^JPEG^Base64^{base64.b64encode(patient.told().encode()).decode()}",
        f"NTE|1||{given} {family}, {patient.birthdays[3]}, {patient.birthdays[5]}",
        f"ZPI|1|{quote(patient.told())}|{patient.told().encode().hex()}",
    ]
    return "\r".join(lines) + "\r"


def hl7_admission(wire: Canaries, patient: Patient) -> Behaviour:
    """Admissions in UTF-8, Latin-1 and UTF-16."""
    route = ("PHILIPS-IIC", "WARD3", "OTTI-ENGINE", "ST-OTTILIE")
    text, answer = admission(patient, route), hl7.acknowledgement(route, patient.number, "20261101120001")
    turns = [ask(b"\x0b" + text.encode(charset) + b"\x1c\r") for charset in ("utf-8", "latin-1", "utf-16-le")]
    yield from wire.stream(hl7.MLLP_PORT, *turns, tell(answer), block=MONITOR)


def hl7_names(wire: Canaries, patient: Patient) -> Behaviour:
    """Applications and facilities named after a patient, and a message type that is a name."""
    route = (patient.person.replace("^", " "), patient.given, patient.family, patient.number)
    kind = f"{patient.title[:9]}^{patient.ascii_given.upper()[:6]}"
    text = admission(patient, route, kind).encode()
    yield from wire.stream(hl7.MLLP_PORT, ask(b"\x0b" + text + b"\x1c\r"), tell(b"\x0b" + text + b"\x1c\r"))


def data_set(patient: Patient) -> bytes:
    """Names, numbers, dates, address, phone, comments and the file's name (PS3.6)."""
    file_name = f"PATIENTS\\{patient.title}\\{patient.number}\\IM0001"
    rows = (
        (0x0008, 0x1080, patient.told()), (0x0010, 0x0010, patient.person), (0x0010, 0x0020, patient.number),
        (0x0010, 0x0030, patient.birthdays[0]), (0x0010, 0x1040, patient.street), (0x0010, 0x2154, patient.phone),
        (0x0010, 0x4000, patient.told()), (0x0002, 0x0003, patient.number), (0x0004, 0x1500, file_name),
    )  # fmt: skip
    return b"".join(
        dicom.element(group, number, text.encode("latin-1", "replace") if number != 0x4000 else text.encode())
        for group, number, text in rows
    )


def dicom_store(wire: Canaries, patient: Patient) -> Behaviour:
    """AE titles, implementation names and UIDs of a patient; then an image of hers."""
    titles = (patient.title, patient.ascii_given.upper()[:16])
    digits = "".join(letter for letter in patient.number if letter.isdigit())
    made_by = (f"1.2.826.0.1.{digits}.{patient.instance}", patient.title)
    yield from wire.stream(
        dicom.DICOM_PORT,
        ask(dicom.associate_request(titles, [dicom.CT_IMAGE, dicom.VERIFICATION], made_by)),
        tell(dicom.associate_accept(titles, 2, made_by)),
        ask(dicom.command(dicom.STORE_RQ, dicom.CT_IMAGE, 1, data=True, instance=f"1.2.826.{digits}")),
        ask(dicom.data(data_set(patient) + dicom.element(0x7FE0, 0x10, blob(patient)))),
        tell(dicom.command(dicom.STORE_RSP, dicom.CT_IMAGE, 1, data=False)),
        ask(dicom.RELEASE_REQUEST),
        tell(dicom.RELEASE_RESPONSE),
        block=MODALITY,
    )


def fhir(wire: Canaries, patient: Patient) -> Behaviour:
    """A Patient resource, its search, and headers of every kind that carry her name."""
    year, month, day = patient.born
    resource = {
        "resourceType": "Patient",
        "id": patient.number,
        "name": [{"family": patient.family, "given": [patient.given], "text": patient.told()}],
        "birthDate": f"{year}-{month:02}-{day:02}",
        "telecom": [{"system": "phone", "value": patient.phone}],
        "address": [{"line": [patient.street]}],
    }
    target = f"/fhir/Patient?family={quote(patient.family)}&given={quote(patient.given)}&identifier={patient.number}"
    fields = {
        "Host": f"{patient.host}.ward.example",
        "User-Agent": f"curl/7.88 ({patient.given} {patient.family})",
        "Referer": f"http://ehr.example/{quote(patient.told())}",
        "Cookie": f"patient={base64.b64encode(patient.told().encode()).decode()}",
        "Authorization": f"Basic {base64.b64encode(f'{patient.family}:{patient.number}'.encode()).decode()}",
    }
    body = json.dumps(resource).encode() + json.dumps(resource, ensure_ascii=False).encode()
    answer = {"Server": f"Microsoft-IIS/10.0 {patient.family}", "Location": target, "X-Patient": patient.number}
    yield from wire.stream(
        80, ask(http.request("POST", target, fields, body)), tell(http.response(201, "Created", answer, body))
    )


def page(wire: Canaries, patient: Patient) -> Behaviour:
    """A page and its address in every form; agent and server that are nothing but a name."""
    where = f"/{quote(patient.told())}/{patient.told().encode().hex()}/{patient.family}"
    fields = {"Host": patient.family, "User-Agent": f"{patient.given} {patient.family} {patient.number}"}
    answer = {"Server": f"{patient.person}"}
    yield from wire.stream(
        8080, ask(http.request("GET", where, fields)), tell(http.response(200, "OK", answer, blob(patient)))
    )


def file_server(wire: Canaries, patient: Patient) -> Behaviour:
    """SMB: dialects, systems and LAN managers that are names, paths, and the names of NTLM."""
    words = (f"Windows 5.1 {patient.family}", patient.told()[:100])
    setup = smb1(0x73, b"\xff\0\0\0\0\0", b"\0".join(word.encode("latin-1", "replace") for word in words) + b"\0\0")
    tree = smb1(0x75, bytes(8), f"\\\\{patient.host}\\{patient.family}\0".encode("utf-16-le"))
    path = f"patients\\{patient.person}\\{patient.number}\\{patient.birthdays[1]}.dcm"
    create = b"\xfeSMB" + struct.pack("<H", 64) + bytes(6) + struct.pack("<H", 5) + bytes(48) + path.encode("utf-16-le")
    yield from wire.stream(
        445,
        ask(smb.negotiate_smb1(["NT LM 0.12", patient.host])),
        tell(smb.negotiated_smb1()),
        ask(setup),
        tell(setup),
        ask(tree),
        tell(ntlm_challenge(patient.title)),
        ask(smb.session(create)),
        tell(smb.session(b"\xfeSMB" + bytes(60) + blob(patient))),
    )


def bedside_names(wire: Canaries, patient: Patient) -> Behaviour:
    """A monitor's bed label and what it exports."""
    label = patient.ascii_family[:40]

    def indication(bed: Host) -> bytes:
        return bedside.connect_indication(mac(bed.mac), label)

    bed = wire.device(MONITOR)
    yield from wire.medium.resolve(bed, "10.66.0.1")
    port = bedside.INTELLIVUE_CONNECT_PORT
    wire.medium.datagram(bed, "255.255.255.255", (port, port), indication(bed))
    yield from wire.datagrams(
        bedside.INTELLIVUE_PORT,
        ask(bedside.poll(1, answer=False)),
        tell(bedside.poll(1, answer=True, values=blob(patient)[:1200])),
        block=MONITOR,
    )


def pump(wire: Canaries, patient: Patient) -> Behaviour:
    """What a pump tells its server."""
    told = patient.told().encode()
    yield from wire.stream(
        bedside.ALARIS_PORT, ask(bedside.pump_record(1, 1, told)), tell(bedside.pump_record(2, 1, told)), block=PUMP
    )


def analyser(wire: Canaries, patient: Patient) -> Behaviour:
    """A point-of-care analyser: her number, name and operator in results and lists; a maker and model after her."""
    when, name = "2026-11-01T12:00:00+01:00", f"{patient.given} {patient.family}"
    place = f"{patient.number}^{name}"
    hello = poct1a.device(place, patient.ascii_family[:30], f"{patient.ascii_given[:30]}", patient.number)
    known = poct1a.device(place, f"NOVABIO {patient.ascii_family[:20]}", f"StatStrip {patient.ascii_family[:20]}", "7")
    result = poct1a.observation(when, patient.number, patient.host, patient.told())
    born = patient.birthdays[1]
    listed = (
        f'<PT><PT.patient_id V="{patient.number}"/><PT.name V="{patient.person}"><FAM V="{patient.family}"/>'
        f'<GIV V="{patient.given}"/></PT.name><PT.birth_date V="{born}"/></PT>'
    )
    answer = poct1a.acknowledgement(9, 1, when)
    quality = poct1a.message("OBS.R02", 4, when, f"<NTE V='{patient.told()}'/>").replace(
        b"</OBS", blob(patient) + b"</OBS"
    )
    yield from wire.stream(
        POINT_OF_CARE_PORT,
        ask(poct1a.message("HEL.R01", 1, when, hello)), tell(answer),
        ask(poct1a.message("HEL.R01", 2, when, known, declared=True)), tell(answer),
        ask(poct1a.message("OBS.R01", 3, when, result)), tell(answer),
        ask(quality),
        tell(poct1a.message("PTL.R01", 5, when, listed)),
        tell(poct1a.message("OPL.R01", 6, when, f'<OPR><OPR.operator_id V="{patient.host}"/></OPR>')),
        tell(poct1a.message(patient.title[:3] + ".R01", 7, when, listed)),
        block=MONITOR,
    )  # fmt: skip


def mail(wire: Canaries, patient: Patient) -> Behaviour:
    """Envelope, encoded headers and body."""
    word = base64.b64encode(patient.told().encode()).decode()
    letter = f"From: <{patient.host}@ward.example>\r\nSubject: =?utf-8?B?{word}?=\r\n\r\n".encode() + blob(patient)
    address = f"<{patient.ascii_given}.{patient.ascii_family}@ward.example>".lower()
    yield from wire.stream(
        25,
        tell(f"220 {patient.host}.ward.example ESMTP {patient.family}\r\n".encode()),
        ask(f"EHLO {patient.host}\r\n".encode()),
        tell(f"250 {patient.host} greets {patient.host}\r\n".encode()),
        ask(f"MAIL FROM:{address}\r\nRCPT TO:{address}\r\nDATA\r\n".encode()),
        tell(b"354 go on\r\n"),
        ask(letter + b"\r\n.\r\n"),
    )


def taken_over(wire: Canaries, patient: Patient) -> Behaviour:
    """A pump that tells a public address of a patient and asks for all its neighbours: pages."""
    thief = wire.device(PUMP)
    far = wire.device(DESK)
    far.ip = f"203.0.113.{70 + PATIENTS.index(patient)}"
    wire.medium.hosts[far.ip] = far
    steps = [Step(MS, from_client=True, data=patient.told().encode()), Step(MS, from_client=False, data=blob(patient))]
    yield from wire.medium.session(thief, far, 4444, steps)
    for number in range(80):
        wire.medium.put(arp.request((thief.mac, thief.ip), f"10.66.9.{number + 1}"))
        yield 20 * MS


PLACES: dict[str, Place] = {
    "hl7-admission": hl7_admission, "hl7-names": hl7_names, "dicom": dicom_store, "fhir": fhir, "page": page,
    "smb": file_server, "bedside": bedside_names, "pump": pump, "analyser": analyser, "mail": mail,
    "taken-over": taken_over,
}  # fmt: skip
