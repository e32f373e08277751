"""`wardtap doctor` as a person meets it: lines, exit codes, a machine where all is well, and nothing that is sent."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import ConfigError, LinkError, PermissionNeeded, StateError
from agent.service import doctor as module
from agent.service.check import Check, Level, fail, ok, warn
from agent.service.doctor import doctor, exit_code
from tests.service.test_machine_checks import board
from tests.simulators.bursts import HASHES
from tests.simulators.namespace import Namespace, cable

__all__ = ["board"]
pytestmark = HASHES


def lines(told: str) -> list[str]:
    """Without the last one, which counts."""
    *checks, _ = told.splitlines()
    return checks


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([], 0),
        ([ok("a", "", "b")], 0),
        ([ok("a", "", "b"), warn("a", "", "b")], 1),
        ([warn("a", "", "b"), fail("a", "", "b", "", StateError), fail("a", "", "b", "", ConfigError)], 7),
        ([fail("a", "", "b", "", PermissionNeeded)], 4),
        ([fail("a", "", "b", "", LinkError)], 5),
    ],
)
def test_the_exit_code_is_of_the_worst(checks: list[Check], code: int) -> None:
    assert exit_code(iter(checks)) == code


def test_a_mistake_in_the_configuration_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what does not need it is looked at all the same."""
    path = tmp_path / "bad.toml"
    path.write_text("[tap]\nlegz = ['eth1']\n")
    assert doctor(path, tmp_path) == 2
    told = lines(capsys.readouterr().out)
    assert told[0].startswith(f"fail  config      {path}:2: ")
    assert "legs" in told[0]
    topics = {line.split()[1] for line in told}
    assert {"sensor", "kernel", "clock", "library", "kernels"} <= topics
    assert not {"leg", "directions", "disk", "broker"} & topics


def test_every_leg_and_every_part(board: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_text('[tap]\nlegs = ["wardtap-none0", "lo"]\n')
    assert doctor(None, tmp_path, root=board) == 2, "of the first failure: an interface that is not there"
    told = capsys.readouterr().out
    shown = lines(told)
    assert shown[0] == f"ok    config      {path}: good; legs wardtap-none0, lo"
    assert "fail  leg         wardtap-none0: no such interface" in told
    assert "warn  sensor" in told
    for topic in ("directions", "processor", "memory", "disk", "key", "packs", "contracts", "broker", "libpcap"):
        assert any(line.split()[1] == topic for line in shown), topic
    counted = dict(part.split()[::-1] for part in told.splitlines()[-1].split(", "))
    assert sum(map(int, counted.values())) == len(shown)


def test_json_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor(None, tmp_path, in_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(set(line) == {"level", "topic", "where", "what", "todo", "kind"} for line in told)
    kinds = [line["kind"] for line in told if line["level"] == Level.FAIL]
    assert code == (kinds[0] if kinds else 1)
    assert told[0]["topic"] == "config"
    assert "the defaults count" in told[0]["what"]


def test_a_kernel_that_does_not_answer_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: str, __: Path) -> None:
        raise LinkError("the kernel does not tell of its interfaces")

    monkeypatch.setattr(module, "gather", silent)
    (check,) = module._leg("eth1", None, Path("/"))
    assert (check.level, check.kind) == (Level.FAIL, LinkError)


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@pytest.mark.root
def test_nothing_is_sent_on_any_interface(namespace: Namespace, tmp_path: Path) -> None:
    """With a management interface that has an address, a default route and a name server to ask."""
    (tmp_path / "wardtap.toml").write_text('[tap]\nlegs = ["eth1"]\n[uplink]\nbroker = "mqtts://broker.example:8883"\n')
    namespace.add_cable("eth0", "site")
    namespace.run("ip", "address", "add", "192.0.2.7/24", "dev", "eth0")
    namespace.run("ip", "route", "add", "default", "via", "192.0.2.1")
    devices = ("eth0", "eth1", "ward", "site")
    before = [namespace.transmitted(device) for device in devices]
    command = [sys.executable, "-m", "agent", "doctor", "--state", str(tmp_path), "--json"]
    script = (
        "import subprocess, sys; print(subprocess.run(sys.argv[1:], stdout=1, check=False).returncode, file=sys.stderr)"
    )
    told = namespace.run(sys.executable, "-c", script, *command)
    assert [namespace.transmitted(device) for device in devices] == before
    found = [json.loads(line) for line in told.splitlines()]
    assert any(line["topic"] == "broker" and "not asked" in line["what"] for line in found)
    assert any(line["topic"] == "leg" and line["level"] == "ok" for line in found)
