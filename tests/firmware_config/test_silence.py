"""Nothing leaves a leg: the shipped nftables rules on a real interface pair, and a process that tries hard to send."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from tests.faults.conftest import eventually

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20  # linux/socket.h, linux/if_packet.h
ETH_P_ALL = 0x0003
CLONE_NEWNET = 0x40000000
# A broadcast frame of an experimental ethertype: any neighbour would take it.
FRAME = b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x01" + b"\x88\xb5" + b"wardtap" * 8
SENT = 50

pytestmark = pytest.mark.root


@dataclass(frozen=True)
class Bench:
    """A namespace with the leg and its peer; nsenter, because `ip netns exec` mounts, which a chroot cannot."""

    name: str

    def run(self, *command: str, check: bool = True) -> str:
        """A command inside the namespace; its output."""
        return self.attempt(*command, check=check).stdout

    def attempt(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """The same with what it answered."""
        full = ["nsenter", f"--net=/run/netns/{self.name}", *command]
        return subprocess.run(full, check=check, capture_output=True, text=True, timeout=120)

    def counter(self, device: str, name: str) -> int:
        """A statistics counter of a device."""
        stats = json.loads(self.run("ip", "-j", "-s", "link", "show", device))[0]["stats64"]
        return int(stats[name]["packets"])


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A veth pair, eth1 (the leg) and switch (the ward's side), both up, in a namespace of their own."""
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    for tool in ("ip", "nft"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    bench = Bench(f"wardtap-{os.getpid()}-{token_hex(3)}")
    subprocess.run(["ip", "netns", "add", bench.name], check=True, timeout=120)
    try:
        bench.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "switch")
        for device in ("eth1", "switch"):
            bench.run("ip", "link", "set", device, "addrgenmode", "none")
            bench.run("ip", "link", "set", device, "up")
        yield bench
    finally:
        subprocess.run(["ip", "netns", "delete", bench.name], check=True, timeout=120)


@contextlib.contextmanager
def inside(bench: Bench) -> Iterator[None]:
    """This thread's sockets are opened in the bench's namespace."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{bench.name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(here)
        os.close(here)
        os.close(there)


def _setns(descriptor: int) -> None:
    import ctypes  # noqa: PLC0415 - os.setns is newer than Python 3.11

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def send(bench: Bench, *, bypass: bool) -> None:
    """Send FRAME on the leg; a refusal by the kernel is as good as silence."""
    with inside(bench), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as leg:
        leg.bind(("eth1", 0))
        if bypass:
            leg.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        for _ in range(SENT):
            with contextlib.suppress(OSError):
                leg.send(FRAME)


def received(bench: Bench, *, bypass: bool, expected: int = 0) -> int:
    """How many of the frames the peer gets; who expects some waits for them, however busy the machine is."""
    with inside(bench), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as peer:
        peer.bind(("switch", 0))
        send(bench, bypass=bypass)
        count = 0
        deadline = time.monotonic() + 60.0
        while time.monotonic() < deadline:
            peer.settimeout(30.0 if count < expected else 0.3)
            try:
                frame = peer.recv(2048)
            except TimeoutError:
                break
            count += frame.startswith(FRAME[:14])
        return count


def stopped(bench: Bench) -> int:
    """What the shipped rule says that it stopped."""
    listing = json.loads(bench.run("nft", "-j", "list", "counters"))["nftables"]
    return sum(int(entry["counter"]["packets"]) for entry in listing if "counter" in entry)


def load_or_skip(bench: Bench, rules: Path) -> None:
    answer = bench.attempt("nft", "-f", str(rules))
    if answer.returncode != 0 and "not supported" in answer.stderr:
        pytest.skip("this kernel has no netdev egress hook (Linux >= 5.16 with CONFIG_NETFILTER_EGRESS)")
    assert answer.returncode == 0, answer.stderr


def test_the_rules_parse(bench: Bench, laid: Path) -> None:
    bench.run("nft", "-c", "-f", str(laid / "etc/wardtap/legs/eth1.nft"))


@pytest.mark.parametrize("bypass", [False, True], ids=["queue", "qdisc-bypass"])
def test_without_the_rules_the_peer_hears_it(bench: Bench, bypass: bool) -> None:
    """The bench itself works: the tests below can fail."""
    assert received(bench, bypass=bypass, expected=SENT) == SENT


@pytest.mark.parametrize("bypass", [False, True], ids=["queue", "qdisc-bypass"])
def test_with_the_rules_the_peer_hears_nothing(bench: Bench, laid: Path, bypass: bool) -> None:
    load_or_skip(bench, laid / "etc/wardtap/legs/eth1.nft")
    before = bench.counter("switch", "rx")
    assert received(bench, bypass=bypass) == 0
    assert bench.counter("switch", "rx") == before
    assert stopped(bench) == SENT


def test_loading_twice_is_loading_once(bench: Bench, laid: Path) -> None:
    rules = laid / "etc/wardtap/legs/eth1.nft"
    load_or_skip(bench, rules)
    load_or_skip(bench, rules)
    assert bench.run("nft", "list", "ruleset").count("chain silence") == 1
    assert received(bench, bypass=False) == 0


def test_the_leg_still_hears(bench: Bench, laid: Path) -> None:
    load_or_skip(bench, laid / "etc/wardtap/legs/eth1.nft")
    before = bench.counter("eth1", "rx")
    with inside(bench), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as switch:
        switch.bind(("switch", 0))
        for _ in range(SENT):
            switch.send(FRAME)
    assert eventually(lambda: bench.counter("eth1", "rx") - before == SENT)


def test_the_fallback_of_an_older_kernel_drops_too(bench: Bench) -> None:
    """The tc commands of wardtap-leg@.service; they do not stop a socket that bypasses the queue."""
    if shutil.which("tc") is None:
        pytest.skip("tc is not installed")
    bench.run("tc", "qdisc", "replace", "dev", "eth1", "clsact")
    drop = "protocol all prio 1 handle 1 matchall action drop"
    answer = bench.attempt("tc", "filter", "replace", "dev", "eth1", "egress", *drop.split())
    if answer.returncode != 0:
        pytest.skip(f"this kernel has no matchall classifier: {answer.stderr.strip()}")
    assert received(bench, bypass=False) == 0
