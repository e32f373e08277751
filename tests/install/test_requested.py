"""An update that was asked for from afar: verified by root, judged by what comes up, taken back when nothing does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.install.conftest import RELEASE_KEYS, Appliance, Staged

ID, ANOTHER = bytes(range(16)), bytes(range(16, 32))
QUICK = {"WARDTAP_UP_S": "0"}


@pytest.fixture
def two(staged: Staged, tmp_path: Path) -> tuple[Appliance, str, str]:
    """A copy of it for one test."""
    shutil.copytree(staged.appliance.root, tmp_path / "root", symlinks=True)
    return Appliance(source=staged.appliance.source, root=tmp_path / "root"), staged.old, staged.new


def test_a_signed_release_that_comes_up_stays(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    appliance.ask(new, ID)
    appliance.say_up(new)
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 0
    assert (appliance.link("current"), appliance.link("previous")) == (new, old)
    assert appliance.answer() == f"{ID.hex()} done"
    assert json.loads(appliance.path("/opt/wardtap/floor.json").read_text()) == {"floor": 2}
    assert not appliance.path("/var/lib/wardtap/update/request").exists()
    assert not appliance.path("/opt/wardtap/update.pending").exists()
    assert "no release is asked for" in appliance.at_root("update", "--requested").stderr
    appliance.ask(old, ID)
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 1
    assert "at least 2 may run" in appliance.answer()
    assert appliance.link("current") == new


@pytest.mark.parametrize("up", [(), ("sensor/run.json",)])
def test_one_that_does_not_come_up_is_taken_back(two: tuple[Appliance, str, str], up: tuple[str, ...]) -> None:
    appliance, old, new = two
    appliance.ask(new, ID)
    if up:
        appliance.say_up(new, *up)
    answer = appliance.at_root("update", "--requested", **QUICK)
    assert answer.returncode == 1
    assert appliance.link("current") == old
    assert not appliance.path("/etc/systemd/system/wardtap-sensor.service").read_text().endswith("# second\n")
    assert appliance.answer() == f"{ID.hex()} failed it did not come up in 0 s; release {old} runs again"
    assert not appliance.path("/opt/wardtap/floor.json").exists(), "a release that fails raises no floor"
    assert not appliance.path("/opt/wardtap/update.pending").exists()
    assert appliance.at_root("status").returncode == 0


Spoil = Callable[[Appliance, str], object]
REFUSED: dict[str, tuple[str, Spoil]] = {
    "one signer": ("needs 2 to 3 signers", lambda a, n: a.sign(n, 2, keys=RELEASE_KEYS[:1])),
    "changed": ("not as it was signed: agent/clock.py", lambda a, n: _touch(a, n, "agent/clock.py")),
    "no keys": ("trust-root.json", lambda a, _: a.path("/opt/wardtap/trust-root.json").unlink()),
    "held": ("a clinical hold", lambda a, _: a.say_up("x", "uplink/hold.json")),
}


def _touch(appliance: Appliance, name: str, place: str) -> None:
    with appliance.path(f"/opt/wardtap/releases/{name}/{place}").open("a") as file:
        file.write("import os\n")


@pytest.mark.parametrize("name", REFUSED)
def test_root_verifies_and_believes_nothing(two: tuple[Appliance, str, str], name: str) -> None:
    appliance, old, new = two
    reason, spoil = REFUSED[name]
    spoil(appliance, new)
    appliance.ask(new, ID)
    appliance.say_up(new)
    answer = appliance.at_root("update", "--requested", **QUICK)
    assert answer.returncode == 1
    assert appliance.link("current") == old
    assert appliance.answer().startswith(f"{ID.hex()} failed ")
    assert reason in appliance.answer()


def test_an_interrupted_switch_is_judged_again(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    pending = appliance.path("/opt/wardtap/update.pending")
    pending.write_text(f"{new} {old} {ID.hex()}\n")
    appliance.at_root("update", new)
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 1
    assert appliance.link("current") == old
    assert "did not come up" in appliance.answer()
    pending.write_text(f"{new} {old} {ANOTHER.hex()}\n")  # a command's id comes once
    appliance.say_up(new)
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 0
    assert appliance.link("current") == new
    assert appliance.answer() == f"{ANOTHER.hex()} done"


def test_an_update_that_was_answered_is_not_judged_again(two: tuple[Appliance, str, str]) -> None:
    """The power went between the answer and the end: the receipt has gone out, and nothing may contradict it."""
    appliance, old, new = two
    appliance.at_root("update", new)
    appliance.path("/opt/wardtap/update.pending").write_text(f"{new} {old} {ID.hex()}\n")
    appliance.path("/opt/wardtap/update.answer").write_text(f"{ID.hex()} done \n")
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 0, "nothing has come up, and nobody asks"
    assert appliance.link("current") == new
    assert not appliance.path("/opt/wardtap/update.pending").exists()


def test_what_was_switched_to_and_is_not_signed_after_all_is_left(two: tuple[Appliance, str, str]) -> None:
    appliance, old, new = two
    appliance.at_root("update", new)
    appliance.path("/opt/wardtap/update.pending").write_text(f"{new} {old} {ID.hex()}\n")
    appliance.sign(new, keys=RELEASE_KEYS[:1])
    appliance.say_up(new)
    assert appliance.at_root("update", "--requested", **QUICK).returncode == 1
    assert appliance.link("current") == old


def test_a_power_cut_at_any_file_is_mended_by_the_next_start(
    two: tuple[Appliance, str, str], fail_at: Callable[[int], dict[str, str]]
) -> None:
    appliance, old, new = two
    appliance.say_up(new)
    for nth in (2, 4):
        appliance.at_root("update", old)
        appliance.ask(new, bytes([nth]) * 16)
        appliance.at_root("update", "--requested", **QUICK, **fail_at(nth))
        assert appliance.link("current") in {old, new}
        appliance.at_root("update", "--requested", **QUICK)
        assert not appliance.path("/opt/wardtap/update.pending").exists()
        assert appliance.at_root("status").returncode == 0


HOSTILE_REQUESTS = ("", "..", "../../../etc", "a b", "$(reboot)", "-x", "x" * 4096, "\x00\xff", "\x1b[2J")


def test_a_hostile_request_is_refused_and_removed(two: tuple[Appliance, str, str]) -> None:
    appliance, old, _ = two
    request = appliance.path("/var/lib/wardtap/update/request")
    request.parent.mkdir(parents=True)
    for line in HOSTILE_REQUESTS:
        request.write_bytes(line.encode("latin-1") + b"\n" + ID.hex().encode() + b"\n")
        _refuses(appliance, line)
        request.write_bytes(line.encode("latin-1"))
        _refuses(appliance, line)
    secret = appliance.path("/secret")
    secret.write_text(f"{old}\n{ID.hex()}\n")
    request.symlink_to(secret)
    _refuses(appliance, "a link")
    assert secret.exists()
    assert appliance.link("current") == old


def _refuses(appliance: Appliance, line: str) -> None:
    answer = appliance.at_root("update", "--requested", **QUICK)
    assert answer.returncode == 1, line
    assert answer.stderr.startswith("install.sh: ")
    assert answer.stderr.strip().isprintable()
    assert not appliance.path("/var/lib/wardtap/update/request").is_symlink()
    assert not appliance.path("/var/lib/wardtap/update/request").exists()
