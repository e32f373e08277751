"""The lock files: complete, hashed, for both architectures, and silent about where they came from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.firmware_config.conftest import CHECKOUT, FOLDER

LOCKS = ("appliance.txt", "all.txt", "fuzz.txt", "peers.txt")
MARKER = r"(?: ; [\w =<>.\"]+)?"


def pins(name: str) -> dict[str, Version]:
    text = (FOLDER / "locks" / name).read_text()
    return {
        canonicalize_name(found[1]): Version(found[2])
        for found in re.finditer(rf"^([\w.-]+)==(\S+){MARKER} \\$", text, re.MULTILINE)
    }


def wanted(extras: list[str]) -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_pin_with_hashes(name: str) -> None:
    text = (FOLDER / "locks" / name).read_text()
    for block in re.split(r"\n(?=[a-z])", text):
        head = block.splitlines()[0]
        if head.startswith("#"):
            continue
        assert re.fullmatch(rf"[\w.-]+==\S+{MARKER} \\", head), head
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}(?: \\)?$", block, re.MULTILINE)
        assert len(hashes) >= 1, head
        # a wheel and a source archive at least; compiled ones have a file per platform and Python
        assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize("name", LOCKS)
def test_no_place_is_named(name: str) -> None:
    text = (FOLDER / "locks" / name).read_text()
    assert not re.search(r"https?:|file:/|--(extra-)?index|--find-links|--trusted|@ |/tmp|/opt", text)


@pytest.mark.parametrize(("name", "extras"), [("appliance.txt", []), ("all.txt", ["ops", "collector", "demo", "dev"])])
def test_what_the_project_asks_for_is_locked(name: str, extras: list[str]) -> None:
    locked = pins(name)
    for requirement in wanted(extras):
        version = locked[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_the_fuzzer_is_locked_alone() -> None:
    """Beside the other locks: a machine for which it is not published must still be able to install all of them."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    (requirement,) = map(Requirement, project["optional-dependencies"]["fuzz"])
    locked = pins("fuzz.txt")
    assert set(locked) == {requirement.name}
    assert requirement.specifier.contains(locked[requirement.name])
    assert str(requirement.marker) in (FOLDER / "locks" / "fuzz.txt").read_text()
    assert requirement.name not in pins("all.txt")


def test_what_talks_in_tests_is_locked_beside_the_rest() -> None:
    """Nothing of it comes in another version, or at all, with what is used elsewhere."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    locked = pins("peers.txt")
    for requirement in map(Requirement, project["optional-dependencies"]["peers"]):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), requirement
    assert not locked.keys() & pins("all.txt").keys()


def test_the_appliance_gets_the_versions_that_were_tested() -> None:
    appliance, everything = pins("appliance.txt"), pins("all.txt")
    assert appliance.items() <= everything.items()
    assert not appliance.keys() & {"starlette", "uvicorn", "jinja2", "amqtt", "pytest", "ruff", "typer", "setuptools"}


def test_compiled_packages_have_files_for_many_platforms() -> None:
    """x86-64 and aarch64 for Python 3.11, 3.12 and 3.13 are six files at least, beside the source."""
    text = (FOLDER / "locks" / "appliance.txt").read_text()
    for package in ("numba", "llvmlite", "numpy", "pcapy-ng", "msgpack"):
        block = re.split(r"\n(?=[a-z])", text[text.index(f"\n{package}==") + 1 :])[0]
        assert block.count("--hash") >= 6, package


def test_the_lock_is_beside_its_recipe() -> None:
    page = (Path(CHECKOUT) / "docs" / "appliance.md").read_text()
    assert "pip-compile" in page
