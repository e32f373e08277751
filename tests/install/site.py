"""What stands around a tap that boots: mosquitto, a collector, a desk, and a cable with frames on it."""

import contextlib
import http.client
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import ROOT
from tests.install.booted import PATIENCE_S, NotHeldError, until
from tests.install.prepared import BROKER, PORT, SITE, TAP, Prepared
from tests.simulators.broker import mosquitto_path
from tests.simulators.namespace import SENDER

PAGE_PORT = 18080
BROKER_CONFIG = f"""user root
allow_anonymous true
persistence true
persistence_location {{folder}}/
max_packet_size 262144
listener {PORT} 127.0.0.1
"""


class Asked:
    """`wardtapctl update-to` that waits for its last receipt."""

    def __init__(self, words: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self._child = subprocess.Popen(words, cwd=ROOT, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def wait(self) -> str:
        """Its receipts and how it ended, as a person sees them."""
        self._child.wait(PATIENCE_S)
        return self._log.read_text()

    def kill(self) -> None:
        """Whatever it does."""
        self._child.kill()
        self._child.wait()


class Site:
    """All of it, in the network of whoever enters."""

    def __init__(self, made: Prepared) -> None:
        self._made, self._running, self._asked = made, list[subprocess.Popen[bytes]](), list[Asked]()
        self.folder = made.folder / "site"
        self.folder.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        program = mosquitto_path()
        assert program is not None, "who enters has looked"
        (self.folder / "mosquitto.conf").write_text(BROKER_CONFIG.format(folder=self.folder))
        self._start("mosquitto", program, "-c", str(self.folder / "mosquitto.conf"))
        words = ("-m", "agent.collector.cli", "run", "--state", str(self._made.lab.collector), "--broker", BROKER)
        self._start("collector", sys.executable, *words, "--listen", f"127.0.0.1:{PAGE_PORT}")
        until(self._answers, "the collector's page answers")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for asked in self._asked:
            asked.kill()
        for child in reversed(self._running):
            child.terminate()
            try:
                child.wait(60)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def ask(self, release: str) -> Asked:
        """As a custodian does at the desk."""
        desk = self._made.lab.operator
        words = [sys.executable, "-m", "agent.ctl.cli", "update-to", release, "--agent", TAP, "--site", SITE, "--json"]
        words += ["--key", str(desk / "custodian.key"), "--trust", str(desk / "trust.bin"), "--broker", BROKER]
        asked = Asked([*words, "--wait", str(PATIENCE_S / 2)], self.folder / f"asked-{len(self._asked)}")
        self._asked.append(asked)
        return asked

    def put(self, frames: list[bytes]) -> None:
        """On the cable."""
        lines = "".join(f"ward 0 {frame.hex()}\n" for frame in frames)
        subprocess.run([sys.executable, "-c", SENDER], input=lines, text=True, check=True, timeout=PATIENCE_S)

    def stored(self) -> int:
        """Records of the sensor that the collector has."""
        streams = [stream for tap in self._get("/api/taps.json")["taps"] for stream in tap["streams"]]
        return sum(stream["stored"] for stream in streams if stream["stream"] == "sensor")

    def devices(self) -> int:
        """On the page."""
        return len(self._get("/api/devices.json")["devices"])

    def noted(self, state: str) -> list[dict[str, Any]]:
        """Receipts of updates that the collector has written into its log, by how they ended."""
        lines = [json.loads(line) for line in (self._made.lab.collector / "audit.log").read_text().splitlines()]
        return [line for line in lines if line.get("command") == "update-to" and line.get("state") == state]

    def _start(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._running.append(child)

    def _answers(self) -> bool:
        for child in self._running:
            if child.poll() is not None:
                raise NotHeldError(f"{child.args!r} ended: see {self.folder}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return bool(self._get("/api/taps.json"))
        return False

    def _get(self, path: str) -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", PAGE_PORT, timeout=60)) as line:
            line.request("GET", path)
            return json.loads(line.getresponse().read())
