"""The command line that install.sh's updater uses."""

from pathlib import Path

import pytest

from agent.service.cli import main
from agent.signing.trust import ROOT_NAME
from tests.service.test_release_check import NAME, ROOT_TEXT, kit
from tests.signing.test_releases import sealed, tree


def test_pinned_checked_and_confirmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sealed(tree(tmp_path / "releases" / NAME))
    place = ["--opt", str(tmp_path)]
    assert main(["release", "pin", str(kit(tmp_path)), *place]) == 0
    assert (tmp_path / ROOT_NAME).read_text() == ROOT_TEXT
    assert main(["release", "check", NAME, "--state", str(tmp_path), *place]) == 0
    assert main(["release", "confirm", NAME, *place]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main(["release", "check", "0.1.0", "--state", str(tmp_path), *place]) == 6
    assert capsys.readouterr().err == "wardtap: release 0.1.0 does not lie here\n"
