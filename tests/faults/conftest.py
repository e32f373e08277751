"""A ward's uplink with everything around it real but the collector: spool, broker, process."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.clock import SystemClock, boot_id
from agent.spool.reader import SpoolReader
from agent.spool.records import Identity, SpoolLimits
from agent.spool.writer import SpoolWriter
from agent.wire.finding import finding_content
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.simulators.broker import Mosquitto
from tests.simulators.collector import CollectorSimulator
from tests.simulators.kit import AGENT, SITE, Kit

RUN = """
import sys
from pathlib import Path
from agent.service.uplink import run
from tests.simulators.kit import Kit
state, broker = Path(sys.argv[1]), sys.argv[2]
raise SystemExit(run(Kit(state).config(resend_after_s=1), state, broker))
"""
QUICK = SpoolLimits(gather_bulk_s=0.01, gather_urgent_s=0.002)


class UplinkProcess:
    """`wardtap uplink` as a process of its own."""

    def __init__(self, state: Path, broker: str) -> None:
        self._state, self._broker = state, broker
        self._process: subprocess.Popen[bytes] | None = None
        self.log = state / "uplink.log"

    def start(self) -> "UplinkProcess":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", RUN, self._state, self._broker], stdout=log, stderr=log
            )
        return self

    def kill(self) -> None:
        """As kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait(self) -> int:
        """Until it ends by itself; its exit code."""
        assert self._process is not None
        code = self._process.wait(120)
        self._process = None
        return code

    def end(self) -> int:
        """As systemd stops it; its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(60)
        self._process = None
        return code


SENSE = """
import sys, time
from pathlib import Path
from agent.clock import SystemClock, boot_id
from agent.spool.records import Identity
from agent.spool.writer import SpoolWriter
from agent.wire.summary import Interval, Summary
from agent.wire.types import MessageType
from tests.faults.conftest import QUICK, finding
from tests.simulators.kit import AGENT, SITE
identity = Identity(AGENT, SITE, "sensor", boot_id())
writer = SpoolWriter.open(Path(sys.argv[1]) / "sensor" / "spool", identity, SystemClock(), QUICK)
print("ready", flush=True)
number = 0
while True:
    number += 1
    writer.append(MessageType.FINDING, finding(number))
    writer.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())
    time.sleep(0.003)
"""


class SensorProcess:
    """A sensor's spool in a process of its own, writing until it is killed."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def start(self) -> "SensorProcess":
        self._process = subprocess.Popen([sys.executable, "-c", SENSE, self._state], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def kill(self) -> None:
        """As kill -9."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Ward:
    """Everything of one test; ends it all afterwards."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.kit = Kit(self.state).lay()
        self.broker = Mosquitto(folder / "broker").start()
        self.collector = CollectorSimulator(self.kit, self.broker.url).start()
        self.uplink = UplinkProcess(self.state, self.broker.url).start()
        self.sensor = self.open_sensor()

    def open_sensor(self) -> SpoolWriter:
        """The sensor's spool, a run of its own each time."""
        identity = Identity(AGENT, SITE, "sensor", boot_id())
        return SpoolWriter.open(self.state / "sensor" / "spool", identity, SystemClock(), QUICK)

    def record(self, number: int) -> None:
        """What a sensor writes: mostly summaries, now and then a finding."""
        if number % 5 == 0:
            self.sensor.append(MessageType.FINDING, finding(number))
        else:
            self.sensor.append(MessageType.SUMMARY, Summary(Interval(number, number + 1)).to_content())

    def durable(self) -> dict[tuple[str, bytes, str, int], bytes]:
        """All that lies in both spools."""
        found = {}
        for stream, folder in (
            ("sensor", self.state / "sensor" / "spool"),
            ("uplink", self.state / "uplink" / "spool"),
        ):
            for record in SpoolReader(folder, stream).records():
                found[AGENT, record.run, stream, record.seq] = record.body
        return found

    def delivered(self) -> bool:
        """Whether every durable record is at the collector."""
        return set(self.durable()) <= set(self.collector.stored)

    def end(self) -> None:
        self.uplink.kill()
        self.collector.stop()
        self.broker.kill()
        self.sensor.close(1)


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    yield made
    made.end()


def eventually(true: Callable[[], bool], within_s: float = 120.0) -> bool:
    """Whether it becomes true; the bound is for what hangs, and no claim on how long anything takes."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def finding(number: int) -> dict[str, object]:
    """A finding's content."""
    return finding_content(
        SimpleNamespace(
            id="internet-contact",
            severity="page",
            mac=0x001122334455,
            role="infusion-pump",
            tier="vital",
            time_ns=number,
            first_ns=number,
            last_ns=number,
            count=1,
            sentence="An infusion pump talks to the internet.",
            evidence=(("peer", "public"),),
            attack=("T1071",),
            cause=f"internet-contact-{number}",
            expected="talks to its gateway",
            next_step="look who stands at the pump",
        )
    )
