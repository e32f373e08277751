"""`wardtap contracts`: what it prints, and what its rules would have done to a recorded ward."""

import json
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.service.cli import main
from tests.conftest import ROOT
from tests.simulators.bursts import HASHES, THIN

pytestmark = [HASHES, pytest.mark.skipif(THIN > 1, reason="plays a capture: too long without the JIT")]
WARD = str(ROOT / "tests" / "captures" / "ward.pcap.gz")
SICK, WELL = "00:d0:75:18:60:3e", "00:d0:75:18:42:9b"  # tests/captures/ward.truth.json


def out(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, str]:
    """What the command prints, and says beside it."""
    assert main(["contracts", *words]) == 0
    said = capsys.readouterr()
    return said.out, said.err


def test_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = out(capsys, "list")
    assert "infusion-pump" in text
    assert "2 never" in text


def test_explained(capsys: pytest.CaptureFixture[str]) -> None:
    text, _ = out(capsys, "explain", "infusion-pump")
    assert "NEVER takes  tcp 23" in text
    assert "ICSMA-23-194-01 (read)" in text


def test_what_it_would_have_blocked(capsys: pytest.CaptureFixture[str]) -> None:
    """The pump that was taken over scans and talks to the internet; its sister only does what pumps do."""
    _, err = out(capsys, "acl", SICK, "--capture", WARD)
    assert "of tcp 445 to" in err
    assert "of tcp 4444 to 203.0.113.77" in err
    _, err = out(capsys, "explain", WELL, "--capture", WARD)
    assert "0 of " in err
    assert "wardtap:   " not in err


@pytest.mark.parametrize("role", ["patient-monitor", "imaging-modality", "printer", "pacs"])
def test_nothing_that_the_recorded_ward_needs_is_blocked(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, err = out(capsys, "acl", role, "--format", "cisco", "--capture", WARD)
    assert "wardtap: 0 of " in err


def test_an_answer_to_a_question_to_a_group_is_a_flow_of_its_own_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A filter that keeps state does not know it either: the question went to a group."""
    _, err = out(capsys, "acl", "ventilator", "--capture", WARD)
    assert err.splitlines()[1:] == ["wardtap:   14 flows of udp 50123 to 10.20.30.14"]


def test_as_a_mud_file_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, err = out(capsys, "acl", "infusion-pump", "--format", "mud")
    assert json.loads(text)["ietf-mud:mud"]["mud-version"] == 1
    assert "take Telnet" in err, "what could not be said is named"
    (tmp_path / "pump.json").write_text(text)
    lines, _ = out(capsys, "import", str(tmp_path / "pump.json"))
    assert "ports = [3613]" in lines


@pytest.mark.parametrize(
    "words", [["explain", "toaster"], ["acl", "00:00:00:00:00:01", "--capture", WARD], ["import", "/nowhere.json"]]
)
def test_what_there_is_not(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contracts", *words]) == InputError.exit_code
    assert capsys.readouterr().err.count("\n") == 1
