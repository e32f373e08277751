"""After any failure the old file is there, whole."""

import os
from pathlib import Path

import pytest

from agent.durable import write_atomically


def test_a_crash_in_between_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    for name in ("fsync", "open"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, broken)
            with pytest.raises(OSError, match="broken"):
                write_atomically(path, b"new")
        assert path.read_bytes() == b"old"
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def broken(*_: object) -> int:
    raise OSError("broken")


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "file").symlink_to(tmp_path / "target")
    write_atomically(tmp_path / "file", b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert not (tmp_path / "file").is_symlink()


def test_only_its_owner_and_group_may_read(tmp_path: Path) -> None:
    write_atomically(tmp_path / "made" / "file", b"x")
    assert (tmp_path / "made" / "file").stat().st_mode & 0o027 == 0


def test_what_need_not_last_is_whole_and_not_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", broken)
    write_atomically(tmp_path / "file", b"old", durable=False)
    write_atomically(tmp_path / "file", b"new", durable=False)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
