"""Legs that fail under a running sensor: told within ten seconds, taken up again within five, nothing miscounted."""

import math
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.wire.summary import Summary
from tests.conftest import ROOT
from tests.faults.conftest import eventually
from tests.faults.sensing import CONFIG, Sensor, frames, sensing, spooled_findings, stopped
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.lateness import waited_s
from tests.simulators.namespace import Namespace, cable

TOLD_S, BACK_S = 10.0, 5.0
S = 1_000_000_000
# A sensor whose wall clock runs fifteen times as fast: a minute of silence takes four seconds. From one look to the
# next it goes on by less than a second, however long a busy machine lets the sensor wait.
HASTY = """
import sys
from pathlib import Path
from agent.clock import SystemClock
from agent.config import load
from agent.service.sensor import run
class Hasty(SystemClock):
    now_ns = last_ns = SystemClock().wall_ns()
    def wall_ns(self):
        last_ns, self.last_ns = self.last_ns, super().wall_ns()
        self.now_ns += min(15 * (self.last_ns - last_ns), 900_000_000)
        return self.now_ns
raise SystemExit(run(load(Path(sys.argv[1])), Path(sys.argv[2]), clock=Hasty()))
"""

pytestmark = [pytest.mark.root, pytest.mark.skipif(THIN > 1, reason="too long without the JIT"), HASHES]


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A cable of its own."""
    with cable() as made:
        yield made


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


def heard(summary: Summary) -> int:
    """Frames of an interval."""
    return sum(leg.frames for leg in summary.legs)


def until_heard(namespace: Namespace, sensor: Sensor, before: int) -> float:
    """Put frames until one is told; the longest time between two, in seconds."""
    times = [time.monotonic()]

    def told() -> bool:
        namespace.put(frames(1))
        times.append(time.monotonic())
        return sensor.heard() > before

    assert eventually(told)
    return max(later - one for one, later in pairwise(times))


@pytest.mark.parametrize(("break_it", "mend_it", "because"), FAULTS)
def test_a_blind_leg_is_told_and_taken_up_again(
    namespace: Namespace, tmp_path: Path, break_it: Act, mend_it: Act, because: str
) -> None:
    with sensing(namespace, tmp_path) as sensor:
        namespace.put(frames(10))
        assert eventually(lambda: sensor.heard() == 10)
        break_it(namespace)
        broken_ns = time.time_ns()
        assert eventually(lambda: sensor.findings("tap-blind"))
        mend_it(namespace)
        mended_ns = time.time_ns()
        apart_s = until_heard(namespace, sensor, 10)
        busy_s = waited_s(sensor.child.pid)
        (found,) = sensor.findings("tap-blind")
        assert found.last_ns - broken_ns <= (TOLD_S + busy_s) * S
        since = [one.interval for one in sensor.summaries() if one.interval.end_ns > mended_ns and heard(one)]
        assert since[0].end_ns - mended_ns <= (BACK_S + 1 + apart_s + busy_s) * S, "an interval has to close, too"
        told = re.search(f"Leg eth1 of the tap has heard nothing for (.*) seconds, because {because}", found.text)
        assert told
        assert 5 <= int(told[1]) <= 5 + math.ceil(busy_s)
        assert found.cause.endswith("|tap-1"), "another tap that is blind is another cause"
        said = sensor.end()
        health = [summary.health for summary in sensor.summaries()]
    assert any("leg0_fault" in one for one in health)
    assert max(int(one.get("leg0_blind_ms", 0)) for one in health) >= 5000
    assert "leg0_fault" not in health[-1]
    assert "eth1: hears again" in said
    assert sum(leg.tx_packets for summary in sensor.summaries() for leg in summary.legs) == 0


def test_a_link_that_carries_nothing_is_told_within_two_minutes(namespace: Namespace, tmp_path: Path) -> None:
    """C12: a mirror port that mirrors nothing has a link all the same."""
    config, state = tmp_path / "wardtap.toml", tmp_path / "state"
    config.write_text(CONFIG.format(legs='["eth1"]', buffer=32 << 20))
    command = namespace.command(sys.executable, "-c", HASTY, str(config), str(state))
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            assert "listening on" in child.stderr.readline()
            namespace.put(frames(3))
            assert eventually(lambda: spooled_findings(state, "tap-blind"))
        finally:
            child.terminate()
        assert child.wait(60) == 0
    (found,) = spooled_findings(state, "tap-blind")
    assert "No leg of the tap has heard a single frame for 9" in found.text
    assert found.last_ns - found.first_ns <= 120 * 10**9


def test_jumbo_frames_and_a_promiscuous_mode_that_somebody_clears(namespace: Namespace, tmp_path: Path) -> None:
    """C11: the leg asked for it itself, so nobody else's word ends it; a longer frame is one frame, with its length."""
    with sensing(namespace, tmp_path) as sensor:
        for device in ("eth1", "ward"):
            namespace.link(device, "mtu", "9000")
        for mode in ("on", "off"):
            namespace.link("eth1", "promisc", mode)
        assert namespace.promiscuity("eth1") >= 1
        namespace.put([*frames(4), frames(1)[0].ljust(9014, b"\0")])
        assert eventually(lambda: sensor.heard() == 5)
        sensor.end()
        octets = sum(leg.octets for summary in sensor.summaries() for leg in summary.legs)
    assert octets == 4 * len(frames(1)[0]) + 9014


def test_a_leg_that_sends_pages_whoever_sends(namespace: Namespace, tmp_path: Path) -> None:
    with sensing(namespace, tmp_path) as sensor:
        with stopped(sensor):
            namespace.put(frames(3), "eth1")  # seen together: what follows the first would fold
            sent_ns = time.time_ns()
        assert eventually(lambda: sensor.findings("tap-transmitted"))
        (found,) = sensor.findings("tap-transmitted")
        assert found.last_ns - sent_ns <= (TOLD_S + waited_s(sensor.child.pid)) * S
        assert "The tap has sent 3 frames on its leg eth1" in found.text
        assert found.severity == "page"
        sensor.end()
        legs = [leg for summary in sensor.summaries() for leg in summary.legs]
    assert legs[-1].tx_packets == 3
    assert legs[-1].frames == 0, "what it sends itself is not the ward's"


def test_told_to_end_under_load_every_frame_is_accounted_for(namespace: Namespace, tmp_path: Path) -> None:
    """Received = processed + ignored + dropped, exactly, after the drain; two legs, both busy when SIGTERM comes."""
    namespace.add_cable("eth2", "ward2")
    with sensing(namespace, tmp_path, "eth1", "eth2", buffer_mib=128) as sensor:  # nobody may read for 20 s
        load = threading.Thread(target=namespace.put, args=(frames(15_000), "ward", "ward2"), kwargs={"gap_ms": 0.1})
        load.start()
        try:
            assert eventually(lambda: sensor.heard() > 1000)
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
    assert 1000 < heard <= 15_000
