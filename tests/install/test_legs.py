"""A leg's unit that fails: nothing else is kept from running, and a release that cannot silence a leg is not kept."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.install.conftest import CHECKOUT, Appliance, Staged

ID = bytes(range(16))
# systemd knows eth1 and eth2 and not eth3; the unit of eth1 fails.
SYSTEMCTL = """#!/bin/sh
echo "$*" >>"$TOLD"
case $* in *eth3*) exit 3 ;; "restart wardtap-leg@eth1.service") exit 1 ;; esac
"""


def test_each_leg_is_tried_and_one_that_udev_does_not_know_is_not_waited_for(tmp_path: Path) -> None:
    shim = tmp_path / "systemctl"
    shim.write_text(SYSTEMCTL)
    shim.chmod(0o755)
    functions = (CHECKOUT / "install.sh").read_text().removesuffix('main "$@"\n')
    script = (
        f'{functions}\ndry_run=no changes=0 unsilenced= legs="eth1 eth2 eth3"\nrestart_legs\necho "not:$unsilenced"\n'
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TOLD": str(tmp_path / "told")}
    done = subprocess.run(
        ["sh", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=600
    )
    told = [line for line in (tmp_path / "told").read_text().splitlines() if line.startswith("restart")]
    assert told == ["restart wardtap-leg@eth1.service", "restart wardtap-leg@eth2.service"]
    assert done.stdout.splitlines() == ["leg eth1 may not be silent: journalctl -u wardtap-leg@eth1", "not: eth1"]


def test_a_release_whose_leg_is_not_silent_is_left(staged: Staged, tmp_path: Path) -> None:
    shutil.copytree(staged.appliance.root, tmp_path / "root", symlinks=True)
    shutil.copytree(staged.appliance.source, tmp_path / "source")
    script = tmp_path / "source" / "install.sh"
    text = script.read_text()
    assert text.count("\nservices() {\n") == 1
    script.write_text(text.replace("\nservices() {\n", '\nservices() {\n    return "$NOT_SILENT"\n'))
    appliance = Appliance(tmp_path / "source", tmp_path / "root")
    appliance.ask(staged.new, ID)
    appliance.say_up(staged.new)
    assert appliance.at_root("update", "--requested", WARDTAP_UP_S="0").returncode == 1
    assert appliance.link("current") == staged.old
    told = f"a leg's unit failed; release {staged.old} runs again, but a leg may not be silent"
    assert appliance.answer() == f"{ID.hex()} failed {told}"
