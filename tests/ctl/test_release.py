"""A release signed by two keys in two places."""

from pathlib import Path

import pytest

from agent.ctl.cli import main
from agent.signing.releases import INDEX_NAME, open_index, require_files
from tests.service.test_release_check import ROOT_TEXT
from tests.signing.test_releases import KEYS, ROOT, tree
from tests.simulators.kit import key_of

Out = pytest.CaptureFixture[str]


class Desk:
    """A checkout and the release keys' files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys = tree(folder / "checkout"), list[str]()
        (self.folder / "agent" / "__init__.py").write_text('"""wardtap."""\n\n__version__ = "0.2.0"\n')
        for number, key in enumerate([*KEYS, key_of("stranger")]):
            key.save(folder / f"{number}.key")
            self.keys.append(str(folder / f"{number}.key"))
        (folder / "root.json").write_text(ROOT_TEXT)
        self._place = [str(self.folder), "--root", str(folder / "root.json"), "--release-key"]

    def sign(self, *keys: int, serial: str = "7", floor: str = "3") -> int:
        words = ["release", "sign", *self._place, *(self.keys[key] for key in keys)]
        return main([*words, "--serial", serial, "--floor", floor])

    def cosign(self, *keys: int) -> int:
        return main(["release", "cosign", *self._place, *(self.keys[key] for key in keys)])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_two_keys_in_two_places(desk: Desk, capsys: Out) -> None:
    assert desk.sign(0) == 0
    assert "a draft" in capsys.readouterr().out
    assert desk.cosign(2) == 0
    assert "version 0.2.0, serial 7, signed by r" in capsys.readouterr().out.replace("release-", "r")
    release = open_index(desk.folder, ROOT)
    require_files(desk.folder, release)
    assert (release.serial, release.floor) == (7, 3)


def test_both_at_once(desk: Desk) -> None:
    assert desk.sign(0, 1) == 0
    assert open_index(desk.folder, ROOT).signers == ("r-0", "r-1")


def test_the_second_key_signs_only_what_lies_there(desk: Desk, capsys: Out) -> None:
    desk.sign(0)
    draft = (desk.folder / INDEX_NAME).read_bytes()
    (desk.folder / "install.sh").write_text("rm -rf /\n")
    assert desk.cosign(1) == 6
    assert "not as it was signed: install.sh" in capsys.readouterr().err
    assert (desk.folder / INDEX_NAME).read_bytes() == draft


def test_strangers_and_odd_numbers(desk: Desk, capsys: Out) -> None:
    assert desk.sign(3) == 6
    assert desk.sign(0, serial="0", floor="0") == 2
    assert desk.sign(0, serial="3", floor="4") == 2
    assert not (desk.folder / INDEX_NAME).exists()
    (desk.folder / "agent" / "__init__.py").write_text("")
    assert desk.sign(0) == 2
    assert capsys.readouterr().err.count("\n") == 4
