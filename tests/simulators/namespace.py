"""Cables in a network namespace of their own: `eth1` is the leg, on `ward` frames are put on it; more as needed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from secrets import token_hex

import pytest

from tests.conftest import ROOT

# Puts frames on devices: `device gap_ms hexadecimal` lines on standard input, sent when all are there.
SENDER = """
import socket, sys, time
cables, frames = {}, []
for line in sys.stdin:
    device, gap, octets = line.split()
    if device not in cables:
        cables[device] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        cables[device].bind((device, 0))
    frames.append((cables[device], float(gap) / 1000, bytes.fromhex(octets)))
for cable, gap, octets in frames:
    cable.send(octets)
    if gap:
        time.sleep(gap)
for cable in cables.values():
    cable.close()
"""


@dataclass(frozen=True)
class Namespace:
    """nsenter and not `ip netns exec`, which mounts, and a chroot cannot."""

    name: str

    def command(self, *words: str) -> list[str]:
        """A command that runs inside."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *words]

    def run(self, *words: str, text: str | None = None, patience_s: float = 300) -> str:
        """Run inside and give what it printed."""
        done = subprocess.run(
            self.command(*words), input=text, cwd=ROOT, check=True, capture_output=True, text=True, timeout=patience_s
        )
        return done.stdout

    def put(self, frames: list[bytes], *devices: str, gap_ms: float = 0) -> None:
        """Frames out of a device (`ward`), or out of several in turn."""
        ends = cycle(devices or ("ward",))
        lines = [f"{next(ends)} {gap_ms} {frame.hex()}" for frame in frames]
        self.run(sys.executable, "-c", SENDER, text="\n".join(lines) + "\n")

    def link(self, device: str, *words: str) -> None:
        """`ip link set`."""
        self.run("ip", "link", "set", device, *words)

    def add_cable(self, leg: str = "eth1", far: str = "ward") -> None:
        """One more cable, both ends up and silent."""
        self.run("ip", "link", "add", leg, "type", "veth", "peer", "name", far)
        for device in (leg, far):
            self.link(device, "addrgenmode", "none")
            self.link(device, "up")

    def promiscuity(self, device: str) -> int:
        """How many ask the device to hear everything."""
        return int(json.loads(self.run("ip", "-j", "-d", "link", "show", device))[0]["promiscuity"])

    def transmitted(self, device: str) -> int:
        """Frames that a device has sent since it was made."""
        return self._packets(device, "tx")

    def received(self, device: str) -> int:
        """Frames that came to a device since it was made."""
        return self._packets(device, "rx")

    def _packets(self, device: str, way: str) -> int:
        stats = json.loads(self.run("ip", "-j", "-s", "link", "show", device))[0]["stats64"]
        return int(stats[way]["packets"])


@contextmanager
def cable() -> Iterator[Namespace]:
    """The namespace, both ends up and silent; skips with the reason where it cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    for tool in ("ip", "nsenter"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    made = Namespace(f"wardtap-tap-{os.getpid()}-{token_hex(3)}")  # what a killed run left behind has another name
    if subprocess.run(["ip", "netns", "add", made.name], check=False, capture_output=True, timeout=120).returncode:
        pytest.skip("the kernel gives no network namespace here")
    try:
        made.add_cable()
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", made.name], check=True, timeout=120)
