"""A real mosquitto on a free port of this machine, started, killed and started again by its process id."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PLACES = ("mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
MISSING = "no mosquitto on this machine (apt install mosquitto)"
CONFIG = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_packet_size 262144\n"


def mosquitto_path() -> str | None:
    """Where it is, None when it is not."""
    return next((found for place in PLACES if (found := shutil.which(place))), None)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Mosquitto:
    """Runs inside `with`; `more` lines go into its configuration."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._config = folder / "mosquitto.conf"
        self._config.write_text(CONFIG.format(port=self.port) + more)
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop it."""
        self.stop(signal.SIGTERM)

    def start(self) -> None:
        """Start (again) on the same port."""
        path = mosquitto_path()
        assert path is not None
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([path, "-c", self._config], stdout=log, stderr=log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(self._log.read_text())

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill it, politely or not."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(10)
