"""How somebody gets in, and hides what goes out: shapes of exploits, and data where none should be.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from tests.forge import dns, smb
from tests.forge.ipv4 import TCP
from tests.forge.tcp import ACK, PSH, URG, Tcp
from tests.simulators import services
from tests.simulators.medium import MS, Behaviour, Host, Medium, S, Step
from tests.simulators.reel import Scene
from tests.simulators.stage import BUSY, ODD_SERVER, Stage

HIDDEN_DOMAIN = "t.quarrymoss.example"
ETERNAL_OCTETS = 0x103D0  # of EternalBlue's list of extended attributes


def urgent_data(stage: Stage) -> None:
    """A laptop sends a monitor urgent data of no length (URGENT/11)."""
    laptop, bed = stage.intruder("laptop", "3c:52:82:01:02:30", 99), stage.one("patient-monitor", 7)

    def scene(ward: Medium) -> Behaviour:
        for number in range(5):
            head = Tcp(40_001, 24_105, 1000 + number, 1, ACK | PSH | URG, urgent=0)
            ward.send(laptop, bed.ip, TCP, head.octets(laptop.ip, bed.ip, b"\0"))
            yield S

    stage.plays(scene, 10)
    stage.mac, stage.evidence_s = laptop.mac, 10


def eternal_blue(stage: Stage) -> None:
    """A laptop sends a server a transaction that is too large, as EternalBlue does."""
    laptop, core = stage.intruder("laptop", "3c:52:82:01:02:31", 99), stage.life.ward.hosts[services.CORE]
    steps = [Step(BUSY, True, smb.negotiate_smb1()), Step(BUSY, False, smb.negotiated_smb1())]
    steps += [Step(BUSY, True, smb.nt_transact(0, ETERNAL_OCTETS)), Step(BUSY, False, smb.trans2_answer(0x41))]
    stage.session(laptop, core, 445, steps, after_s=10)
    stage.mac, stage.evidence_s = laptop.mac, 11


def asks_for(one: Host, names: list[str], kind: int, each_ns: int, *, found: bool) -> Scene:
    """Names that the hospital's server is asked for, one after the other."""

    def scene(ward: Medium) -> Behaviour:
        core = ward.hosts[services.CORE]
        for number, name in enumerate(names):
            records = [dns.Record(name, kind, b"\x20" + bytes(32))] if found else []
            answer = dns.answer(number, name, records, rcode=0 if found else dns.NXDOMAIN, kind=kind)
            yield from ward.exchange(one, core, dns.DNS_PORT, dns.question(number, name, kind), answer)
            yield each_ns

    return scene


def data_in_names(stage: Stage) -> None:
    """A pump asks for texts below one domain, each name once: data in names."""
    pump = stage.one("infusion-pump", 9)
    names = [f"{pump.rng.randbytes(24).hex()}.{HIDDEN_DOMAIN}" for _ in range(60)]
    stage.plays(asks_for(pump, names, dns.TXT, 400 * MS, found=True))
    stage.mac, stage.evidence_s = pump.mac, 12 * 0.4


def operator_looked_for(stage: Stage) -> None:
    """A modality asks for domains that nobody registered, with letters that a program drew."""
    scanner = stage.one("imaging-modality")
    names = [f"{''.join(scanner.rng.choices('abcdefghijklmnopqrstuvwxyz', k=14))}.com" for _ in range(30)]
    stage.plays(asks_for(scanner, names, dns.A, 700 * MS, found=False))
    stage.mac, stage.evidence_s = scanner.mac, 20 * 0.7  # a few drawn names look like words


def not_a_question(stage: Stage) -> None:
    """A camera sends to port 53 what is no DNS question."""
    camera, far = stage.one("ip-camera"), stage.far(ODD_SERVER)

    def scene(ward: Medium) -> Behaviour:
        port = camera.next_port()
        for _ in range(360):
            ward.datagram(camera, far.ip, (port, dns.DNS_PORT), camera.rng.randbytes(400))
            yield 20 * MS
            ward.datagram(far, camera.ip, (dns.DNS_PORT, port), bytes(60))
            yield 480 * MS

    stage.plays(scene)
    stage.mac, stage.evidence_s = camera.mac, 60 + 43  # two intervals, of which the first is short
