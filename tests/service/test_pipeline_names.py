"""Names from frames to findings: what is asked, and what does not exist, through the whole pipeline."""

import base64
import random
import string

from agent.findings.records import Finding, Severity
from tests.forge.dns import NXDOMAIN, TXT, a, answer, question
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import UDP, Ipv4
from tests.forge.pcap import Frame
from tests.forge.udp import Udp
from tests.service.bench import S, Sensor
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PUMP, DESK = ("10.1.0.101", "00:d0:75:18:42:9b"), ("10.1.0.77", "02:00:5e:10:00:07")
SERVER = ("10.1.0.10", "d4:ae:52:10:30:0a")
START_S = 1_793_606_400
RNG = random.Random(20261128)


def exchange(client: tuple[str, str], number: int, message: bytes, reply: bytes) -> list[Frame]:
    """A question and its answer, one a second."""
    frames = []
    for source, target, ports, octets in (
        (client, SERVER, (40_000 + number, 53), message),
        (SERVER, client, (53, 40_000 + number), reply),
    ):
        packet = Ipv4(source[0], target[0], UDP).octets(Udp(*ports).octets(source[0], target[0], octets))
        frame = ethernet(target[1], source[1], IPV4, packet)
        frames.append(Frame((START_S + number) * S + len(frames) * 1000, frame))
    return frames


def asked(client: tuple[str, str], names: list[str], *, exists: bool, kind: int = 1) -> list[Frame]:
    """Questions for these names; of those that exist the server knows an address."""
    frames: list[Frame] = []
    for number, name in enumerate(names):
        records = [a(name, "10.1.0.200")] if exists and kind == 1 else []
        reply = answer(number, name, records, rcode=0 if exists else NXDOMAIN, kind=kind)
        frames += exchange(client, number, question(number, name, kind), reply)
    return frames


def found(frames: list[Frame]) -> list[Finding]:
    """What the sensor says, beside who is new."""
    sensor = Sensor()
    sensor.play(frames)
    return [finding for finding in sensor.end().findings if finding.id in {"dga", "dns-tunnel", "policy-site"}]


def drawn(count: int) -> list[str]:
    """Domains as a generator draws them."""
    return [f"{''.join(RNG.choices(string.ascii_lowercase, k=12))}.com" for _ in range(count)]


def test_a_pump_that_looks_for_its_operator() -> None:
    (finding,) = found(asked(PUMP, drawn(30), exists=False))
    assert (finding.id, finding.severity, finding.mac) == ("dga", Severity.PAGE, 0x00D07518429B)


def test_a_pump_that_sends_data_in_names() -> None:
    names = [f"{base64.b32encode(RNG.randbytes(20)).decode().lower()}.t.example.com" for _ in range(60)]
    (finding,) = found(asked(PUMP, names, exists=True))
    assert (finding.id, finding.severity) == ("dns-tunnel", Severity.PAGE)
    assert not [name for name in names if name[:32] in str(finding)]
    assert "example" not in str(finding)


def test_a_desk_that_fetches_orders_in_texts() -> None:
    (finding,) = found(asked(DESK, [f"c.{n}.ns.example.com" for n in range(15)], exists=True, kind=TXT))
    assert (finding.id, finding.severity) == ("dns-tunnel", Severity.REVIEW)


def test_ordinary_days_say_nothing() -> None:
    names = [f"www.{word}{n}.example" for n, word in enumerate(["hospital", "library", "weather", "railway"] * 15)]
    assert not found(asked(DESK, names, exists=True))
    assert not found(asked(DESK, [f"ws{n}.ward.example" for n in range(60)], exists=False)), "one domain of its own"
    assert not found(asked(DESK, drawn(1) * 60, exists=False)), "the same name again and again"
