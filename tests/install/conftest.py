"""A copy of the checkout's own files to install from, and an empty root to install into."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.signing.keys import PrivateKey
from agent.signing.releases import INDEX_NAME, list_files, seal_release
from agent.signing.trust import root_json
from tests.simulators.kit import key_of

RELEASE_KEYS = [key_of(f"release-{number}") for number in range(3)]
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Appliance:
    """A source tree and the root that its install.sh lays into."""

    source: Path
    root: Path
    extra_env: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """install.sh with these arguments; its environment is the caller's plus `environment`."""
        env = {**os.environ, **self.extra_env, **environment}
        command = ["sh", str(self.source / "install.sh"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False, timeout=600)

    def at_root(self, command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """An appliance command under the root, without a Python environment."""
        layout_only = ["--no-venv"] if command in {"install", "stage", "update"} else []
        return self.run(command, "--root", str(self.root), *layout_only, *arguments, **environment)

    def path(self, place: str) -> Path:
        """A place of the appliance, under the root."""
        return self.root / place.lstrip("/")

    def link(self, name: str) -> str:
        """The release that `current` or `previous` names, "" when there is none."""
        link = self.path(f"/opt/wardtap/{name}")
        return link.readlink().name if link.is_symlink() else ""

    def pin(self) -> None:
        """Root's copy of the release keys, and a program in every release that can verify (a checkout's own)."""
        self.path("/opt/wardtap/trust-root.json").write_text(root_json([key.public for key in RELEASE_KEYS]))
        for release in self.path("/opt/wardtap/releases").iterdir():
            launcher = release / "bin" / "wardtap"
            code = "import sys; from agent.service.cli import main; sys.exit(main())"
            launcher.write_text(f'#!/bin/sh\ncd {CHECKOUT}\nexec {sys.executable} -c "{code}" "$@"\n')
            launcher.chmod(0o755)

    def sign(self, name: str, serial: int = 1, floor: int = 0, keys: Sequence[PrivateKey] = RELEASE_KEYS[:2]) -> None:
        """The index of a laid release."""
        folder = self.path(f"/opt/wardtap/releases/{name}")
        sealed = seal_release(list_files(folder), keys, version="0.1.0", serial=serial, floor=floor)
        (folder / INDEX_NAME).write_bytes(sealed)

    def ask(self, name: str, identity: bytes = bytes(16)) -> None:
        """As the uplink asks."""
        request = self.path("/var/lib/wardtap/update/request")
        request.parent.mkdir(parents=True, exist_ok=True)
        request.write_text(f"{name}\n{identity.hex()}\n")

    def say_up(self, name: str, *programs: str) -> None:
        """What the programs write down when they have come up."""
        for place in programs or ("sensor/run.json", "uplink/up.json"):
            path = self.path(f"/var/lib/wardtap/{place}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'{{"release": "{name}"}}')

    def answer(self) -> str:
        """What the updater told the uplink."""
        return self.path("/opt/wardtap/update.answer").read_text().strip()

    def snapshot(self) -> dict[str, tuple[int, int, str]]:
        """Every path under the root with mode, modification time and link target; the lock file apart."""
        paths = sorted(path for path in self.root.rglob("*") if path.name != ".lock")
        return {str(path): _facts(path) for path in paths}


def _facts(path: Path) -> tuple[int, int, str]:
    stat = path.lstat()
    is_folder = path.is_dir() and not path.is_symlink()
    return stat.st_mode, 0 if is_folder else stat.st_mtime_ns, str(path.readlink()) if path.is_symlink() else ""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The parts of the checkout that a release is made of, free to be changed."""
    return copy_source(tmp_path / "source")


def copy_source(tree: Path) -> Path:
    """The same, into a new folder."""
    tree.mkdir()
    shutil.copytree(CHECKOUT / "firmware_config", tree / "firmware_config")
    (tree / "agent").mkdir()
    for name in ("__init__.py", "errors.py", "clock.py"):
        shutil.copy(CHECKOUT / "agent" / name, tree / "agent" / name)
    for name in ("install.sh", "LICENSE"):
        shutil.copy(CHECKOUT / name, tree / name)
    return tree


@pytest.fixture
def appliance(source: Path, tmp_path: Path) -> Appliance:
    """An empty root and a source tree to lay under it."""
    root = tmp_path / "root"
    root.mkdir()
    return Appliance(source=source, root=root)


@dataclass(frozen=True)
class Staged:
    """An appliance with an old release that runs and a new one that was staged; both are signed. To be copied."""

    appliance: Appliance
    old: str
    new: str


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """Made once."""
    folder = tmp_path_factory.mktemp("staged")
    appliance = Appliance(source=copy_source(folder / "source"), root=folder / "root")
    appliance.root.mkdir()
    appliance.at_root("install")
    old = appliance.link("current")
    change_source(appliance, "second")
    assert appliance.at_root("stage").returncode == 0
    (new,) = {path.name for path in appliance.path("/opt/wardtap/releases").iterdir()} - {old}
    assert appliance.link("current") == old, "staged is not switched"
    appliance.pin()
    appliance.sign(old, serial=1)
    appliance.sign(new, serial=2, floor=2)
    return Staged(appliance, old, new)


def change_source(appliance: Appliance, mark: str) -> None:
    """A new release: another text in the package and in one unit."""
    package = appliance.source / "agent" / "__init__.py"
    package.write_text(package.read_text() + f"# {mark}\n")
    unit = appliance.source / "firmware_config" / "systemd" / "wardtap-sensor.service"
    unit.write_text(unit.read_text() + f"# {mark}\n")


@pytest.fixture
def fail_at(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """An environment in which the n-th file that is put in place ends install.sh, as a power cut would."""

    def environment(nth: int) -> dict[str, str]:
        shims = tmp_path / f"shims-{nth}"
        shims.mkdir()
        counter = shims / "count"
        counter.write_text("0")
        shim = shims / "mv"
        shim.write_text(
            f"#!/bin/sh\nn=$(($(cat {counter}) + 1))\necho $n >{counter}\n"
            f'[ $n -lt {nth} ] || exit 1\nexec /bin/mv "$@"\n'
        )
        shim.chmod(0o755)
        return {"PATH": f"{shims}:{os.environ['PATH']}"}

    return environment
