"""The demo with a small capture, as a person runs it: every part real, every record stored, nothing left behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.service.demo import main, width
from agent.service.programs import mosquitto
from tests.conftest import ROOT
from tests.devices.bench import hello, tries
from tests.flows.talks import HOSTS
from tests.forge.pcap import Pcap
from tests.simulators.broker import free_port
from tests.simulators.bursts import THIN

PUMP = ("10.1.0.101", "00:d0:75:18:42:9b")


@pytest.mark.broker
@pytest.mark.skipif(THIN > 1, reason="too long without the JIT")
def test_from_a_capture_to_the_page(tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="the collector extra is not installed")
    if mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    targets = [((f"10.1.0.{n}", f"00:1b:78:00:00:{n:02x}"), 445) for n in range(30, 60)]
    frames = [hello(PUMP), *(hello(end) for end in HOSTS), *tries(PUMP, targets, refused=True, at_s=5)]
    path = tmp_path / "scan.pcap"
    path.write_bytes(Pcap().octets(frames))
    (tmp_path / "tmp").mkdir()
    command = [sys.executable, "-m", "agent.service.demo", "--no-serve", "--capture", str(path)]
    command += ["--port", str(free_port())]
    place = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "COLUMNS": "80"}  # its own folder: others may run a demo
    done = subprocess.run(command, cwd=ROOT, env=place, capture_output=True, text=True, check=False, timeout=3600)
    assert done.returncode == 0, done.stderr
    assert re.search(r"uplink +(\d+) of \1 records sealed, sent, verified, stored and acknowledged", done.stdout)
    assert re.search(r"\d+ devices of \d+ roles", done.stdout)
    assert PUMP[1] in done.stdout
    assert re.search(r"page +(host-sweep|smb-spread|contract-breach)", done.stdout)
    assert re.search(r"\d+ octets of summaries for a device and minute", done.stdout)
    wide = [line for line in done.stdout.splitlines() if len(line) > 80 and str(tmp_path) not in line]
    assert not wide, "a terminal of 80 columns breaks lines where it likes"
    assert "Traceback" not in done.stdout + done.stderr
    assert not list((tmp_path / "tmp").glob("wardtap-demo-*"))


@pytest.mark.parametrize(("columns", "written"), [("20", 60), ("80", 80), ("250", 100)])
def test_it_writes_as_wide_as_is_read_well(monkeypatch: pytest.MonkeyPatch, columns: str, written: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == written


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--no-serve", "--capture", str(tmp_path / "missing.pcap")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("wardtap demo: ")
    assert "missing.pcap" in line
