"""A program's own process starts without what it does not need, and a process of somebody else's is left as it is."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.service import startup
from agent.service.cli import main
from tests.conftest import ROOT
from tests.devices.bench import hello
from tests.flows.talks import HOSTS
from tests.forge.pcap import Pcap
from tests.simulators.bursts import HASHES

pytestmark = HASHES
PROGRAM = """
import gc, json, os, sys
from pathlib import Path
from agent.service.startup import lean
lean()
starting = gc.get_threshold()[0]
from agent.config import default
from agent.service.replay import Wanted, replay
code = replay([Path(sys.argv[1])], default(), Wanted(json=True))
loaded = [name for name in ("cffi", "pycparser", "yaml") if sys.modules.get(name)]
threads = len(os.listdir("/proc/self/task"))
told = [starting, gc.get_threshold()[0], sys.getswitchinterval(), gc.get_freeze_count() > 10_000, loaded, threads, code]
print(json.dumps(told))
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One device."""
    path = tmp_path / "a.pcap"
    path.write_bytes(Pcap().octets([hello(HOSTS[0])]))
    return path


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process as it was, afterwards."""
    before, switch_s = gc.get_threshold(), sys.getswitchinterval()
    monkeypatch.setattr(startup, "_of_its_own", [])
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    yield
    gc.set_threshold(*before)
    sys.setswitchinterval(switch_s)


def test_a_replay_loads_no_parser_of_c_or_yaml_and_keeps_the_collector_quiet(capture: Path) -> None:
    """The settings file beside the capture would switch the compiler off, were it read; numba says that it is not."""
    (capture.parent / ".numba_config.yaml").write_text("disable_jit: 1\n")
    outside = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(capture)], cwd=capture.parent, env=outside | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True, timeout=3600,
    )  # fmt: skip
    starting, running, switch_s, frozen, loaded, threads, code = json.loads(done.stdout.splitlines()[-1])
    assert (starting, running, frozen) == (startup.THRESHOLD_STARTING, startup.THRESHOLD_RUNNING, True)
    assert switch_s == startup.SWITCH_S
    assert loaded == []
    assert threads <= 2, "the decoder's thread and no other"
    assert code == 0


@pytest.mark.usefixtures("process")
def test_what_is_loaded_or_set_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    there = sys.modules["json"]
    monkeypatch.setattr(startup, "UNWANTED", ("json", "wardtap_of_nobody"))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    startup.lean()
    assert sys.modules["json"] is there
    assert sys.modules["wardtap_of_nobody"] is None
    assert os.environ["OPENBLAS_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    ("words", "lean"), [(["replay", "x.pcap"], True), (["sensor", "--state", "x"], True), (["version"], False)]
)
def test_only_programs_with_kernels_in_a_process_of_their_own(
    words: list[str], lean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is the guard against cores and words, which every program has: it would close the process of these tests."""
    calls, closed = list[int](), list[str]()
    monkeypatch.setattr("agent.service.cli.lean", lambda: calls.append(1))
    monkeypatch.setattr("agent.service.cli.leave_nothing", closed.append)
    monkeypatch.setattr("agent.service.replay.replay", lambda *_: 0)
    monkeypatch.setattr("agent.service.sensor.run", lambda *_: 0)
    monkeypatch.setattr("os._exit", lambda _: None)
    assert main(words) == 0
    assert calls == closed == []
    monkeypatch.setattr(sys, "argv", ["wardtap", *words])
    assert main() == 0
    assert calls == [1] * lean
    assert closed == ["wardtap"]


def test_another_s_collector_is_left_as_it_is(process: None) -> None:
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    startup.ready()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)
