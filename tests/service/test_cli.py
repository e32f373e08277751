"""The command line: what each command prints, and that an error is one line with its exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from agent import __version__
from agent.command_line import OWN_FAULT, PIPE_CLOSED
from agent.service.cli import main
from agent.signing.keys import PrivateKey
from tests.conftest import ROOT
from tests.devices.bench import hello
from tests.flows.talks import HOSTS
from tests.forge.pcap import Pcap
from tests.simulators.bursts import HASHES, THIN

pytestmark = HASHES


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One device."""
    path = tmp_path / "a.pcap"
    path.write_bytes(Pcap().octets([hello(HOSTS[0])]))
    return path


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"wardtap {__version__}\n"


def test_replay_for_people(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(capture)]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("1 device\n")
    assert told.err == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["replay", "{folder}/missing.pcap"], 2), (["replay", "{folder}"], 2),
        (["replay", "{capture}", "--config", "{folder}/missing.toml"], 2), (["check-config", "{folder}/none.toml"], 2),
        (["check-config", "{folder}/bad.toml"], 2), (["keys", "--state", "{folder}/none"], 7),
        (["sensor", "--state", "{capture}/below-a-file", "--replay", "{capture}"], 7),
    ],
)  # fmt: skip
def test_errors_are_one_line(
    arguments: list[str], code: int, capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.toml").write_text("[tap]\nlegz = ['eth1']\n")
    given = [word.format(folder=tmp_path, capture=capture) for word in arguments]
    assert main(given) == code
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert line.startswith("wardtap: ")
    assert "Traceback" not in told.out + told.err


def test_a_bad_configuration_says_key_line_and_nearest_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[tap]\nlegz = ['eth1']\n")
    main(["check-config", str(path)])
    line = capsys.readouterr().err
    assert "legz" in line
    assert "legs" in line
    assert f"{path}:2: " in line


def test_a_good_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "good.toml"
    path.write_text("[tap]\nlegs = ['eth1', 'eth2']\n")
    assert main(["check-config", str(path)]) == 0
    assert "good; sha256" in capsys.readouterr().out


def test_the_state_directory_s_configuration_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wardtap.toml").write_text("[tap]\nlegz = ['eth1']\n")
    assert main(["sensor", "--state", str(tmp_path)]) == 2
    assert "wardtap.toml" in capsys.readouterr().err


def test_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = PrivateKey.generate()
    (tmp_path / "uplink").mkdir()
    key.save(tmp_path / "uplink" / "agent.key")
    assert main(["keys", "--state", str(tmp_path)]) == 0
    assert key.key_id.hex() in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["replay"], ["sensor"], ["replay", "a", "--nonsense"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "usage: wardtap" in capsys.readouterr().err


def test_a_fault_of_our_own_is_one_sentence(
    capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The place is named; the traceback is for whoever asks for it."""
    monkeypatch.delenv("WARDTAP_DEBUG", raising=False)
    monkeypatch.setattr("agent.service.replay.replay", lambda *_: 1 // 0)
    assert main(["replay", str(capture)]) == OWN_FAULT
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError at test_cli.py:" in line
    monkeypatch.setenv("WARDTAP_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["replay", str(capture)])


@pytest.mark.skipif(THIN > 1, reason="a child without the JIT says what numpy warns of")
def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "many.pcap"
    path.write_bytes(
        Pcap().octets(
            [hello((f"10.2.{n >> 8}.{n & 255}", f"00:d0:75:00:{n >> 8:02x}:{n & 255:02x}")) for n in range(1500)]
        )
    )
    command = [sys.executable, "-m", "agent", "replay", str(path), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.wait(300) == PIPE_CLOSED
        assert child.stderr.read() == b""
