"""The whole sensor told to pause, and set to another configuration: two starts, as by a service."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent.clock import CaptureClock, Clock, SystemClock, boot_id
from agent.commands.desired import Held, Shelf, Version, text_hash
from agent.commands.requests import Request, submit
from agent.config import Config, StateConfig
from agent.service import pause
from agent.service.sensor import run
from agent.wire.command import Receipt
from agent.wire.types import MessageType
from tests.service.bench import small
from tests.service.test_sensor import SilentLegs, spooled, summaries
from tests.simulators.bursts import HASHES

pytestmark = HASHES
S = 1_000_000_000
REAL_WAIT = pause.wait


def receipts(state: Path) -> list[Receipt]:
    """What the sensor answered, in the order of its spool."""
    return [Receipt.from_content(content) for kind, _, content in spooled(state) if kind == MessageType.RECEIPT]


def start(config: Config, state: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    """One run on legs where nothing comes, until it is told to end or after some turns."""
    stop = threading.Event()
    monkeypatch.setattr("agent.service.sensor.open_legs", lambda _: SilentLegs(stop, turns))
    assert run(config, state, stop=stop, say=said.append) == 0


@pytest.mark.parametrize("name", ["restart", "quiesce"])
def test_told_to_pause_it_drains_and_says_done_when_it_listens_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, slept = list[str](), list[float]()
    args: dict[str, Any] = {"what": "sensor"} if name == "restart" else {"seconds": 10}
    soon_ns = SystemClock().mono_ns() + 60 * S
    submit(tmp_path / "requests", Request(bytes(16), name, args, boot_id(), soon_ns))
    monkeypatch.setattr(pause, "wait", partial(_waiting, slept))
    start(small(), tmp_path, said, monkeypatch, 1200)
    assert receipts(tmp_path) == []
    start(small(), tmp_path, said, monkeypatch, 2)
    assert f"{name}: ends now" in said
    assert [(receipt.name, receipt.state) for receipt in receipts(tmp_path)] == [(name, "done")]
    assert (sum(slept) >= 9) == (name == "quiesce")
    assert pause.read(tmp_path) is None


def _waiting(slept: list[float], state: Path, boot: bytes, _clock: Clock, stop: threading.Event) -> Receipt | None:
    """The real wait, on a clock that passes at once."""
    quick = CaptureClock(SystemClock().mono_ns())
    began_ns = quick.now_ns
    receipt = REAL_WAIT(state, boot, quick, stop)
    slept.append((quick.now_ns - began_ns) / S)
    return receipt


def test_a_desired_configuration_is_in_force_and_a_bad_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = list[str]()
    present = small()._replace(state=StateConfig(str(tmp_path)))
    shelf = Shelf(tmp_path / "uplink")
    for number, wanted in enumerate(("interval_s = 7", "of_the_future = 7"), 1):
        text = f'[state]\ndirectory = "{tmp_path}"\n[summaries]\n{wanted}\n'
        shelf.put(Held(bytes([number] * 16), Version(number, text_hash(text)), text))
        start(present, tmp_path, said, monkeypatch, 1)
    assert len([line for line in said if "desired configuration is not used" in line and "of_the_future" in line]) == 1
    hashes = [summary.health["config"] for summary in summaries(tmp_path)]
    assert hashes[-1] == present.sha256[:16]
    assert hashes[0] != hashes[-1]
