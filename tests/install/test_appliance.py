"""install.sh on the appliance, under --root: laid whole, laid once, taken away again."""

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.install.conftest import Appliance


def test_dry_run_prints_the_plan_and_changes_nothing(appliance: Appliance) -> None:
    planned = appliance.at_root("install", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert list(appliance.root.iterdir()) == []
    done = appliance.at_root("install")
    would = planned.stdout.count("would: ")
    assert f"{would} change(s) would be made" in planned.stdout
    assert f"done: {would} change(s)" in done.stdout


def test_a_second_run_changes_nothing(appliance: Appliance) -> None:
    assert appliance.at_root("install").returncode == 0
    before = appliance.snapshot()
    again = appliance.at_root("install")
    assert "nothing to change" in again.stdout
    assert appliance.snapshot() == before


def test_what_is_laid_is_what_the_table_says(appliance: Appliance) -> None:
    appliance.at_root("install")
    for place in (
        "/etc/wardtap/wardtap.toml",
        "/etc/systemd/system/wardtap-sensor.service",
        "/etc/wardtap/legs/eth1.nft",
    ):
        assert appliance.path(place).is_file()
    laid = [path for path in appliance.path("/etc").rglob("*") if path.is_file()]
    for path in laid:
        # site files speak of addresses and units, never of a placeholder
        assert "@LEG" not in path.read_text(), path
        assert path.stat().st_mode & 0o777 == 0o644


def test_the_manifest_covers_every_file_of_the_release(appliance: Appliance) -> None:
    appliance.at_root("install")
    release = appliance.path("/opt/wardtap/current").resolve()
    listed = {}
    for line in (release / "manifest.sha256").read_text().splitlines():
        digest, name = line.split(maxsplit=1)
        listed[name.removeprefix("./")] = digest
    files = {str(path.relative_to(release)): path for path in release.rglob("*") if path.is_file()}
    files.pop("manifest.sha256")
    assert files.keys() == listed.keys()
    for name, path in files.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == listed[name]
        assert path.stat().st_mode & 0o022 == 0


def test_status_tells_a_changed_file(appliance: Appliance) -> None:
    assert appliance.at_root("status").returncode == 3
    appliance.at_root("install")
    good = appliance.at_root("status")
    assert good.returncode == 0, good.stdout
    assert "as laid, current" in good.stdout
    unit = appliance.path("/etc/systemd/system/wardtap-uplink.service")
    unit.write_text(unit.read_text() + "# touched\n")
    assert "wardtap-uplink.service: DIFFERS" in appliance.at_root("status").stdout
    assert appliance.at_root("status").returncode == 1
    appliance.at_root("install")
    assert appliance.at_root("status").returncode == 0


@pytest.mark.parametrize("nth", [1, 2, 9, 19, 20, 21])
def test_an_interrupted_install_can_be_repeated(
    appliance: Appliance, fail_at: Callable[[int], dict[str, str]], nth: int
) -> None:
    broken = appliance.at_root("install", **fail_at(nth))
    assert broken.returncode != 0
    # Whatever happened, `current` names a whole release or none.
    current = appliance.link("current")
    assert not current or (appliance.path(f"/opt/wardtap/releases/{current}/manifest.sha256")).is_file()
    assert appliance.at_root("install").returncode == 0
    assert appliance.at_root("status").returncode == 0
    assert "nothing to change" in appliance.at_root("install").stdout


def test_the_site_keeps_its_files(appliance: Appliance) -> None:
    appliance.at_root("install")
    config = appliance.path("/etc/wardtap/wardtap.toml")
    edited = config.read_text().replace('site = "ward"', 'site = "icu-2"')
    config.write_text(edited)
    appliance.at_root("install")
    assert config.read_text() == edited
    answer = appliance.at_root("uninstall")
    assert "kept: /etc/wardtap/wardtap.toml" in answer.stdout
    assert config.read_text() == edited


def test_each_leg_gets_its_rules_and_a_lost_one_loses_them(appliance: Appliance) -> None:
    appliance.at_root("install")
    config = appliance.path("/etc/wardtap/wardtap.toml")
    config.write_text(config.read_text().replace('legs = ["eth1"]', 'legs = ["eth1", "enx00.7"]'))
    appliance.at_root("install")
    rules = appliance.path("/etc/wardtap/legs/enx00.7.nft").read_text()
    assert "table netdev wardtap_enx00_7 {" in rules
    assert 'device "enx00.7"' in rules
    assert appliance.path("/etc/systemd/network/10-wardtap-eth1.link").is_file()
    config.write_text(config.read_text().replace('legs = ["eth1", "enx00.7"]', 'legs = ["enx00.7"]'))
    appliance.at_root("install")
    assert list(appliance.path("/etc").rglob("*eth1*")) == []


@pytest.mark.parametrize("leg", ["../eth1", "eth1;reboot", "br-lan", "a_name_far_too_long", ".hidden", "x" * 16, ""])
def test_what_cannot_be_an_interface_is_refused(appliance: Appliance, leg: str) -> None:
    config = appliance.source / "firmware_config" / "etc" / "wardtap.toml"
    config.write_text(config.read_text().replace('legs = ["eth1"]', f'legs = ["{leg}"]'))
    answer = appliance.at_root("install")
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert not appliance.path("/etc").exists()


@pytest.mark.parametrize("purge", [False, True])
def test_uninstall_removes_every_file(appliance: Appliance, purge: bool) -> None:
    appliance.at_root("install")
    state = appliance.path("/var/lib/wardtap/sensor")
    state.mkdir(parents=True)
    (state / "run.json").write_text("{}")
    answer = appliance.at_root("uninstall", *(["--purge"] if purge else []))
    assert answer.returncode == 0, answer.stderr
    left = [path for path in appliance.root.rglob("*") if not path.is_dir() or path.is_symlink()]
    assert left == ([] if purge else [state / "run.json"])
    assert not appliance.path("/opt/wardtap").exists()
    assert not appliance.path("/etc/wardtap").exists()


def test_two_installs_at_once_are_refused(appliance: Appliance) -> None:
    folder = appliance.path("/opt/wardtap")
    folder.mkdir(parents=True)
    with subprocess.Popen(["flock", str(folder / ".lock"), "sh", "-c", "echo held; read -r line"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # fmt: skip
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        answer = appliance.at_root("install")
        holder.stdin.write(b"done\n")
        holder.stdin.flush()
    assert answer.returncode == 1
    assert "another install.sh is at work" in answer.stderr


@pytest.mark.root
def test_without_root_it_says_so(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    text = (root / "install.sh").read_text()
    answer = subprocess.run(["sh", "-s", "install"], input=text, capture_output=True, text=True, check=False,
                            user=65534, cwd="/", timeout=600)  # fmt: skip
    assert answer.returncode == 1
    assert "needs root: sudo ./install.sh install" in answer.stderr


def test_a_kit_belongs_to_an_install_and_is_a_file(appliance: Appliance, tmp_path: Path) -> None:
    kit = tmp_path / "kit.json"
    for command, name in (("install", str(kit)), ("update", "x"), ("status", "x")):
        refused = appliance.at_root(command, "--kit", name)
        assert refused.returncode == 2
        assert "--kit" in refused.stderr
    kit.write_text("{}")
    laid = appliance.at_root("install", "--kit", str(kit))
    assert laid.returncode == 0, laid.stderr
    assert "skipped: enrolment" in laid.stdout
    assert not list(appliance.path("/var").rglob("agent.key"))
