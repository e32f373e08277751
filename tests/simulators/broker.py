"""A real mosquitto on a free loopback port: started, killed, started again, its memory deleted."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACES = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto")
START_S = 60.0  # a busy machine takes its time
_TAKEN: list[socket.socket] = []  # until this process ends


def mosquitto_path() -> str | None:
    """Where mosquitto is on this machine."""
    return shutil.which("mosquitto") or next((place for place in PLACES if os.access(place, os.X_OK)), None)


def free_port() -> int:
    """A loopback port for a program of this test and for nobody else, also while that program is dead.

    A socket that is bound and does not listen keeps it: the system gives the port to nobody who asks for any, and to no
    connection of another test. Who asks for this very one with SO_REUSEADDR, as every server does, gets it.
    """
    keeper = socket.socket()
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeper.bind(("127.0.0.1", 0))
    _TAKEN.append(keeper)
    return int(keeper.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def started(program: str, config: Path, port: int) -> subprocess.Popen[bytes]:
    """A broker with this configuration that accepts connections; what it says goes into a log beside the file."""
    told = config.with_suffix(".log")
    with told.open("ab") as log:
        process = subprocess.Popen([program, "-c", config], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + START_S
    while not answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"{Path(program).name} did not start: {told.read_text()[-500:]}")
        time.sleep(0.02)
    return process


class Mosquitto:
    """One broker; the port stays the same over restarts. `extra` are lines for its configuration."""

    def __init__(self, folder: Path, extra: str = "", listener: str = "", *, autosave: bool = True) -> None:
        program = mosquitto_path()
        if program is None:
            pytest.skip("mosquitto is not installed: apt-get install mosquitto")
        self._program, self.folder, self.port = program, folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        # root gives its rights away otherwise, and then cannot write into the test's folder
        saves = "autosave_interval 1\n" if autosave else ""  # its own default: every half an hour
        user = "user root\n" if os.geteuid() == 0 else ""
        (folder / "mosquitto.conf").write_text(
            f"{user}per_listener_settings false\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\n{saves}{extra}"
            f"listener {self.port} 127.0.0.1\n{listener}"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What goes into `uplink.broker`."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> "Mosquitto":
        """Start and wait until it accepts connections."""
        self._process = started(self._program, self.folder / "mosquitto.conf", self.port)
        return self

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """As on a machine that is stuck: links stay, the kernel takes new ones, nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self, *, forget: bool = False) -> None:
        """As kill -9; with `forget` its database is gone too."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
        if forget:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "mosquitto.db").unlink()


AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
config = {"listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:" + sys.argv[1]}},
          "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}}
async def main():
    broker = Broker(config)
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


class EmbeddedBroker:
    """The demo's broker (amqtt, MQTT 3.1.1 only) in a process of its own."""

    def __init__(self) -> None:
        pytest.importorskip("amqtt", reason="amqtt comes with the extra [demo]")
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What goes into `uplink.broker`."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> "EmbeddedBroker":
        """Start and wait until it accepts connections."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", AMQTT, str(self.port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_S
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("amqtt did not start")
            time.sleep(0.05)
        return self

    def kill(self) -> None:
        """As kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Nats:
    """Debian's nats-server with its MQTT 3.1.1 door on a free loopback port."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
        if program is None:
            pytest.skip("nats-server is not installed: apt-get install nats-server")
        self._program, self.folder, self.port = program, folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "nats.conf").write_text(
            f'server_name: one\nlisten: "127.0.0.1:{free_port()}"\njetstream {{ store_dir: "{folder}/js" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}" }}\n'
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Nats":
        """Start and wait until it accepts connections."""
        self._process = started(self._program, self.folder / "nats.conf", self.port)
        return self

    def kill(self) -> None:
        """As kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class NatsCluster:
    """Three of them as one: what one has taken, two have written down; any may be killed and the others go on."""

    def __init__(self, folder: Path, members: int = 3) -> None:
        self._one = [Nats(folder / f"n{number}") for number in range(members)]
        routes = [free_port() for _ in self._one]
        told = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        for number, (member, port) in enumerate(zip(self._one, routes, strict=True)):
            config = member.folder / "nats.conf"
            text = config.read_text().replace("server_name: one", f"server_name: n{number}")
            text = text.replace(f':{member.port}" }}', f':{member.port}", stream_replicas: {members} }}')
            cluster = f'cluster {{ name: ward, listen: "127.0.0.1:{port}", routes: [{told}] }}\n'
            config.write_text(text + cluster)

    @property
    def ports(self) -> list[int]:
        """Each member's MQTT door."""
        return [member.port for member in self._one]

    @property
    def url(self) -> str:
        """What goes into `uplink.broker`."""
        return "mqtt://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self) -> "NatsCluster":
        """Start all; they need some seconds to agree."""
        for member in self._one:
            member.start()
        return self

    def kill(self, port: int | None = None) -> None:
        """As kill -9: the member with this port, or all."""
        for member in self._one:
            if port in {None, member.port}:
                member.kill()
