from pathlib import Path

import pytest

from agent.spool.place import has_names, refusal
from tests.simulators.disk import remount, small_disk


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing") == "gone"
    assert has_names(tmp_path / "nothing")


def test_a_place_that_takes_files(tmp_path: Path) -> None:
    assert refusal(tmp_path) == ""


@pytest.mark.root
def test_full_without_names_and_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k", inodes=4) as disk:
        (disk / "filler").write_bytes(bytes(64 << 10))
        assert (refusal(disk), has_names(disk)) == ("full", True)
        (disk / "filler").write_bytes(b"")
        for number in range(2):
            (disk / f"{number}").touch()
        assert (refusal(disk), has_names(disk)) == ("no inodes", False)
        remount(disk, "ro")
        assert refusal(disk) == "read-only"
        remount(disk, "rw")
