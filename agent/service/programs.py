"""The demo's programs: started as a person would start them, their output kept in files, ended in reverse order."""

import os
import shutil
import socket  # the demo asks the system for a free loopback port; no program of the appliance has sockets of its own
import subprocess
import sys
from pathlib import Path

from agent.clock import SystemClock
from agent.errors import LinkError, StateError

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60.0  # compiling kernels is done before; this is for a slow card
STOP_TIMEOUT_S = 15.0
TAIL_OCTETS = 600


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Programs:
    """Child processes of the demo."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._clock = folder, SystemClock()
        self._running: dict[str, tuple[subprocess.Popen[bytes], tuple[str, ...]]] = {}

    def start(self, name: str, *command: str) -> None:
        """Start in the background; its words go to NAME.log."""
        with (self._folder / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(  # noqa: S603 - our own programs and a broker found on PATH
                list(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment()
            )
        self._running[name] = child, command

    def module(self, name: str, module: str, *arguments: str) -> None:
        """Start one of our own programs."""
        self.start(name, sys.executable, "-m", module, *arguments)

    def wait_for_port(self, name: str, port: int) -> None:
        """Until it listens; LinkError with its last words when it does not."""
        deadline_ns = self._clock.mono_ns() + int(START_TIMEOUT_S * 1e9)
        while not answers(port):
            self.check()
            if self._clock.mono_ns() > deadline_ns:
                raise LinkError(f"{name} does not listen on port {port}", todo=self.last_words(name))
            self._clock.sleep(0.1)

    def check(self, *kept_up: str) -> None:
        """StateError when one of them has ended by itself.

        One of `kept_up` that ended in order is started again, as a service manager does: a command may have asked.
        """
        for name, (child, command) in self._running.items():
            code = child.poll()
            if code == 0 and name in kept_up:
                self.start(name, *command)
            elif code is not None:
                raise StateError(f"{name} ended with exit code {code}", todo=self.last_words(name))

    def last_words(self, name: str) -> str:
        """The end of a program's output."""
        text = (self._folder / f"{name}.log").read_bytes()[-TAIL_OCTETS:].decode(errors="replace").strip()
        return text.splitlines()[-1] if text else "it said nothing"

    def stop(self) -> None:
        """End them, the last one first."""
        for child, _ in reversed(self._running.values()):
            if child.poll() is None:
                child.terminate()
                try:
                    child.wait(STOP_TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self._running.clear()


def environment() -> dict[str, str]:
    """The children run this checkout's code, wherever the person stands."""
    path = os.environ.get("PYTHONPATH", "")
    return os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{path}" if path else str(ROOT), "PYTHONUNBUFFERED": "1"}


def mosquitto() -> str | None:
    """A mosquitto on this machine: Debian puts it where only root's PATH looks."""
    return shutil.which(
        "mosquitto", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
    )


def foreground(*arguments: str) -> int:
    """Run one of our own programs to its end, its words on this terminal."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=environment(), check=False).returncode  # noqa: S603 - our own program
