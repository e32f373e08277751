"""The configuration as an appliance gets it: rendered by install.sh under an empty root."""

import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "firmware_config"


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with everything that install.sh lays, the Python environment apart."""
    root = tmp_path_factory.mktemp("laid")
    command = ["sh", str(CHECKOUT / "install.sh"), "install", "--root", str(root), "--no-venv"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return root


Unit = dict[str, list[str]]


def read_unit(path: Path) -> Unit:
    """A unit file as key -> values in order (sections do not share keys in ours)."""
    unit: Unit = {}
    for line in path.read_text().splitlines():
        if line and line[0] not in "#[;":
            key, _, value = line.partition("=")
            unit.setdefault(key, []).append(value)
    return unit
