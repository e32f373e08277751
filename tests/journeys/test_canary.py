"""No patient data, structurally: canary patients in all that a ward says, and not a word of them in all that comes out.

What is searched is every output octet of every program, unpacked (simulators/leaks.py). The test must be able to fail:
it is shown that the readers heard the patients, that every form is found, and that an open gate is noticed.
"""

import base64
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.clock import CaptureClock
from agent.config import Config, IdentityConfig
from agent.devices.identity import Identifier
from agent.packets.hints.records import Signal
from agent.packets.records import application_name
from agent.service import sensor
from agent.service.replay import Wanted, replay
from agent.service.status import FILE
from agent.service.status_book import StatusBook
from agent.service.status_writer import StatusWriter
from agent.spool.records import SpoolCounts
from agent.summaries.privacy import Pseudonyms
from agent.tap.records import LegCounts
from agent.wire.codec import pack
from tests.forge.pcap import Frame, Pcap
from tests.journeys.whole import Whole
from tests.service.bench import Sensor, small
from tests.simulators import canary, canary_clinic, canary_names
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.canary_names import APPROVED, PATTERN
from tests.simulators.leaks import leaks
from tests.simulators.patients import PATIENTS, Patient

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="too long without the JIT")]
PLACES = {**canary_clinic.PLACES, **canary_names.PLACES}
# Signals whose values were a patient's: what a reader heard, and the gate must keep.
HEARD = frozenset(
    {
        "bacnet.device", "cdp.name", "cdp.platform", "cdp.version", "dhcp.client-id", "dhcp.fqdn", "dhcp.host",
        "dhcp.vendor", "dhcpv6.duid", "dhcpv6.host", "dhcpv6.vendor", "dicom.ae", "dicom.implementation",
        "dicom.version",
        "hl7.message", "hl7.receiver", "hl7.receiver-facility", "hl7.sender", "hl7.sender-facility", "http.agent",
        "http.server", "lldp.description", "lldp.maker", "lldp.model", "lldp.name", "llmnr.asks", "llmnr.host",
        "mdns.asks", "mdns.host", "mdns.maker", "mdns.model", "mdns.service", "netbios.group", "netbios.host",
        "poct1a.maker", "poct1a.model",
        "smb.host", "smb.lanman", "smb.os", "ssdp.agent", "ssdp.asks", "ssdp.server", "ssdp.type", "ssh.software",
        "tls.sni", "wsd.offers", "wsd.scope",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """The ward, made once."""
    return canary.ward(PLACES)


@pytest.fixture(scope="module")
def capture(frames: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a file."""
    path = tmp_path_factory.mktemp("capture") / "canary.pcap"
    path.write_bytes(Pcap().octets(frames))
    return path


def test_not_a_word_of_a_patient_comes_out(capture: Path, tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="the collector extra is not installed")
    whole = Whole(tmp_path, capture, (PATTERN,)).run()
    found = {octets: leaks(octets) for octets in set(whole.outputs.values())}
    assert not {where: found[octets] for where, octets in whole.outputs.items() if found[octets]}
    page, lines = whole.outputs["page"], whole.outputs["replay --json --flows: stdout"]
    for shown in (page, lines):
        assert APPROVED.encode() in shown, "the pattern that the site approved lets its pumps' names out"
        assert b"iphone-name" in shown, "and the packs' tokens leave"
        assert b"~" in shown, "and pseudonyms"
    assert b"internet-contact" in whole.outputs["mail"]
    assert not [name for name in whole.outputs if name.startswith("work/")], "nothing was left where they ran"


def test_the_status_and_what_top_shows_of_it(frames: list[Frame], tmp_path: Path) -> None:
    whole = Whole(tmp_path, Path())
    bench, clock = Sensor(), CaptureClock()
    book = StatusBook(small(), clock)
    for half in (frames[: len(frames) // 2], frames[len(frames) // 2 :]):
        bench.play(half)
        clock.advance(half[-1].time_ns)
        status = book.take(bench.pipeline, [LegCounts("eth1", len(frames), 0, 0, 0)], _Spool())
    assert status.talkers
    with closing(StatusWriter(tmp_path / "state" / "sensor" / FILE, clock)) as writer:
        writer.path.parent.mkdir(parents=True)
        writer.offer(status)
    told = (tmp_path / "state" / "sensor" / FILE).read_bytes()
    shown = [told]
    look = ("agent", "top", "--once", "--state", str(tmp_path / "state"))
    shown += [whole.done("top", *look, *form, codes=(0, 7)).stdout for form in ((), ("--json",))]
    assert all(shown)
    assert not leaks(b"\n".join(shown))


class _Spool:
    """A spool that holds nothing."""

    bytes_used = backlog_bytes = 0
    counts = SpoolCounts()


def test_the_readers_heard_the_patients(frames: list[Frame], monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the search would prove nothing: every kind of signal that holds text was a patient's at least once."""
    bench, heard = Sensor(), Counter[str]()
    hear = bench.pipeline.ward.hear

    def listen(source: int, destination: int, signals: list[Signal], time_ns: int) -> None:
        heard.update(signal.kind for signal in signals if leaks(signal.value.encode("utf-8", "surrogatepass")))
        hear(source, destination, signals, time_ns)

    monkeypatch.setattr(bench.pipeline.ward, "hear", listen)
    bench.play(frames)
    bench.end()
    assert set(heard) >= HEARD
    assert bench.pipeline.hints_skipped == 0
    assert {
        "hl7",
        "dicom",
        "smb1",
        "http",
        "tls",
        "ssh",
        "ftp",
        "telnet",
        "mqtt",
        "snmp",
        "sip",
        "smtp",
        "imap",
        "poct1a",
    } <= {*_applications(bench)}


def _applications(bench: Sensor) -> Iterator[str]:
    for records in bench.kept.records:
        yield from map(application_name, records["application"].tolist())


def _replayed(capture: Path, wanted: Wanted) -> bytes:
    out = io.StringIO()
    config = small()._replace(identity=IdentityConfig(plain_name_patterns=(PATTERN,)))
    assert replay([capture], config, wanted, out) == 0
    return out.getvalue().encode("utf-8", "surrogatepass")


def test_names_leave_when_the_person_with_the_capture_asks_for_them(capture: Path) -> None:
    """`--plain-names` prints names to whoever holds the capture anyway; and shows that the search finds what leaves."""
    assert not leaks(_replayed(capture, Wanted(json=True, flows=True)))
    found = leaks(_replayed(capture, Wanted(json=True, plain_names=True)))
    assert {word.split(" (")[0].casefold() for word in found} >= {"fenworthy", "müggelhäusler", "queffelec", "ludomira"}
    numbers = [p.number for p in PATIENTS if any(word.startswith(p.number) for word in found)]
    assert not numbers, "names only: evidence has no plain form"


def test_an_open_gate_is_noticed_on_the_screen_and_in_the_spool(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pseudonyms, "name", lambda _, value: value)
    assert leaks(_replayed(capture, Wanted(json=True)))
    config: Config = small()
    assert sensor.run(config, tmp_path, [capture], say=lambda _: None) == 0
    spooled = {
        path.name: leaks(path.read_bytes()) for path in (tmp_path / "sensor" / "spool").rglob("*") if path.is_file()
    }
    assert any("in zlib" in word for words in spooled.values() for word in words)


def test_evidence_that_lies_about_being_a_token_is_noticed(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a pack's line gave a value out as its own token: the gate does not believe it."""
    signal = Identifier._signal

    def repeat(self: Identifier, mac: int, heard: Signal, time_ns: int) -> None:
        signal(self, mac, heard, time_ns)
        device = self._device(mac, time_ns)
        if device is not None:
            self._fact(mac, device, self._facts.vote("software", heard.kind, heard.value, {}))

    monkeypatch.setattr(Identifier, "_signal", repeat)
    assert not leaks(_replayed(capture, Wanted(json=True)))
    monkeypatch.setattr(Pseudonyms, "name", lambda _, value: value)
    assert leaks(_replayed(capture, Wanted(json=True)))


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.host)
def test_every_form_of_every_word_is_found(patient: Patient) -> None:
    for text in patient.secrets():
        for octets in _every_form(text):
            assert leaks(b"before " + octets + b" after"), (text, octets)


def _every_form(text: str) -> Iterator[bytes]:
    for case in (text, text.upper(), text.lower()):
        utf8 = case.encode()
        yield from canary.forms(case)
        yield from (case.encode("utf-16-le"), json.dumps(case).encode(), repr(utf8).encode(), repr(case).encode())
        yield from (utf8.hex(":").encode(), base64.urlsafe_b64encode(b".." + utf8 + b"..."), pack({"x": [1, case]}))
        yield from (base64.b64encode(case.encode("utf-16-le")), quote(case, safe="").lower().encode())
        yield from (zlib.compress(b"x" * 40 + utf8, 1), gzip.compress(utf8), base64.b64encode(zlib.compress(utf8)))
        yield "".join(f"&#{ord(letter)};" for letter in case).encode()


def test_the_order_and_the_marks_between_names_do_not_matter() -> None:
    for patient in PATIENTS:
        for between in ("^", " ", ", ", "_", "-", "\\"):
            assert leaks(f"x{patient.given}{between}{patient.family}y".encode())
            assert leaks(f"{patient.family}{between}{patient.given}".upper().encode("utf-16-be"))


def test_what_is_not_a_patient_is_not_found() -> None:
    assert not leaks(b'{"time":1793606400,"octets":319611127000,"sha256":"' + bytes(range(256)).hex().encode() + b'"}')
    assert leaks(b'{"born":19611127}')
