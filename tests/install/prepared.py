"""A site with a desk, and a tap's disk with three signed releases: one that runs, a newer one, one that breaks."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from agent.clock import SystemClock
from agent.ctl.lab import Lab, make_lab
from tests.conftest import ROOT
from tests.install.booted import PATIENCE_S, Booted, NotHeldError

SITE, TAP = "ward", "tap-1"
PORT = 18883  # in a namespace of its own nobody else has it
BROKER = f"mqtt://127.0.0.1:{PORT}"
CONFIG = f"""[site]
site = "{SITE}"
agent = "{TAP}"
[tap]
legs = ["eth1"]
[summaries]
interval_s = 10
[uplink]
broker = "{BROKER}"
[state]
directory = "/var/lib/wardtap"
"""
OLD, NEW, BROKEN = "old", "new", "broken"
# What a machine gathers by itself while it is used.
OWN_PLACES = ("/var/log", "/var/cache", "/root", "/run", "/tmp", "/proc", "/sys", "/dev", "/src", "/var/lib/systemd")


class Prepared:
    """The folder of it all; `names` are the releases as they lie on the tap."""

    def __init__(self, folder: Path, *, plain: bool = False) -> None:
        """`plain`: nothing is compiled, on a machine where that takes too long; the sensor is then slow and no less."""
        self.plain = plain
        self.folder, self.tap, self.names = folder, Booted(folder / "tap"), dict[str, str]()
        self.lab: Lab = Lab(
            folder / "lab", *(folder / "lab" / name for name in ("agent", "collector", "operator")), BROKER
        )

    @property
    def trust(self) -> Path:
        """The desk's table."""
        return self.lab.operator / "trust.bin"

    def make(self, tree: Path) -> "Prepared":
        """Everything, with the network."""
        make_lab(self.folder / "lab", site=SITE, agent="tap-0", broker=BROKER, clock=SystemClock())
        self.tap.format(tree)
        self.before = self.files()
        (self.tap.root / "etc/wardtap").mkdir()
        (self.tap.root / "etc/wardtap/wardtap.toml").write_text(CONFIG)
        if self.plain:
            folder = self.tap.root / "etc/systemd/system/wardtap-sensor.service.d"
            folder.mkdir(parents=True)
            (folder / "plain.conf").write_text("[Service]\nEnvironment=NUMBA_DISABLE_JIT=1\n")
        self._enrol()
        for serial, (name, change) in enumerate(CHANGES.items(), 1):
            self._lay(serial, name, change)
        self._enter()
        held = {"names": self.names, "before": sorted(self.before)}
        (self.folder / "prepared.json").write_text(json.dumps(held))
        self.tap.unmount()
        _copy(self.tap.image, self.tap.image.with_name("disk.as-laid"))
        self.tap.mount()
        return self

    def again(self) -> None:
        """As it was laid once, from its folder."""
        held = json.loads((self.folder / "prepared.json").read_text())
        self.names, self.before = held["names"], set(held["before"])
        for file in self.lab.collector.glob("collector.sqlite3*"):
            file.unlink()
        _copy(self.tap.image.with_name("disk.as-laid"), self.tap.image)
        self.tap.mount()

    def files(self) -> set[str]:
        """Every path on the tap's disk, but for what a machine gathers by itself."""
        own = tuple(place.lstrip("/") for place in OWN_PLACES)
        found = {str(path.relative_to(self.tap.root)) for path in self.tap.root.rglob("*")}
        return {path for path in found if not path.startswith(own)}

    def ctl(self, *words: str, check: bool = True) -> str:
        """`wardtapctl` at the desk."""
        command = [sys.executable, "-m", "agent.ctl.cli", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        if check and done.returncode:
            raise NotHeldError(f"wardtapctl {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def _lay(self, serial: int, name: str, changes: "tuple[Change, ...]") -> None:
        """A checkout, its two signatures, and what install.sh makes of it."""
        source = self.tap.root / "src" / name
        for folder in ("agent", "firmware_config"):
            shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("install.sh", "LICENSE"):
            shutil.copy(ROOT / file, source / file)
        for change in changes:
            text = (source / change.place).read_text()
            assert change.before in text, f"{change.place} has no line to change any more"
            (source / change.place).write_text(text.replace(change.before, change.after.format(name), 1))
        root = ("--root", str(self.lab.operator / "trust-root.json"), "--release-key")
        keys = [str(self.lab.folder / "release" / f"release-{number}.key") for number in (1, 2)]
        self.ctl(
            "release", "sign", str(source), "--serial", str(serial), "--floor", str(min(serial, 2)), *root, keys[0]
        )
        self.ctl("release", "cosign", str(source), *root, keys[1])
        words = ("install", "--kit", "/root/kit.json") if name == OLD else ("stage",)
        plainly = {"NUMBA_DISABLE_JIT": "1"} if self.plain else {}
        said = self.tap.run("/bin/sh", f"/src/{name}/install.sh", *words, **plainly)
        found = re.search(r"^release (\S+): laying it$", said, re.MULTILINE)
        assert found, said
        self.names[name] = found[1]
        (self.tap.root / "opt/wardtap/releases" / found[1] / "kernels").mkdir(exist_ok=True)  # plain Python has none
        shown = re.search(r"^fingerprint ([0-9a-f-]+)", said, re.MULTILINE)
        if shown:
            self.fingerprint = shown[1]

    def _enrol(self) -> None:
        """The kit, as root carries it there."""
        kit = self.tap.root / "root" / "kit.json"
        kit.parent.mkdir(exist_ok=True)
        words = ("enrol", "kit", TAP, "--trust", str(self.trust), "--broker", BROKER)
        self.ctl(*words, "--book", str(self.folder / "book"), "--out", str(kit))

    def _enter(self) -> None:
        """At the desk again; the table to all who read it."""
        own, fresh = self.tap.root / "var/lib/wardtap/uplink", self.folder / "new.bin"
        words = ("enrol", "accept", str(own / "enrol.bin"), "--fingerprint", self.fingerprint)
        where = ("--book", str(self.folder / "book"), "--trust", str(self.trust), "--out", str(fresh))
        keys = [str(self.lab.folder / "release" / f"release-{number}.key") for number in (1, 2)]
        self.ctl(*words, *where, "--release-key", *keys)
        for place in (self.trust, self.lab.collector / "trust.bin", own / "trust.bin"):
            place.write_bytes(fresh.read_bytes())


def _copy(disk: Path, copy: Path) -> None:
    copy.unlink(missing_ok=True)  # a loop device that still holds it keeps the old one
    subprocess.run(["cp", "--sparse=always", disk, copy], check=True, timeout=PATIENCE_S)


class Change(NamedTuple):
    """One line of a checkout, replaced."""

    place: str
    before: str
    after: str


MARK = Change(
    "firmware_config/systemd/wardtap-sensor.service", "[Unit]\n", "[Unit]\nDocumentation=https://example.org/{}\n"
)
# A release that differs by its version, and one whose kernels compile and whose sensor then breaks at its start. Each
# has another unit too, which goes with it and comes back with the old one.
CHANGES: dict[str, tuple[Change, ...]] = {
    OLD: (),
    NEW: (MARK, Change("agent/__init__.py", '__version__ = "', '__version__ = "9.')),
    BROKEN: (MARK, Change("agent/service/sensor.py", "    pipeline.load()\n", "    raise RuntimeError\n")),
}
