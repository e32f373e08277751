"""Two cable ends in a network namespace of their own: `eth1` is the leg, on `ward` frames are put on the cable."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.conftest import ROOT

# Puts frames on `ward`: hexadecimal lines on standard input, sent as they come.
SENDER = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as cable:
    cable.bind(("ward", 0))
    for line in sys.stdin:
        cable.send(bytes.fromhex(line))
"""


@dataclass(frozen=True)
class Namespace:
    """nsenter and not `ip netns exec`, which mounts, and a chroot cannot."""

    name: str

    def command(self, *words: str) -> list[str]:
        """A command that runs inside."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *words]

    def run(self, *words: str, text: str | None = None) -> str:
        """Run inside and give what it printed."""
        done = subprocess.run(
            self.command(*words), input=text, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def put(self, frames: list[bytes]) -> None:
        """Frames on the cable."""
        self.run(sys.executable, "-c", SENDER, text="\n".join(frame.hex() for frame in frames) + "\n")

    def transmitted(self, device: str) -> int:
        """Frames that a device has sent since it was made."""
        stats = json.loads(self.run("ip", "-j", "-s", "link", "show", device))[0]["stats64"]
        return int(stats["tx"]["packets"])


@contextmanager
def cable() -> Iterator[Namespace]:
    """The namespace, both ends up and silent; skips with the reason where it cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    for tool in ("ip", "nsenter"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    made = Namespace(f"wardtap-tap-{os.getpid()}")
    if subprocess.run(["ip", "netns", "add", made.name], check=False, capture_output=True, timeout=30).returncode:
        pytest.skip("the kernel gives no network namespace here")
    try:
        made.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "ward")
        for device in ("eth1", "ward"):
            made.run("ip", "link", "set", device, "addrgenmode", "none")
            made.run("ip", "link", "set", device, "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", made.name], check=True, timeout=30)
