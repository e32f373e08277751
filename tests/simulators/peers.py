"""Two machines on a cable, each in a network namespace of its own, for real programs; every frame on it is kept."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex

import pytest

from tests.conftest import ROOT
from tests.forge.pcap import Frame

# Writes `time_ns hexadecimal` for each frame of a device; ends with its standard input.
RECORDER = """
import select, socket, sys, time
heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
heard.bind((sys.argv[1], 0))
print("ready", flush=True)
while True:
    ready = select.select([heard, sys.stdin], [], [])[0]
    if heard in ready:
        print(time.time_ns(), heard.recv(65536).hex(), flush=True)
    elif sys.stdin in ready:
        break
"""
READY_S = 60.0  # waited for by condition: only a loaded machine needs more than a second


@dataclass(frozen=True)
class Machine:
    """One end: its namespace, card and address."""

    space: str
    mac: str
    ip: str

    def command(self, *words: str) -> list[str]:
        """A command that runs there."""
        return ["nsenter", f"--net=/run/netns/{self.space}", *words]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run there to its end."""
        return subprocess.run(
            self.command(*words),
            check=check,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )

    def listens(self, port: int, kind: str = "t") -> None:
        """Wait until something listens on a port."""
        end = time.monotonic() + READY_S
        while f":{port} " not in self.run("ss", f"-Hln{kind}").stdout:
            assert time.monotonic() < end, f"nothing listens on {port}"
            time.sleep(0.02)


class Segment:
    """The two machines, the programs that run on them, and what went over their cable."""

    def __init__(self, client: Machine, server: Machine, stack: ExitStack) -> None:
        self.client, self.server, self._stack = client, server, stack
        self._recorder = self.start(client, sys.executable, "-c", RECORDER, "end", pipes=True)
        assert self._recorder.stdout is not None
        assert self._recorder.stdout.readline() == "ready\n"
        self._told: list[str] = []  # read all the time: a full pipe would make the recorder miss frames
        self._reader = threading.Thread(target=self._told.extend, args=(self._recorder.stdout,), daemon=True)
        self._reader.start()

    def start(self, machine: Machine, *words: str, pipes: bool = False) -> subprocess.Popen[str]:
        """A program that goes on until the end of the test."""
        streams = subprocess.PIPE if pipes else subprocess.DEVNULL
        program = subprocess.Popen(
            machine.command(*words), stdin=streams, stdout=streams, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
            start_new_session=True,  # a daemon that ends its group, as smbd does, must not end the tests
        )  # fmt: skip
        self._stack.callback(_end, program)
        return program

    def hears(self, octets: bytes) -> None:
        """Wait until a frame holds these octets."""
        end, sought, at = time.monotonic() + READY_S, octets.hex(), 0
        while True:
            heard = len(self._told)
            if any(sought in line for line in self._told[at:heard]):
                return
            assert time.monotonic() < end, f"{octets!r} was never sent"
            at = heard
            time.sleep(0.02)

    def frames(self) -> list[Frame]:
        """Every frame so far; the recording ends."""
        time.sleep(0.1)  # what is on its way
        assert self._recorder.stdin is not None
        self._recorder.stdin.close()
        self._recorder.wait(READY_S)
        self._reader.join(READY_S)
        rows = (line.split() for line in self._told)
        return [Frame(int(when), bytes.fromhex(octets)) for when, octets in rows]


def _end(program: subprocess.Popen[str]) -> None:
    program.terminate()
    try:
        program.wait(30)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait(60)
    for stream in (program.stdin, program.stdout):
        if stream is not None:
            stream.close()


def needs(*programs: str) -> None:
    """Skip with the reason where a program is absent."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def needs_modules(*names: str) -> None:
    """Skip with the reason where a library of the extra [peers] is absent."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (the extra [peers])")


@contextmanager
def segment(client: tuple[str, str], server: tuple[str, str]) -> Iterator[Segment]:
    """A cable between two machines of given card and address (of a /24); skips where there can be none."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    needs("ip", "nsenter", "ss", "ethtool")
    ends = [
        Machine(f"wardtap-peer-{side}-{os.getpid()}-{token_hex(3)}", *end)
        for side, end in (("client", client), ("server", server))
    ]
    with ExitStack() as stack:
        for machine in ends:
            made = subprocess.run(["ip", "netns", "add", machine.space], check=False, capture_output=True, timeout=120)
            if made.returncode:
                pytest.skip("the kernel gives no network namespace here")
            stack.callback(subprocess.run, ["ip", "netns", "delete", machine.space], check=True, timeout=120)
        one, other = ends
        one.run("ip", "link", "add", "end", "type", "veth", "peer", "name", "end", "netns", other.space)
        for machine in ends:
            machine.run("ip", "link", "set", "end", "addrgenmode", "none", "address", machine.mac)
            machine.run("ethtool", "-K", "end", "tso", "off", "gso", "off", "gro", "off", "tx", "off")
            machine.run("ip", "address", "add", f"{machine.ip}/24", "dev", "end")
            machine.run("ip", "link", "set", "lo", "up")
            machine.run("ip", "link", "set", "end", "up")
        yield Segment(one, other, stack)


def write(path: Path, text: str, *, mode: int = 0o600) -> str:
    """A file that a program reads."""
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return str(path)


def certificate(machine: Machine, folder: Path, name: str) -> tuple[str, str]:
    """A key and a page that it signed for itself."""
    key, page = str(folder / "key.pem"), str(folder / "cert.pem")
    machine.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "1",
                "-keyout", key, "-out", page)  # fmt: skip
    return key, page
