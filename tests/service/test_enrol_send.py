"""The request over a real broker to a desk that waits for it, and what is said when there is none."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.ctl.cli import main
from agent.errors import LinkError
from agent.service.enrol import enrol
from agent.service.enrol_send import send
from agent.signing.envelope import open_enrol
from tests.faults.conftest import eventually
from tests.service.test_enrol import kit_of
from tests.simulators.broker import Mosquitto
from tests.simulators.kit import SITE, Kit


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    made = Mosquitto(tmp_path / "broker").start()
    yield made
    made.kill()


@pytest.mark.broker
def test_a_desk_that_waits_gets_it_and_shows_the_fingerprint(
    tmp_path: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    clock, kit = SystemClock(), kit_of(Kit(tmp_path / "elsewhere"), broker=broker.url)
    shown = enrol(kit, tmp_path, SITE, "tap-9", clock)
    out, codes = tmp_path / "enrol.bin", list[int]()
    words = ["enrol", "wait", "tap-9", "--site", SITE, "--broker", broker.url, "--out", str(out), "--wait", "150"]
    desk = threading.Thread(target=lambda: codes.append(main(words)))
    desk.start()
    assert eventually(lambda: _sent(kit, tmp_path, clock, out))
    desk.join()
    assert codes == [0]
    assert open_enrol(out.read_bytes())[1].fingerprint == shown
    assert shown in capsys.readouterr().out


def _sent(kit: object, state: Path, clock: SystemClock, out: Path) -> bool:
    """The desk may not listen yet: who sends cannot know, and sends again."""
    send(kit, state, clock)  # type: ignore[arg-type]
    return out.exists()


def test_without_a_broker_it_is_said_what_to_do(tmp_path: Path) -> None:
    kit = kit_of(Kit(tmp_path / "elsewhere"), broker="mqtt://127.0.0.1:1")
    enrol(kit, tmp_path, SITE, "tap-9", SystemClock())
    with pytest.raises(LinkError, match="not sent"):
        send(kit, tmp_path, SystemClock(), 0.3)


@pytest.mark.broker
def test_nobody_asks(tmp_path: Path, broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "enrol.bin"
    words = ["enrol", "wait", "tap-9", "--site", SITE, "--broker", broker.url, "--out", str(out), "--wait", "0.3"]
    assert main(words) == 5
    assert "no request" in capsys.readouterr().err
    assert not out.exists()
