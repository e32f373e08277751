"""install.sh on a desk: its words, its refusals, its shape."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.install.conftest import Appliance


def test_help_names_every_command(appliance: Appliance) -> None:
    answer = appliance.run("help")
    assert answer.returncode == 0
    for word in (
        "demo",
        "test",
        "setup",
        "install",
        "update",
        "rollback",
        "status",
        "uninstall",
        "--dry-run",
        "--root",
    ):
        assert word in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("instal",), "unknown command 'instal'"),
        (("install", "--frce"), "unknown option '--frce'"),
        (("install", "--purge"), "--purge belongs to uninstall"),
        (("rollback", "0.1.0-aaaa"), "rollback does not take '0.1.0-aaaa'"),
        (("install", "--root", "/no/such/folder"), "--root needs an existing folder"),
        (("install", "--root"), "--root needs an existing folder"),
        (("install", "--no-venv"), "only with --root"),
        (("setup", "now"), "setup takes no 'now'"),
    ],
)
def test_bad_use_is_one_line_and_exit_2(appliance: Appliance, arguments: tuple[str, ...], word: str) -> None:
    answer = appliance.run(*arguments)
    assert answer.returncode == 2
    assert word in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_script_cut_short_does_nothing(appliance: Appliance) -> None:
    lines = (appliance.source / "install.sh").read_text().splitlines(keepends=True)
    assert lines[-1] == 'main "$@"\n'
    for kept in range(5, len(lines), 23):
        cut = appliance.source / "install.sh"
        cut.write_text("".join(lines[:kept]))
        appliance.at_root("install")
        assert list(appliance.root.iterdir()) == []


@pytest.mark.parametrize("script", ["install.sh", ".ci/run"])
def test_scripts_are_shellcheck_clean(root: Path, script: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    answer = subprocess.run(["shellcheck", script], cwd=root, capture_output=True, text=True, check=False)
    assert answer.stdout == ""
    assert answer.returncode == 0


def test_every_change_goes_through_the_executor(root: Path) -> None:
    """A word that changes files outside do_it must stand in a function that only do_it calls."""
    text = (root / "install.sh").read_text()
    reached = set(re.findall(r"do_it ([a-z_]+)", text))
    changers = re.compile(r"^\s*(rm|mv|ln|mkdir|chmod|cp|touch|userdel|systemctl (enable|disable|stop|restart))\b")
    # Its own lock, its own logs, and an empty folder after its last file has gone.
    allowed = reached | {"begin", "tests", "lanes", "beside", "remove_empty"}
    function = ""
    for line in text.splitlines():
        if opened := re.match(r"^([a-z_]+)\(\) [{(]", line):
            function = opened[1]
        if changers.match(line):
            assert function in allowed, line


def test_the_launchers_are_the_scripts_of_the_project(root: Path) -> None:
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    text = (root / "install.sh").read_text()
    setup = text[text.index("\nsetup() {") : text.index("\ndemo() {")]
    made = dict(re.findall(r"([a-z-]+)=(agent[a-z.]+)", setup))
    assert {name: target.removesuffix(":main") for name, target in scripts.items()} == made


def test_dry_runs_on_a_desk_change_nothing(appliance: Appliance) -> None:
    before = sorted(appliance.source.rglob("*"))
    for command in ("setup", "demo"):
        answer = appliance.run(command, "--dry-run")
        assert answer.returncode == 0, answer.stderr
        assert "would: " in answer.stdout
    assert sorted(appliance.source.rglob("*")) == before
