"""A sensor as a process on a cable of its own, and what it wrote into its spool."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.spool.reader import SpoolReader
from agent.wire import body
from agent.wire.finding import FindingRecord
from agent.wire.summary import Summary
from agent.wire.types import MessageType
from tests.conftest import ROOT
from tests.simulators.namespace import Namespace

CONFIG = """[tap]
legs = {legs}
buffer_bytes = {buffer}
[summaries]
interval_s = 1
[metering]
flow_slots_max = 4096
edge_slots_max = 4096
device_slots_max = 256
fan_slots_max = 256
"""
HEAD = bytes([2, 0, 0, 0, 0, 1] * 2) + b"\x88\xb5"


def _spooled(state: Path, kind: MessageType) -> list[dict[str, Any]]:
    spool = SpoolReader(state / "sensor" / "spool")
    return [body.decode(kind, record.body)[1] for record in spool.records() if record.type == kind]


def spooled_findings(state: Path, finding_id: str) -> list[FindingRecord]:
    """The findings of a kind in the spool of a sensor."""
    found = map(FindingRecord.from_content, _spooled(state, MessageType.FINDING))
    return [one for one in found if one.id == finding_id]


class Sensor:
    """A sensor in the namespace, as a process."""

    def __init__(
        self, namespace: Namespace, folder: Path, legs: list[str], *, under: Sequence[str] = (), buffer_mib: int = 32
    ) -> None:
        config = folder / "wardtap.toml"
        config.write_text(CONFIG.format(legs=legs, buffer=buffer_mib << 20).replace("'", '"'))
        self._state = folder / "state"
        words = ("sensor", "--config", str(config), "--state", str(self._state))
        command = namespace.command(*under, sys.executable, "-m", "agent", *words)
        self.child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        assert self.child.stderr is not None
        assert "listening on" in self.child.stderr.readline()

    def findings(self, finding_id: str) -> list[FindingRecord]:
        """The findings of a kind in the spool."""
        return spooled_findings(self._state, finding_id)

    def summaries(self) -> list[Summary]:
        """The summaries in the spool."""
        return [Summary.from_content(found) for found in _spooled(self._state, MessageType.SUMMARY)]

    def heard(self) -> int:
        """Frames that the summaries tell of."""
        return sum(leg.frames for summary in self.summaries() for leg in summary.legs)

    def dropped(self) -> int:
        """Frames that the summaries say the kernel lost; each tells the leg's sum since takeover."""
        return max((leg.dropped for summary in self.summaries() for leg in summary.legs), default=0)

    def accounted(self) -> int:
        """Frames that were heard or are known to be lost."""
        return self.heard() + self.dropped()

    def end(self) -> str:
        """As systemd stops it; what it said."""
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signal.SIGTERM)
        assert self.child.stderr is not None
        said = self.child.stderr.read()
        assert self.child.wait(60) == 0, said
        return said


@contextlib.contextmanager
def stopped(sensor: Sensor) -> Iterator[None]:
    """The program stands still and the kernel goes on."""
    sensor.child.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        sensor.child.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def sensing(
    namespace: Namespace, folder: Path, *legs: str, under: Sequence[str] = (), buffer_mib: int = 32
) -> Iterator[Sensor]:
    """A sensor that listens; `under` is a command that runs it with less than it would have."""
    made = Sensor(namespace, folder, list(legs or ("eth1",)), under=under, buffer_mib=buffer_mib)
    try:
        yield made
    finally:
        if made.child.poll() is None:
            made.child.send_signal(signal.SIGCONT)
            made.child.kill()
            made.child.wait()
        if made.child.stderr is not None:
            made.child.stderr.close()


def frames(count: int) -> list[bytes]:
    """Frames that no flow counts and a device does."""
    return [HEAD + number.to_bytes(2) + bytes(44) for number in range(count)]


def feed(child: subprocess.Popen[bytes], octets: bytes, asked: threading.Event) -> None:
    """A capture on its standard input that does not end before `asked`: how fast the machine is makes no difference."""
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(octets)
        child.stdin.flush()
        asked.wait(600)
