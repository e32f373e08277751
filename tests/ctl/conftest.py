"""A lab in a temporary folder, and the tap that its table knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.ctl.lab import Lab, make_lab
from agent.signing.keys import PrivateKey
from agent.signing.roster import Trust
from agent.signing.trust import load_trust
from tests.simulators.broker import Mosquitto
from tests.simulators.reporter import Reporter


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Made as `wardtapctl lab` makes it."""
    return make_lab(tmp_path / "lab", site="ward", agent="tap-1", broker="mqtt://127.0.0.1:1883", clock=SystemClock())


@pytest.fixture
def trust(lab: Lab) -> Trust:
    """Its table."""
    return load_trust(lab.operator / "trust.bin")


@pytest.fixture
def tap(lab: Lab) -> Reporter:
    """The tap that the table knows."""
    return Reporter(key=PrivateKey.load(lab.agent / "uplink" / "agent.key"))


@pytest.fixture
def operator(lab: Lab) -> PrivateKey:
    """A person's key."""
    return PrivateKey.load(lab.operator / "operator.key")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real one."""
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.kill()
