"""What stands on a ward and should not, without anybody attacking: old systems, clear text, things that people bring.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from base64 import b64encode

from tests.forge import dicom, dns, http, smb, tls
from tests.simulators import clinical, services
from tests.simulators.medium import Behaviour, Host, Medium, S, Step
from tests.simulators.reel import Scene
from tests.simulators.stage import BUSY, PUBLIC, Stage
from tests.simulators.ward_life import pump_reports


def listener(stage: Stage) -> None:
    """A voice assistant in a patient's room."""
    one = stage.intruder("google-home", "f4:f5:d8:01:02:0d", 99, "udhcp 1.19.4")
    stage.plays(_announces(one, "Google-Home", "md=Google Home"), 5)
    stage.mac, stage.evidence_s = one.mac, 5


def screen(stage: Stage) -> None:
    """A media player in a patient's room."""
    one = stage.intruder("chromecast", "f4:f5:d8:01:02:0e", 99, "udhcp 1.19.4")
    stage.plays(_announces(one, "Chromecast", "md=Chromecast"), 5)
    stage.mac, stage.evidence_s = one.mac, 5


def _announces(one: Host, name: str, model: str) -> Scene:
    instance = f"{name}-01._googlecast._tcp.local"
    records = [
        dns.ptr("_googlecast._tcp.local", instance),
        dns.srv(instance, f"{name}.local", 8009),
        dns.txt(instance, ["id=1", model, "ve=05"]),
    ]

    def scene(ward: Medium) -> Behaviour:
        for _ in range(6):
            ward.datagram(one, "224.0.0.251", (5353, 5353), dns.announcement(records))
            yield 5 * S

    return scene


def old_dialect(stage: Stage) -> None:
    """A server shares files by SMB1."""
    cart, core = stage.one("clinical-workstation"), stage.life.ward.hosts[services.CORE]
    steps = [Step(BUSY, True, smb.negotiate_smb1()), Step(BUSY, False, smb.negotiated_smb1())]
    steps += [Step(BUSY, True, smb.negotiate_smb1()), Step(BUSY, False, smb.negotiated_smb1())]
    stage.mac, stage.evidence_s = core.mac, stage.session(cart, core, 445, steps)


def pictures_in_clear(stage: Stage) -> None:
    """A workstation sends a picture in clear."""
    cart = stage.one("clinical-workstation", 3)
    kind = (dicom.CT_IMAGE, clinical.GE)
    lasted = stage.plays(lambda ward: clinical.image_store(ward, cart, ("OTTIPACS", "CART"), kind, 2))
    stage.mac, stage.evidence_s = cart.mac, lasted


def page_in_clear(stage: Stage) -> None:
    """A camera shows its page in clear, and asks for no password."""
    camera, cart = stage.one("ip-camera", 1), stage.one("clinical-workstation", 5)
    steps = [
        Step(BUSY, True, http.request("GET", "/", {"Host": camera.ip})),
        Step(BUSY, False, http.response(200, "OK", {"Server": "x"}, b"<html>")),
    ] * 2
    stage.mac, stage.evidence_s = camera.mac, stage.session(cart, camera, 80, steps)


def password_in_clear(stage: Stage) -> None:
    """A workstation logs in on a server by HTTP Basic."""
    cart, core = stage.one("clinical-workstation", 6), stage.life.ward.hosts[services.CORE]
    words = {"Host": core.ip, "Authorization": f"Basic {b64encode(b'ward3:quillfeather').decode()}"}
    steps = [
        Step(BUSY, True, http.request("GET", "/rota", words)),
        Step(BUSY, False, http.response(200, "OK", {"Server": "x"}, b"<html>")),
    ]
    stage.mac, stage.evidence_s = cart.mac, stage.session(cart, core, 8080, steps)


def old_system(stage: Stage) -> None:
    """A computer of another age asks for an address."""
    stage.mac, stage.evidence_s = stage.intruder("OLD-PC", "00:50:da:01:02:50", 99, "MSFT 98").mac, 5


def old_tls(stage: Stage) -> None:
    """A printer agrees to TLS 1.0."""
    printer, cart = stage.one("printer"), stage.one("clinical-workstation", 7)
    old = (tls.TLS_1_0,)
    steps = [
        Step(BUSY, True, tls.client_hello(printer.ip, bytes(32), versions=(tls.TLS_1_2, *old))),
        Step(BUSY, False, tls.server_hello(bytes(32), cipher=0xC013, version=tls.TLS_1_0)),
        Step(BUSY, True, tls.application(bytes(200))),
        Step(BUSY, False, tls.application(bytes(400))),
    ]
    stage.mac, stage.evidence_s = printer.mac, stage.session(cart, printer, 443, steps)


def known_flaws(stage: Stage) -> None:
    """A pump is put to use, for whose product there are advisories."""
    pump = stage.intruder("PCU-1349951", "00:d0:75:14:78:61", 99, "ALARIS-PCU-8015")
    pump_reports(stage.life, pump, windows=[(stage.at_s + 5, 1e11)])
    stage.mac, stage.evidence_s = pump.mac, 5


def friends_on_the_cart(stage: Stage) -> None:
    """Somebody opens a social medium on a workstation."""
    cart, name, far = stage.one("clinical-workstation", 8), "www.facebook.com", stage.far(PUBLIC)
    steps = [
        Step(BUSY, True, tls.client_hello(name, bytes(32))),
        Step(BUSY, False, tls.server_hello(bytes(32)) + tls.application(bytes(900))),
        Step(BUSY, True, tls.application(bytes(400))),
    ]

    def scene(ward: Medium) -> Behaviour:
        core = ward.hosts[services.CORE]
        answer = dns.answer(5, name, [dns.a(name, far.ip)])
        yield from ward.exchange(cart, core, dns.DNS_PORT, dns.question(5, name), answer)
        yield from ward.session(cart, far, 443, steps)

    stage.mac, stage.evidence_s = cart.mac, stage.plays(scene)
