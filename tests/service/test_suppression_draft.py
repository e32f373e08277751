"""A suppression made from a finding: no wider than it, and read back as it was made."""

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from agent.devices.roles import ROLES
from agent.errors import ConfigError, InputError
from agent.findings.draft import Subject
from agent.findings.records import Finding
from agent.findings.suppressions_file import parse_suppressions
from agent.service.lines import finding_line
from agent.service.suppression_draft import Explanation, add_to, findings_of, made_from
from tests.findings.bench import IN, START_NS, Bench, S

SAID = Explanation("R. Okafor", "the maker's laptop", START_NS // S, 30)


@pytest.fixture
def bench() -> Bench:
    """Devices that are what the test says."""
    return Bench()


def found(bench: Bench) -> Finding:
    """Somebody's Telnet to a pump."""
    pump, desk = bench.add("infusion-pump"), bench.add("office-workstation")
    return bench.judge([bench.edge(pump, desk, 23, direction=IN)])[0]


def lines(folder: Path, *texts: str) -> Path:
    """A file of findings among other lines."""
    path = folder / "findings.jsonl"
    path.write_text("\n".join([json.dumps({"type": "device"}), *texts]) + "\n")
    return path


def test_from_a_line_to_a_file_and_back(bench: Bench, tmp_path: Path) -> None:
    finding = found(bench)
    made = made_from(findings_of(lines(tmp_path, finding_line(finding))), finding.cause, SAID)
    assert (made.id, made.device, made.role) == ("contract-breach", finding.mac, "")
    assert (made.peer, made.protocol, made.port) == (ip_network("10.20.30.101"), 6, 23)
    assert made.fits(finding, Subject(finding.mac, 0, "10.20.30.101", 6, 23), 600)
    assert not made.fits(finding, Subject(finding.mac, 0, "10.20.30.102", 6, 23), 600)
    assert not made.fits(replace(finding, mac=1), Subject(1, 0, "10.20.30.101", 6, 23), 600)
    path = add_to(tmp_path, made, finding.cause)
    assert parse_suppressions(path.read_text(), ROLES).suppressions == (made,)
    add_to(tmp_path, made._replace(port=24), finding.cause)
    assert [rule.port for rule in parse_suppressions(path.read_text(), ROLES).suppressions] == [23, 24]


def test_for_a_whole_role(bench: Bench, tmp_path: Path) -> None:
    finding = found(bench)
    made = made_from(findings_of(lines(tmp_path, finding_line(finding))), finding.cause, SAID._replace(whole_role=True))
    assert (made.device, made.role) == (0, "infusion-pump")
    add_to(tmp_path, made, "x")


def test_from_the_collectors_list(tmp_path: Path) -> None:
    text = json.dumps({"findings": [json.loads(row(cause="other")), json.loads(row())]})
    made = made_from(findings_of(lines(tmp_path, text)), "c", SAID)
    assert (made.id, made.device) == ("new-device", 0x00D075180000)
    assert not list(findings_of(lines(tmp_path, '{"findings": 7}', '{"findings": [7]}', "7", "[]")))


def row(**more: Any) -> str:
    """A finding's line, made by hand."""
    plain = {"id": "new-device", "cause": "c", "severity": "review", "evidence": [], "mac": "00:d0:75:18:00:00"}
    return json.dumps(plain | more)


def test_what_cannot_be_suppressed_is_refused_before_it_is_written(tmp_path: Path) -> None:
    for name in ("tap-transmitted", "equivocation", "nonsense"):
        made = made_from(findings_of(lines(tmp_path, row(id=name))), "c", SAID)
        with pytest.raises(ConfigError):
            add_to(tmp_path, made, "x")
    unknown = made_from(findings_of(lines(tmp_path, row(mac=None))), "c", SAID)
    with pytest.raises(ConfigError, match="needs a device"):
        add_to(tmp_path, unknown, "x")
    assert not (tmp_path / "suppressions.toml").exists()


@pytest.mark.parametrize(
    ("text", "cause", "why"),
    [
        (row(), "other", "no finding has the cause"),
        (row(severity="alarm"), "c", "damaged"),
        (row(evidence=[7]), "c", "damaged"),
        ("{", "c", "no file of findings"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str, cause: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        made_from(findings_of(lines(tmp_path, text)), cause, SAID)


def test_a_role_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="role of this device is not known"):
        made_from(findings_of(lines(tmp_path, row())), "c", SAID._replace(whole_role=True))
    with pytest.raises(InputError, match="no file of findings"):
        list(findings_of(tmp_path / "none"))


@pytest.mark.parametrize("text", ['"\nid = "new-edge', "\\", '"""', "\u202e", "x" * 500])
def test_no_text_ends_its_row(bench: Bench, tmp_path: Path, text: str) -> None:
    finding = found(bench)
    said = SAID._replace(owner=f"o{text}", why=f"w{text}")
    made = made_from(findings_of(lines(tmp_path, finding_line(finding))), finding.cause, said)
    path = add_to(tmp_path, made, text)
    (read,) = parse_suppressions(path.read_text(), ROLES).suppressions
    assert read._replace(owner="", why="") == made._replace(owner="", why="")
