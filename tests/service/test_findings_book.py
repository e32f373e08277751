"""`wardtap findings`: the catalogue explained, a capture tried, a suppression made and tried."""

import json
from pathlib import Path

import pytest

from agent.errors import InputError
from agent.findings.catalogue import CATALOGUE, ELSEWHERE
from agent.findings.suppressions import CONTROLS
from agent.service import findings_book
from agent.service.cli import main
from tests.conftest import ROOT
from tests.findings.bench import CONTRACTS
from tests.simulators.bursts import HASHES, THIN

pytestmark = HASHES
WARD = str(ROOT / "tests" / "captures" / "ward.pcap.gz")
SICK = "00:d0:75:18:60:3e"  # tests/captures/ward.truth.json
plays = pytest.mark.skipif(THIN > 1, reason="plays a capture: too long without the JIT")


def out(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints."""
    assert main(["findings", *words]) == 0
    return capsys.readouterr().out


def test_every_id_is_listed_once_the_gravest_first(capsys: pytest.CaptureFixture[str]) -> None:
    rows = out(capsys, "list").splitlines()
    assert len(rows) == len(CATALOGUE) + len(ELSEWHERE)
    severities = [row.split()[1] for row in rows]
    assert severities == sorted(severities, key=["page", "review", "health", "posture"].index)


@pytest.mark.parametrize("name", sorted(findings_book.ALL))
def test_every_id_is_explained(name: str) -> None:
    text = " ".join("\n".join(findings_book.explained(name, CONTRACTS)).split())
    assert findings_book.ALL[name].next_step in text
    assert ("cannot be suppressed" in text) == (name in CONTROLS)


def test_a_slip_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "explain", "equivocatin"]) == 2
    assert "did you mean 'equivocation'?" in capsys.readouterr().err
    with pytest.raises(InputError, match="no finding is called"):
        findings_book.tried([], None, "portscan", None)  # type: ignore[arg-type]


@plays
def test_a_capture_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "test", WARD)
    counted = [int(line.split()[0]) for line in text.splitlines() if line.startswith("     ")]
    assert text.startswith(f"would have raised {sum(counted)} in this file")
    assert len(counted) == 6, "pages and postures"
    assert "1  page     smb-spread" in text
    assert f"page: Infusion pump {SICK}" in text
    only = out(capsys, "test", WARD, "--id", "internet-contact")
    assert only.startswith("would have raised 1 in this file of the kind internet-contact")
    assert "smb-spread" not in only
    assert out(capsys, "test", WARD, "--id", "mining").startswith("would have raised 0 in this file")


@plays
def test_a_suppression_is_made_of_it_and_tried(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["replay", "--json", WARD]) == 0
    findings = [row for row in map(json.loads, capsys.readouterr().out.splitlines()) if row.get("type") == "finding"]
    (wanted,) = [row for row in findings if row["id"] == "internet-contact"]
    source = tmp_path / "findings.jsonl"
    source.write_text("\n".join(map(json.dumps, findings)))
    words = ["--cause", wanted["cause"], "--owner", "R. Okafor", "--why", "a test", "--days", "30"]
    text = out(capsys, "suppress", str(source), *words, "--into", str(tmp_path))
    assert f"internet-contact up to page          {SICK} with 203.0.113.77/32 on tcp 4444: in force" in text
    tried = out(capsys, "test", WARD, "--suppressions", str(tmp_path))
    assert "internet-contact" not in tried
    assert "smb-spread" in tried
    assert int(tried.rstrip().rpartition(" ")[2]) >= 1


def test_what_is_in_force_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert out(capsys, "suppressions", "--state", str(tmp_path)) == "nothing is suppressed\n"
    folder = tmp_path / "packs" / "ward-explained" / "1"
    folder.mkdir(parents=True)
    span = 'start = "2026-01-01T00:00:00Z"\nuntil = "2026-01-05T00:00:00Z"\nowner = "R. Okafor"\nwhy = "a test"\n'
    rows = f'[[suppression]]\nid = "new-device"\ndevice = "00:d0:75:18:60:3e"\nseverity = "review"\n{span}'
    rows += f'[[maintenance]]\ndevice = "00:d0:75:18:60:3e"\n{span}[[window]]\nrole = "pacs"\n{span}'
    (folder / "suppressions.toml").write_text(f'version = "1"\n{rows}')
    ordered = {"id": "new-edge", "device": "00:d0:75:18:60:3e", "severity": "review", "owner": "olga", "why": "a test"}
    ordered |= {"start": "2026-01-01T00:00:00Z", "until": "2026-01-05T00:00:00Z"}
    (tmp_path / "sensor").mkdir()
    (tmp_path / "sensor" / "suppressions.json").write_text(
        json.dumps({"version": 1, "suppressions": {"ab" * 16: ordered, "not-hex": ordered}})
    )
    shown = findings_book.shown([folder], tmp_path, 1_767_300_000 * 10**9)
    assert shown[0].startswith("new-device up to review")
    assert "in force, until 2026-01-05T00:00:00Z, R. Okafor: a test" in shown[0]
    assert shown[1].startswith("maintenance ")
    assert shown[2].endswith(f"in force, until 2026-01-05T00:00:00Z, olga: a test (suppression {'ab' * 16})")
    assert shown[3] == "window pacs: 2026-01-01T00:00:00Z to 2026-01-05T00:00:00Z"
    assert ": over, " in out(capsys, "suppressions", "--state", str(tmp_path))
