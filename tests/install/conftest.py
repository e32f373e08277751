"""A copy of the checkout's own files to install from, and an empty root to install into."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

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
        layout_only = ["--no-venv"] if command in {"install", "update"} else []
        return self.run(command, "--root", str(self.root), *layout_only, *arguments, **environment)

    def path(self, place: str) -> Path:
        """A place of the appliance, under the root."""
        return self.root / place.lstrip("/")

    def link(self, name: str) -> str:
        """The release that `current` or `previous` names, "" when there is none."""
        link = self.path(f"/opt/wardtap/{name}")
        return link.readlink().name if link.is_symlink() else ""

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
    tree = tmp_path / "source"
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
