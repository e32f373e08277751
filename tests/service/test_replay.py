"""`wardtap replay` over real and forged captures: its lines, its exit codes, its one line of complaint, its secrets."""

import gzip
import io
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.config import Config
from agent.service.replay import Wanted, replay, sealed_octets
from agent.signing.envelope import seal
from agent.wire import body
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.devices.bench import hello, session
from tests.flows.talks import HOSTS
from tests.forge.ethernet import IPV4, ethernet
from tests.forge.ipv4 import TCP, UDP, Ipv4
from tests.forge.pcap import Frame, Pcap
from tests.forge.tcp import SYN, Tcp
from tests.forge.udp import Udp
from tests.service.bench import small
from tests.simulators.bursts import HASHES, LONG, THIN
from tests.simulators.kit import key_of
from tests.wire.samples import SUMMARY, header

pytestmark = HASHES
WARD = ROOT / "tests" / "captures" / "ward.pcap.gz"
DEVICE = {
    "mac",
    "ips",
    "vlan",
    "vendor",
    "role",
    "confidence",
    "model",
    "os",
    "names",
    "evidence",
    "posture",
    "first",
    "last",
    "packets",
    "octets",
}
FLOW = {
    "community_id", "vlan", "protocol", "application", "originator", "originator_port", "responder", "responder_port",
    "originator_mac", "responder_mac", "forward_packets", "forward_octets", "reverse_packets", "reverse_octets",
    "first", "last", "end_reason", "tcp_flags_forward", "tcp_flags_reverse", "responder_name",
}  # fmt: skip
FINDING = {"id", "severity", "mac", "time", "sentence", "evidence", "attack"}
COVERAGE = {"frames", "octets", "ignored", "truncated", "dropped", "flows_exported", "flows_evicted", "conservation"}
STATS = {
    "packets", "wall_s", "startup_s", "pipeline_s", "packets_per_s", "peak_anonymous_bytes", "flows", "devices",
    "summaries", "sealed_bytes", "compiled_kernels",
}  # fmt: skip
FIELDS = {"device": DEVICE, "flow": FLOW, "finding": FINDING, "coverage": COVERAGE, "stats": STATS}


