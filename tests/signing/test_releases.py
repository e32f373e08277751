"""A release is what two of three keys signed, file by file, or nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import InputError, Refused, StateError
from agent.signing.envelope import add_signature
from agent.signing.releases import INDEX_NAME, list_files, open_index, require_files, seal_release
from agent.signing.roster import Trust, TrustEntry
from agent.wire.types import Role
from tests.simulators.kit import key_of

KEYS = [key_of(f"release-{number}") for number in range(3)]
ROOT = Trust(TrustEntry.for_key(key.public, Role.RELEASE, f"r-{at}", "root") for at, key in enumerate(KEYS))


def tree(folder: Path) -> Path:
    """The least that a release is made of."""
    (folder / "agent" / "wire").mkdir(parents=True)
    (folder / "agent" / "__pycache__").mkdir()
    (folder / "firmware_config").mkdir()
    for name in ("agent/__init__.py", "agent/wire/x.py", "firmware_config/layout.tsv", "install.sh", "LICENSE"):
        (folder / name).write_text(f"# {name}\n")
    (folder / "agent" / "__pycache__" / "x.pyc").write_bytes(b"made here")
    (folder / "manifest.sha256").write_text("made here")
    return folder


def sealed(folder: Path, signers: int = 2, **said: int) -> Path:
    said = {"serial": 7, "floor": 3} | said
    (folder / INDEX_NAME).write_bytes(seal_release(list_files(folder), KEYS[:signers], version="0.2.0", **said))
    return folder


def test_what_was_signed_is_what_lies_there(tmp_path: Path) -> None:
    folder = sealed(tree(tmp_path / "r"))
    release = open_index(folder, ROOT, now_ns=1, serial_min=7)
    assert (release.version, release.serial, release.floor, release.signers) == ("0.2.0", 7, 3, ("r-0", "r-1"))
    assert sorted(release.files) == [
        "LICENSE", "agent/__init__.py", "agent/wire/x.py", "firmware_config/layout.tsv", "install.sh"
    ]  # fmt: skip
    require_files(folder, release)


def test_a_draft_is_completed_in_another_place(tmp_path: Path) -> None:
    folder = sealed(tree(tmp_path / "r"), signers=1)
    with pytest.raises(Refused) as caught:
        open_index(folder, ROOT)
    assert caught.value.reason == "not-allowed"
    (folder / INDEX_NAME).write_bytes(add_signature((folder / INDEX_NAME).read_bytes(), KEYS[2]))
    assert open_index(folder, ROOT).signers == ("r-0", "r-2")


def test_what_is_over_or_below_the_floor_may_not_run(tmp_path: Path) -> None:
    folder = sealed(tree(tmp_path / "r"), not_after_ns=100)
    open_index(folder, ROOT, now_ns=100)
    for reason, said in (("expired-release", {"now_ns": 101}), ("rollback", {"serial_min": 8})):
        with pytest.raises(Refused) as caught:
            open_index(folder, ROOT, **said)
        assert caught.value.reason == reason


def test_other_keys_of_the_table_sign_no_release(tmp_path: Path) -> None:
    folder = sealed(tree(tmp_path / "r"))
    people = Trust(replace(entry, role=Role.CUSTODIAN) for entry in ROOT.entries())
    with pytest.raises(Refused) as caught:
        open_index(folder, people)
    assert caught.value.reason == "not-allowed"


SPOIL: dict[str, Callable[[Path], object]] = {
    "changed": lambda folder: (folder / "agent/wire/x.py").write_text("import os\n"),
    "more": lambda folder: (folder / "agent/more.py").write_text(""),
    "less": lambda folder: (folder / "firmware_config/layout.tsv").unlink(),
    "a link": lambda folder: (folder / "agent/link.py").symlink_to("/etc/passwd"),
    "no agent": lambda folder: (folder / "install.sh").unlink(),
}


@pytest.mark.parametrize("name", SPOIL)
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    folder = sealed(tree(tmp_path / "r"))
    SPOIL[name](folder)
    with pytest.raises(Refused) as caught:
        require_files(folder, open_index(folder, ROOT))
    assert caught.value.reason == "bad-release"


def test_a_folder_that_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list_files(tmp_path)
    with pytest.raises(StateError):
        open_index(tmp_path, ROOT)
