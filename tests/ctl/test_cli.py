import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.collector.intake import judge
from agent.collector.records import Arrival
from agent.collector.store.writer import Store
from agent.collector.web.server import PageServer
from agent.ctl.cli import main
from agent.ctl.lab import Lab
from agent.signing.packs import open_pack
from agent.signing.trust import load_trust
from tests.collector.conftest import batch_of
from tests.simulators.reporter import START_NS, Reporter, trust_of


@pytest.fixture
def page(tmp_path: Path) -> Iterator[str]:
    """A real page of a collector that has heard one tap."""
    tap = Reporter()
    store = Store.open(tmp_path / "state")
    messages = (tap.summary(), tap.finding())
    store.commit(batch_of([judge(Arrival(*message, START_NS), trust_of(tap)) for message in messages]))
    store.close()
    server = PageServer("127.0.0.1:0", tmp_path / "state", SystemClock(), str)
    server.start()
    yield server.url
    server.stop()


def out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_lists_of_a_real_collector(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "internet-contact" in out(capsys, "list", "--page", page)
    assert "patient-monitor" in out(capsys, "list", "devices", "--page", page)
    assert "tap-1" in out(capsys, "list", "taps", "--page", page)
    assert json.loads(out(capsys, "list", "--json", "--page", page))[0]["severity"] == "page"


def test_one_device_and_one_finding(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "role: infusion-pump" in out(capsys, "show", "00:D0:75:18:42:9b", "--page", page)
    assert "id: internet-contact" in out(capsys, "show", "1", "--page", page)
    for name in ("99", "ff:ff:ff:ff:ff:ff", "../../etc"):
        assert main(["show", name, "--page", page]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_a_lab_tells_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "lab", str(tmp_path / "lab"))
    for command in ("mosquitto -c", "wardtap-collector run", "wardtap sensor", "wardtap uplink", "wardtapctl command"):
        assert command in text
    assert main(["lab", str(tmp_path / "lab")]) == 7
    assert main(["lab", str(tmp_path / "other"), "--site", "Not A Site"]) == 2


def test_a_pack_is_signed_and_verifies(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "signals.toml").write_text('version = "1"\n')
    named = ("--name", "ward-devices", "--site", "ward", "--serial", "2")
    said = out(capsys, "pack", "sign", str(folder), *named, "--key", str(lab.operator / "engineer.key"))
    assert "ward-devices 2" in said
    opened = open_pack(folder, load_trust(lab.operator / "trust.bin"))
    assert (opened.serial, opened.signers) == (2, ("engineer",))
    (folder / "run.sh").write_text("")
    assert main(["pack", "sign", str(folder), *named, "--key", str(lab.operator / "engineer.key")]) == 2
    assert "run.sh" in capsys.readouterr().err


def test_keys_show(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    assert "private key" in out(capsys, "keys", "show", str(lab.operator / "operator.key"))
    assert "custodian" in out(capsys, "keys", "show", str(lab.operator / "trust.bin"))


def test_a_wrong_argument_is_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["command"])
    assert ended.value.code == 2
