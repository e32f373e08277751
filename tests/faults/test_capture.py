"""Legs that fail under a running sensor: told within ten seconds, taken up again within five, nothing miscounted."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.spool.reader import SpoolReader
from agent.wire import body
from agent.wire.finding import FindingRecord
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.faults.conftest import eventually
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.namespace import Namespace, cable

CONFIG = """[tap]
legs = {legs}
[summaries]
interval_s = 1
[metering]
flow_slots_max = 4096
edge_slots_max = 4096
device_slots_max = 256
fan_slots_max = 256
"""
HEAD = bytes([2, 0, 0, 0, 0, 1] * 2) + b"\x88\xb5"
TOLD_S, BACK_S = 10.0, 5.0

pytestmark = [pytest.mark.root, pytest.mark.skipif(THIN > 1, reason="too long without the JIT"), HASHES]


class Sensor:
    """A sensor in the namespace, as a process."""

    def __init__(self, namespace: Namespace, folder: Path, legs: list[str]) -> None:
        config = folder / "wardtap.toml"
        config.write_text(CONFIG.format(legs=legs).replace("'", '"'))
        self._spool = folder / "state" / "sensor" / "spool"
        words = ("sensor", "--config", str(config), "--state", str(folder / "state"))
        command = namespace.command(sys.executable, "-m", "agent", *words)
        self.child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert self.child.stderr is not None
        assert "listening on" in self.child.stderr.readline()

    def _records(self, kind: MessageType) -> list[dict[str, Any]]:
        return [
            body.decode(kind, record.body)[1] for record in SpoolReader(self._spool).records() if record.type == kind
        ]

    def findings(self, finding_id: str) -> list[FindingRecord]:
        """The findings of a kind in the spool."""
        found = map(FindingRecord.from_content, self._records(MessageType.FINDING))
        return [one for one in found if one.id == finding_id]

    def summaries(self) -> list[Summary]:
        """The summaries in the spool."""
        return [Summary.from_content(found) for found in self._records(MessageType.SUMMARY)]

    def heard(self) -> int:
        """Frames that the summaries tell of."""
        return sum(leg.frames for summary in self.summaries() for leg in summary.legs)

    def end(self) -> str:
        """As systemd stops it; what it said."""
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signal.SIGTERM)
        assert self.child.stderr is not None
        said = self.child.stderr.read()
        assert self.child.wait(30) == 0, said
        return said


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


@contextlib.contextmanager
def sensing(namespace: Namespace, folder: Path, *legs: str) -> Iterator[Sensor]:
    """A sensor that listens."""
    made = Sensor(namespace, folder, list(legs or ("eth1",)))
    try:
        yield made
    finally:
        if made.child.poll() is None:
            made.child.kill()
            made.child.wait()
        if made.child.stderr is not None:
            made.child.stderr.close()


def frames(count: int) -> list[bytes]:
    """Frames that no flow counts and a device does."""
    return [HEAD + number.to_bytes(2) + bytes(44) for number in range(count)]


def down(namespace: Namespace) -> None:
    namespace.link("eth1", "down")


def up(namespace: Namespace) -> None:
    namespace.link("eth1", "up")


def vanish(namespace: Namespace) -> None:
    namespace.run("ip", "link", "delete", "eth1")


def appear(namespace: Namespace) -> None:
    namespace.add_cable()


def pull(namespace: Namespace) -> None:
    namespace.link("ward", "down")


def plug(namespace: Namespace) -> None:
    namespace.link("ward", "up")


Act = Callable[[Namespace], None]
FAULTS = [
    pytest.param(down, up, "its interface is down", id="down"),
    pytest.param(vanish, appear, "its interface is not there any more", id="gone"),
    pytest.param(pull, plug, "its interface has no link", id="pulled"),
]


@pytest.mark.parametrize(("break_it", "mend_it", "because"), FAULTS)
def test_a_blind_leg_is_told_and_taken_up_again(
    namespace: Namespace, tmp_path: Path, break_it: Act, mend_it: Act, because: str
) -> None:
    with sensing(namespace, tmp_path) as sensor:
        namespace.put(frames(10))
        assert eventually(lambda: sensor.heard() == 10, 10)
        break_it(namespace)
        assert eventually(lambda: sensor.findings("tap-blind"), TOLD_S)
        mend_it(namespace)
        began = time.monotonic()
        while sensor.heard() == 10 and time.monotonic() < began + 2 * BACK_S:
            namespace.put(frames(1))
            time.sleep(0.25)
        assert time.monotonic() - began < BACK_S + 1.5, "an interval of a second has to close, too"
        (found,) = sensor.findings("tap-blind")
        assert f"Leg eth1 of the tap has heard nothing for 5 seconds, because {because}" in found.text
        assert found.cause.endswith("|tap-1"), "another tap that is blind is another cause"
        said = sensor.end()
        health = [summary.health for summary in sensor.summaries()]
    assert any("leg0_fault" in one for one in health)
    assert max(int(one.get("leg0_blind_ms", 0)) for one in health) >= 5000
    assert "leg0_fault" not in health[-1]
    assert "eth1: hears again" in said
    assert sum(leg.tx_packets for summary in sensor.summaries() for leg in summary.legs) == 0


def test_a_leg_that_sends_pages_whoever_sends(namespace: Namespace, tmp_path: Path) -> None:
    with sensing(namespace, tmp_path) as sensor:
        namespace.put(frames(3), "eth1")
        assert eventually(lambda: sensor.findings("tap-transmitted"), TOLD_S)
        (found,) = sensor.findings("tap-transmitted")
        assert "The tap has sent 3 frames on its leg eth1" in found.text
        assert found.severity == "page"
        sensor.end()
        legs = [leg for summary in sensor.summaries() for leg in summary.legs]
    assert legs[-1].tx_packets == 3
    assert legs[-1].frames == 0, "what it sends itself is not the ward's"


def test_told_to_end_under_load_every_frame_is_accounted_for(namespace: Namespace, tmp_path: Path) -> None:
    """Received = processed + ignored + dropped, exactly, after the drain; two legs, both busy when SIGTERM comes."""
    namespace.add_cable("eth2", "ward2")
    with sensing(namespace, tmp_path, "eth1", "eth2") as sensor:
        load = threading.Thread(target=namespace.put, args=(frames(40_000), "ward", "ward2"))
        load.start()
        try:
            assert eventually(lambda: sensor.heard() > 1000, 20)
            said = sensor.end()
        finally:
            load.join()
        told = sensor.summaries()
    heard = sum(summary.processed + sum(summary.ignored.values()) for summary in told)
    assert heard == sensor.heard()
    assert f"drained: {heard} frames" in said
    last = told[-1]
    assert {leg.dropped for leg in last.legs} == {0}
    assert not [key for key in last.health if key.startswith("leg") and key.endswith("_waiting")], (
        "nothing was left in a ring"
    )
    assert 1000 < heard <= 40_000
