"""Switching between laid releases: update, rollback, and what is refused."""

from collections.abc import Callable

import pytest

from tests.install.conftest import Appliance, change_source


@pytest.fixture
def two(appliance: Appliance) -> tuple[Appliance, str, str]:
    """An appliance with an old and a new release; the new one runs."""
    appliance.at_root("install")
    old = appliance.link("current")
    change_source(appliance, "second")
    assert appliance.at_root("update").returncode == 0
    return appliance, old, appliance.link("current")


def test_update_switches_and_remembers(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    assert old != new
    assert appliance.link("previous") == old
    assert appliance.path("/etc/systemd/system/wardtap-sensor.service").read_text().endswith("# second\n")
    assert "nothing to change" in appliance.at_root("update").stdout


def test_rollback_brings_the_old_files_back(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    assert appliance.at_root("rollback").returncode == 0
    assert (appliance.link("current"), appliance.link("previous")) == (old, new)
    assert not appliance.path("/etc/systemd/system/wardtap-sensor.service").read_text().endswith("# second\n")
    assert appliance.at_root("status").returncode == 0
    assert appliance.at_root("update", new).returncode == 0
    assert appliance.link("current") == new


def test_a_third_release_removes_the_first(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    change_source(appliance, "third")
    appliance.at_root("update")
    laid = {path.name for path in appliance.path("/opt/wardtap/releases").iterdir()}
    assert laid == {new, appliance.link("current")}
    assert old not in laid


def test_an_install_after_an_edit_keeps_what_was_staged(appliance: Appliance) -> None:
    """As the page says: after a change of wardtap.toml, install again. What waits for `update-to` is not in its way."""
    appliance.at_root("install")
    before = {path: path.read_bytes() for path in appliance.source.rglob("*") if path.is_file()}
    change_source(appliance, "second")
    assert appliance.at_root("stage").returncode == 0
    for path, octets in before.items():
        path.write_bytes(octets)
    config = appliance.path("/etc/wardtap/wardtap.toml")
    config.write_text(config.read_text().replace('legs = ["eth1"]', 'legs = ["eth2"]'))
    assert appliance.at_root("install").returncode == 0
    assert appliance.path("/etc/wardtap/legs/eth2.nft").exists()
    assert len(list(appliance.path("/opt/wardtap/releases").iterdir())) == 2


def test_there_is_nothing_before_the_first(appliance: Appliance) -> None:
    assert "nothing is installed" in appliance.at_root("update").stderr
    appliance.at_root("install")
    answer = appliance.at_root("rollback")
    assert answer.returncode == 1
    assert "no release before" in answer.stderr


def test_a_damaged_release_is_not_switched_to(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    damaged = appliance.path(f"/opt/wardtap/releases/{old}/agent/clock.py")
    damaged.write_text(damaged.read_text() + "import os\n")
    answer = appliance.at_root("rollback")
    assert answer.returncode == 1
    assert "is not as it was laid" in answer.stderr
    assert appliance.link("current") == new


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_interrupted_switch_leaves_a_whole_release(
    two: tuple[Appliance, str, str], fail_at: Callable[[int], dict[str, str]], nth: int
) -> None:
    appliance, old, new = two
    appliance.at_root("rollback", **fail_at(nth))
    assert appliance.link("current") in {old, new}
    assert appliance.at_root("update", new).returncode == 0
    assert appliance.link("current") == new
    assert appliance.at_root("status").returncode == 0
