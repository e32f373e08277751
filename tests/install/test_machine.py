"""A real install on a Debian of its own, with a kit, then booted: what a layout under --root cannot show. Minutes.

`WARDTAP_DEBIAN_ROOT` names a tree that is copied and not changed, such as one of `debootstrap --variant=minbase
--include=systemd,systemd-sysv,dbus,python3,python3-venv,ca-certificates,nftables,iproute2,ethtool bookworm DIR`.
Needs root, systemd-nspawn (Debian's systemd-container) and the network, for the packages of the lock.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.signing.kit import VALID_NS_MAX, Kit, write_kit
from agent.signing.trust import build_trust, root_json
from agent.wire.types import Role
from tests.conftest import ROOT
from tests.simulators.kit import SITE
from tests.simulators.kit import Kit as Site

pytestmark = [pytest.mark.root, pytest.mark.slow]
TREE = os.environ.get("WARDTAP_DEBIAN_ROOT", "")
PATIENCE_S = 1800
# Runs in the booted machine: a cable for the leg, then what the units and install.sh say, then off.
PROBE = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'ip link add eth1 type veth peer name ward; ip link set eth1 up; ip link set ward up; \
for n in $(seq 60); do journalctl --no-pager -u wardtap-sensor | grep -q listening && break; sleep 1; done; \
systemctl is-active wardtap-clock wardtap-sensor wardtap-update.path; journalctl --no-pager -u "wardtap-*"; \
sh /src/install.sh status; sh /src/install.sh install --kit /root/kit.json; systemctl --no-block poweroff'
StandardOutput=file:/probe.out
StandardError=file:/probe.err
[Install]
WantedBy=multi-user.target
"""


def kit_of(agent: str) -> bytes:
    """A kit made now, for a tap that nobody has entered yet."""
    site, now_ns = Site(Path("/nowhere")), time.time_ns()
    entries = [entry for entry in site.entries if entry.role != Role.AGENT]
    trust = build_trust(entries, site.releases[:2], version=1, site=SITE)
    root = root_json([key.public for key in site.releases])
    return write_kit(Kit(SITE, agent, b"t" * 16, now_ns, now_ns + VALID_NS_MAX, "mqtt://127.0.0.1:1883", trust, root))


class Machine:
    """A copy of the tree with this checkout in /src."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "machine"
        subprocess.run(["cp", "-a", "--one-file-system", TREE, self.root], check=True, timeout=PATIENCE_S)
        for name in ("agent", "firmware_config"):
            shutil.copytree(ROOT / name, self.root / "src" / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("install.sh", "LICENSE"):
            shutil.copy(ROOT / name, self.root / "src" / name)
        (self.root / "root").mkdir(exist_ok=True)
        for file, agent in (("kit.json", "tap-1"), ("other.json", "tap-9")):
            (self.root / "root" / file).write_bytes(kit_of(agent))
            (self.root / "root" / file).chmod(0o600)

    def run(self, *words: str, boot: bool = False) -> subprocess.CompletedProcess[str]:
        """A command inside, or the whole machine until it powers off."""
        network = [f"--setenv={name}={value}" for name, value in os.environ.items() if name.startswith("PIP_")]
        how = ["--boot", "--private-network"] if boot else ["--pipe", "--resolv-conf=copy-host", *network]
        certificates = ["--bind-ro=/etc/ssl/certs"] if Path("/etc/ssl/certs").is_dir() else []
        command = ["systemd-nspawn", "-q", "-D", str(self.root), "--register=no", "--keep-unit", *certificates, *how]
        ran = [*command, *words]
        off = subprocess.DEVNULL
        return subprocess.run(ran, stdin=off, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def install(self, *words: str) -> subprocess.CompletedProcess[str]:
        """install.sh inside."""
        return self.run("/bin/sh", "/src/install.sh", *words)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Installed with its kit."""
    if not TREE or os.geteuid() != 0 or shutil.which("systemd-nspawn") is None:
        pytest.skip("a real install needs root, systemd-container and WARDTAP_DEBIAN_ROOT, a tree of debootstrap")
    made = Machine(tmp_path_factory.mktemp("real"))
    done = made.install("install", "--kit", "/root/kit.json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "fingerprint " in done.stdout
    yield made
    shutil.rmtree(made.root)


def test_the_kit_makes_a_key_that_is_the_uplink_s_alone(machine: Machine) -> None:
    own = machine.root / "var/lib/wardtap/uplink"
    key, request = own / "agent.key", own / "enrol.bin"
    assert key.stat().st_mode & 0o777 == 0o600
    assert request.stat().st_mode & 0o777 == 0o640
    users = dict(line.split(":")[0:3:2] for line in (machine.root / "etc/passwd").read_text().splitlines())
    assert key.stat().st_uid == int(users["wardtap-uplink"]) != int(users["wardtap-sensor"])


def test_a_second_time_it_asks_with_the_same_key(machine: Machine) -> None:
    first = machine.install("install", "--kit", "/root/kit.json").stdout
    again = machine.install("install", "--kit", "/root/kit.json").stdout
    shown = [line for line in first.splitlines() if line.startswith("fingerprint ")]
    assert shown == [line for line in again.splitlines() if line.startswith("fingerprint ")] != []
    assert "lies there already" in again


def test_somebody_else_s_kit_is_refused_in_one_line(machine: Machine) -> None:
    refused = machine.install("install", "--kit", "/root/other.json")
    assert refused.returncode == 1
    assert "is for tap-9 at ward, this is tap-1 at ward" in refused.stderr
    assert "not enrolled; everything else is laid" in refused.stderr


def test_systemd_finds_no_fault_in_the_units_as_they_lie(machine: Machine) -> None:
    """With the programs in place, unlike the check of the checkout: nothing at all to say."""
    folder = machine.root / "etc/systemd/system"
    units = sorted(path.name.replace("@.", "@eth1.") for path in folder.glob("wardtap-*.*") if path.is_file())
    checked = machine.run("/usr/bin/systemd-analyze", "verify", "--man=no", *units)
    said = [line for line in checked.stderr.splitlines() if "/run/systemd/nspawn" not in line]  # the container's own
    assert (checked.returncode, said) == (0, [])


def test_booted_it_listens_and_says_what_the_uplink_misses(machine: Machine) -> None:
    folder = machine.root / "etc/systemd/system"
    (folder / "probe.service").write_text(PROBE)
    (folder / "multi-user.target.wants").mkdir(exist_ok=True)
    (folder / "multi-user.target.wants/probe.service").symlink_to("../probe.service")
    booted = machine.run(boot=True)
    told = (machine.root / "probe.out").read_text()
    assert told.splitlines()[:3] == ["active"] * 3, booted.stdout[-1000:] + told
    assert "wardtap sensor: listening on eth1" in told
    assert "tap-1.key: TLS files cannot be used" in told, "the certificates are the site's to bring"
    assert "as laid, current" in told
    assert "fingerprint " in told, "and a kit is taken while the services run"
