"""From frames to findings: a page of a terminal server, and a syringe pump that answers Telnet; once for each."""

from collections.abc import Iterator
from random import Random

from agent.findings.records import Finding
from tests.forge import http
from tests.service.bench import Sensor
from tests.simulators.bursts import HASHES
from tests.simulators.medium import MS, Behaviour, Host, Medium, S, Step

pytestmark = HASHES
START_NS = 1_793_606_400 * S
DESK, GATEWAY = "10.20.30.20", "10.20.30.1"
MOXA, PUMP = ("00:90:e8:21:01:03", "10.20.30.30"), ("00:1a:01:21:01:03", "10.20.30.31")
SECRET = b"Quillfeather-1961"


def _ward() -> Medium:
    ward = Medium("10.20.30.", GATEWAY, START_NS)
    for card, address in (("48:4d:7e:21:01:03", DESK), ("00:1b:54:3a:10:01", GATEWAY), MOXA, PUMP):
        ward.hosts[address] = Host(address, card, address, Random(address))
    return ward


def _looks_around(ward: Medium) -> Behaviour:
    """Somebody opens the page and logs in to the pump, again and again."""
    page = [Step(MS, True, http.request("GET", "/", {"Host": MOXA[1]}))]
    page.append(Step(MS, False, http.response(200, "OK", {"Server": "MoxaHttp/2.2"}, b"<html>NPort Web Console")))
    shell = [Step(MS, False, b"\xff\xfd\x18login: "), Step(MS, True, b"operator-of-ours\r\n")]
    shell += [Step(MS, False, b"Password: "), Step(MS, True, SECRET + b"\r\n"), Step(MS, False, b"# ")]
    while True:
        yield from ward.session(ward.hosts[DESK], ward.hosts[MOXA[1]], 80, page)
        yield from ward.session(ward.hosts[DESK], ward.hosts[PUMP[1]], 23, shell)
        yield 20 * S


def _shipped(findings: list[Finding]) -> Iterator[tuple[int, str, str]]:
    for found in findings:
        told = dict(found.evidence)
        if found.id == "default-service" and "source" in told:
            yield found.mac, str(found.severity), str(told["source"])


def test_what_was_shipped_with_public_credentials_is_posture_once() -> None:
    ward, sensor = _ward(), Sensor()
    ward.add(_looks_around(ward), 0)
    ward.run(400 * S)
    for at in range(0, len(ward.frames), 256):
        sensor.play(ward.frames[at : at + 256])
    findings = sensor.end().findings
    number = {card: int(card.replace(":", ""), 16) for card, _ in (MOXA, PUMP)}
    assert sorted(_shipped(findings)) == sorted(
        [
            (number[MOXA[0]], "posture", "CVE-2016-1529"),
            (number[PUMP[0]], "posture", "ICSMA-17-250-02"),
        ]
    )
    told = repr([(found.sentence, found.evidence, found.cause) for found in findings])
    assert SECRET.decode() not in told, "no credential is read"
    assert "operator-of-ours" not in told