def run(
    *paths: Path, config: Config | None = None, flows: bool = True, plain: bool = False
) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, lines and the whole text."""
    out = io.StringIO()
    code = replay(list(paths), config or small(), Wanted(json=True, flows=flows, plain_names=plain), out)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], out.getvalue()


def checked(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What holds of every replay; the coverage line."""
    *rest, coverage, stats = lines
    assert (coverage["type"], stats["type"]) == ("coverage", "stats")
    assert {line["type"] for line in rest} <= {"device", "flow", "finding"}
    for line in lines:
        assert set(line) >= FIELDS[line["type"]], line
    assert coverage["conservation"] is True
    assert coverage["frames"] == coverage["processed"] + sum(coverage["ignored"].values()) == stats["packets"]
    assert coverage["flows_exported"] == stats["flows"]
    assert stats["devices"] == sum(line["type"] == "device" for line in rest)
    return coverage


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Eight devices and seven sessions."""
    frames = [hello(end) for end in HOSTS]
    for number, end in enumerate(HOSTS[1:]):
        frames += session((HOSTS[0], end), 1 + number)
    path = tmp_path / "talk.pcap"
    path.write_bytes(Pcap().octets(frames))
    return path


def test_lines_of_a_forged_capture(talk: Path) -> None:
    code, lines, _ = run(talk)
    coverage = checked(lines)
    assert (code, coverage["frames"], coverage["ignored"], coverage["dropped"]) == (0, 8 + 63, {}, 0)
    flows = [line for line in lines if line["type"] == "flow"]
    assert len(flows) == 7
    assert sum(flow["forward_packets"] + flow["reverse_packets"] for flow in flows) == 63
    assert [line["mac"] for line in lines if line["type"] == "device"] == [mac for _, mac in HOSTS]


def test_flows_only_when_asked(talk: Path) -> None:
    assert not [line for line in run(talk, flows=False)[1] if line["type"] == "flow"]


def _named_talk(folder: Path) -> Path:
    """A DNS answer, then a connection to the address that it gave and one to another."""
    asker, server, ends = ("10.1.0.5", "00:d0:75:00:00:01"), ("10.1.0.2", "d4:ae:52:00:00:02"), ("10.2.0.9", "10.2.0.8")
    answer = struct.pack(">6H", 7, 0x8180, 1, 1, 0, 0) + b"\6orsola\4ward\7example\0\0\1\0\1"
    answer += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\2\0\x09"
    packet = Ipv4(server[0], asker[0], UDP).octets(Udp(53, 40000).octets(server[0], asker[0], answer))
    frames = [Frame(10**18, ethernet(asker[1], server[1], IPV4, packet))]
    for n, end in enumerate(ends):
        syn = Ipv4(asker[0], end, TCP).octets(Tcp(40001 + n, 443, 7, flags=SYN).octets(asker[0], end))
        frames.append(Frame(10**18 + 10**9, ethernet(server[1], asker[1], IPV4, syn)))
    path = folder / "named.pcap"
    path.write_bytes(Pcap().octets(frames))
    return path


def test_a_later_flow_has_the_name_its_address_was_asked_by(tmp_path: Path) -> None:
    path = _named_talk(tmp_path)

    def names(*, plain: bool) -> dict[str, str | None]:
        lines = run(path, plain=plain)[1]
        return {told["responder"]: told["responder_name"] for told in lines if told["type"] == "flow"}

    plain, gated = names(plain=True), names(plain=False)
    assert plain["10.2.0.9"] == "orsola.ward.example"
    assert plain["10.2.0.8"] is None
    assert re.fullmatch(r"~[a-z2-7]{10}", str(gated["10.2.0.9"]))


def test_for_people(talk: Path) -> None:
    out = io.StringIO()
    assert replay([talk], small(), Wanted(), out) == 0
    assert out.getvalue().startswith("8 devices\n")
    assert "every frame is accounted for" in out.getvalue().splitlines()[-1]


def test_damage_is_exit_code_2_with_one_line(talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = talk.with_name("cut.pcap")
    cut.write_bytes(talk.read_bytes()[:-5])
    code, lines, _ = run(cut)
    assert (code, checked(lines)["frames"]) == (2, 70)
    (complaint,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(rf"wardtap: {re.escape(str(cut))}: offset \d+: the file ends inside a frame \(.*\)", complaint)


def test_nothing_to_read_still_ends_with_coverage_and_stats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = run(tmp_path / "missing.pcap")
    assert (code, [line["type"] for line in lines]) == (2, ["coverage", "stats"])
    assert checked(lines)["frames"] == 0
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_links_that_are_not_read_are_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(Pcap(link=147).octets([hello(HOSTS[0])] * 3))
    code, lines, _ = run(path)
    assert (code, checked(lines)["ignored"]) == (2, {"unsupported-link": 3})
    assert f"{path}: offset 40: link type 147 is not read" in capsys.readouterr().err


def test_several_files_are_one_run(talk: Path) -> None:
    other = talk.with_name("other.pcap")
    other.write_bytes(Pcap().octets([hello(HOSTS[0], 100)]))
    code, lines, _ = run(talk, other)
    assert (code, checked(lines)["frames"]) == (0, 72)


def test_size_of_an_envelope_is_what_the_uplink_makes() -> None:
    kind = MessageType.SUMMARY
    octets = body.encode(kind, header(), SUMMARY.to_content())
    assert sealed_octets(kind, octets) == len(seal(kind, octets, [key_of("agent")]))


Told = tuple[int, list[dict[str, Any]], str]


@pytest.fixture(scope="module")
def ward() -> Told:
    """The replay of the recorded ward, made once."""
    if THIN > 1:
        pytest.skip("too long without the JIT")
    return run(WARD, config=Config())


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    """What is true of it."""
    told: dict[str, Any] = json.loads((ROOT / "tests" / "captures" / "ward.truth.json").read_text())
    return told


def test_counts_of_the_ward(ward: Told, truth: dict[str, Any]) -> None:
    code, lines, _ = ward
    assert (code, checked(lines)["frames"]) == (0, truth["frames"])


def test_devices_of_the_ward(ward: Told, truth: dict[str, Any]) -> None:
    devices = {line["mac"]: line for line in ward[1] if line["type"] == "device"}
    assert set(devices) == {device["mac"] for device in truth["devices"]}
    wrong = [d["mac"] for d in truth["devices"] if devices[d["mac"]]["role"] not in {d["role"], "unknown"}]
    assert not wrong
    assert all(device["ip"] in devices[device["mac"]]["ips"] for device in truth["devices"])


def test_findings_of_the_ward(ward: Told, truth: dict[str, Any]) -> None:
    findings = [line for line in ward[1] if line["type"] == "finding"]
    for wanted in truth["findings"]:
        found = [f for f in findings if f["id"] in wanted["id"].split("|") and f["mac"] == wanted["mac"]]
        assert found, wanted
        assert found[0]["severity"] == wanted["severity"]
        assert 0 <= found[0]["time"] - truth["start_ns"] / 1e9 - wanted["after_s"] < 60
    pages = {finding["mac"] for finding in findings if finding["severity"] == "page"}
    assert pages == {wanted["mac"] for wanted in truth["findings"]}, "nobody else is paged for"


def test_no_patient_of_the_ward_leaves(ward: Told, truth: dict[str, Any]) -> None:
    for word in truth["canaries"]["never"]:
        assert word.lower() not in ward[2].lower()


CLINICAL = ("hl7_second_receiver", "dicom_probe", "cast_mdns_ssdp", "bacnet_cov")


@pytest.mark.captures
@pytest.mark.parametrize("name", CLINICAL)
def test_canaries_of_clinical_captures_never_leave(
    captures: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = json.loads((captures / "clinical" / "truth.json").read_text())[name]
    words = [word for word in re.split(r"[ ;^]+", truth["canaries"].split("(")[0]) if len(word) > 4]
    assert len(words) >= 8
    code, lines, text = run(captures / "clinical" / f"{name}.pcap")
    checked(lines)
    text += capsys.readouterr().err
    assert code == 0
    assert not [word for word in words if word.lower() in text.lower()]


SAMPLE = (
    "format/pcapng_mixed_endian.pcapng",
    "format/gzip_pcapng.pcapng.gz",
    "format/pcap_truncated_hdr.pcap",
    "format/year_2038.pcap",
    "format/linktype_unsupported.pcap",
    "format/snaplen_cut_tcp.pcap",
    "encap/mixed_vlan_mpls.pcap",
    "encap/nflog_http.pcap",
    "encap/icmp_fragmented_big.pcap",
    "malformed/ndpi_badpackets.pcap",
    "malformed/too_many_layers.pcap",
    "threats/arp_scan_hs.pcap",
    "threats/portscan_small.pcap",
    "medical/hl7_adt_mllp.pcap",
    "identity/lldp_and_cdp.pcap",
)


@pytest.mark.captures
@pytest.mark.parametrize("name", SAMPLE[:: 1 if THIN == 1 else 5])
def test_conservation_on_real_captures(captures: Path, name: str) -> None:
    code, lines, _ = run(captures / name)
    checked(lines)
    assert code in {0, 2}


@pytest.mark.captures
@pytest.mark.slow
@LONG
def test_conservation_on_every_real_capture(captures: Path) -> None:
    for path in sorted(p for p in captures.rglob("*") if ".pcap" in p.name and p.is_file()):
        code, lines, _ = run(path)
        checked(lines)
        assert code in {0, 2}, path


BENIGN = ("bacnet_cov", "cast_mdns_ssdp", "dicom_store_find", "dicom_tls", "hl7_heartbeat_lost", "smb2_session")


@pytest.mark.captures
@pytest.mark.parametrize("name", BENIGN)
def test_benign_devices_have_no_contradiction_in_the_whole_sensor(captures: Path, name: str) -> None:
    """Its kernels see more than the slow walk of tests/devices: messages in several segments, SYNs."""
    lines = run(captures / "clinical" / f"{name}.pcap", flows=False)[1]
    devices = [line for line in lines if line["type"] == "device"]
    assert devices
    assert not [line["contradictions"] for line in devices if line["contradictions"]]


@pytest.mark.skipif(THIN > 1, reason="a child without the JIT says what numpy warns of")
def test_a_pipe_is_read_and_nothing_but_lines_is_printed(talk: Path) -> None:
    """As a person would do it: through the shell, packed, from standard input."""
    command = [sys.executable, "-m", "agent", "replay", "-", "--json"]
    done = subprocess.run(
        command, input=gzip.compress(talk.read_bytes()), capture_output=True, cwd=ROOT, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, b"")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert checked(lines)["frames"] == 71
