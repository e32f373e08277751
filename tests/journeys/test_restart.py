"""A tap that starts again: who calls and sends for the first time while it settles is told then, for he says it once.

Through the whole pipeline: the second time the same words are no news to its readers, and an old contact is none.
"""

import pytest

from agent.config import Config
from agent.findings.peers import Peers
from tests.flows.talks import START_S, Talk
from tests.forge import dicom
from tests.forge.pcap import Frame
from tests.forge.tcp import ACK, FIN, PSH
from tests.service.bench import Sensor, small
from tests.simulators import clinical
from tests.simulators.bursts import HASHES

pytestmark = HASHES
S = 1_000_000_000
Host = tuple[str, str]  # address and MAC
SCANNER, ARCHIVE = ("10.1.0.1", "00:d0:75:00:00:01"), ("10.1.0.2", "00:d0:75:00:00:02")
DRAWN = ("10.1.0.8", "52:54:00:00:00:08")  # as virtual machines have
STRANGER, OUTSIDE = ("10.1.0.9", "00:1b:21:00:00:09"), ("8.8.8.8", "00:00:0c:00:00:01")
SETTLING_S, END_S = 120, 300


def config() -> Config:
    """A tap that settles within two minutes."""
    base = small()
    return base._replace(findings=base.findings._replace(settling_s=SETTLING_S))


def associates(frames: list[Frame], at_s: float, caller: Host, port: int, title: str) -> None:
    """An association, from the connection to its end."""
    talk = Talk((caller, ARCHIVE), (port, 104), 0, frames)
    talk.handshake(at_s)
    request = dicom.associate_request(("PACS", title), [dicom.CT_IMAGE], clinical.GE)
    talk.tcp(at_s + 0.1, PSH | ACK, request)
    talk.tcp(at_s + 0.2, PSH | ACK, dicom.associate_accept(("PACS", title), 1, clinical.ARCHIVE), back=True)
    ends(talk, at_s + 0.3)


def reports(frames: list[Frame], at_s: float, receiver: Host, port: int) -> None:
    """An HL7 message and its acknowledgement."""
    talk = Talk((SCANNER, receiver), (port, 2575), 0, frames)
    talk.handshake(at_s)
    for number in range(2):
        message = b"\x0bMSH|^~\\&|MON|W|ENG|H|20260101%06d||ORU^R01|%d|P|2.6\r\x1c\r" % (port, number)
        talk.tcp(at_s + 0.1 + 0.1 * number, PSH | ACK, message)
        answer = b"\x0bMSH|^~\\&|ENG|H|MON|W|20260101%06d||ACK|%d|P|2.6\rMSA|AA|1\r\x1c\r" % (port, number)
        talk.tcp(at_s + 0.15 + 0.1 * number, PSH | ACK, answer, back=True)
    ends(talk, at_s + 0.4)


def ends(talk: Talk, at_s: float) -> None:
    """Both sides are done."""
    talk.tcp(at_s, FIN | ACK)
    talk.tcp(at_s + 0.1, FIN | ACK, back=True)
    talk.tcp(at_s + 0.2, ACK)


def ward() -> list[Frame]:
    """Two devices that are always heard."""
    frames: list[Frame] = []
    for second in range(1, END_S, 5):
        Talk((SCANNER, ARCHIVE), (40_000, 9), 0, frames).udp(second, b"here")
        Talk((ARCHIVE, SCANNER), (40_001, 9), 0, frames).udp(second + 0.1, b"here")
    return frames


def before() -> Peers:
    """What a tap that settled long ago knows of them."""
    known = Peers()
    known.know_title(0x00D0_7500_0001, known.digest("CT1"))
    known.know_title(0x00D0_7500_0002, known.digest("PACS"))
    known.know_receiver(0x00D0_7500_0001, (0, 0xFFFF_0A01_0002))
    known.meet([int(mac.replace(":", ""), 16) for _, mac in (SCANNER, ARCHIVE, DRAWN)], START_S - 3600)
    known.settle()
    return known


def told(frames: list[Frame], *, knows: bool) -> list[tuple[str, str, int]]:
    """Findings of strangers: id, severity, and when."""
    sensor = Sensor(config())
    if knows:
        sensor.pipeline.engine.peers.resume(before().kept(), START_S)
    sensor.play(sorted(frames, key=lambda frame: frame.time_ns))
    found = [one for one in sensor.end().findings if one.id in {"dicom-unknown-peer", "hl7-second-receiver"}]
    return [(one.id, str(one.severity), one.time_ns // S - START_S) for one in found]


@pytest.mark.parametrize("again_s", [SETTLING_S + 80, END_S - 20])
def test_a_stranger_calls_while_the_tap_settles(again_s: int) -> None:
    frames = ward()
    for number, at_s in enumerate((60, again_s)):
        associates(frames, at_s, STRANGER, 50_000 + number, "PROBE")
    ((what, severity, when_s),) = told(frames, knows=True)
    assert (what, severity) == ("dicom-unknown-peer", "page")
    assert when_s <= 62
    assert told(frames, knows=False) == [], "a tap that knows nobody learns"


def test_who_called_before_the_restart_calls_again() -> None:
    frames = ward()
    associates(frames, 60, SCANNER, 50_000, "CT1")
    associates(frames, END_S - 60, SCANNER, 50_001, "CT1")
    assert told(frames, knows=True) == []


@pytest.mark.parametrize("at_s", [30, 90, SETTLING_S + 100])
def test_what_a_device_of_old_does_for_the_first_time_wakes_nobody(at_s: int) -> None:
    """Of which nothing was heard but its card, and that one drawn."""
    frames = ward()
    associates(frames, at_s, DRAWN, 50_000, "VIEWER")
    reports(frames, 20, ARCHIVE, 51_000)
    reports(frames, at_s + 5, DRAWN, 52_000)
    assert [severity for _, severity, _ in told(frames, knows=True)] in ([], ["review"], ["review", "review"])


def test_messages_go_elsewhere_while_the_tap_settles() -> None:
    frames = ward()
    for number, at_s in enumerate(range(20, END_S - 10, 40)):
        reports(frames, at_s, ARCHIVE, 51_000 + number)
        reports(frames, at_s + 30, OUTSIDE, 52_000 + number)
    ((what, severity, when_s),) = told(frames, knows=True)
    assert (what, severity) == ("hl7-second-receiver", "page")
    assert when_s <= 60
    assert told(frames, knows=False) == []
