"""Small files of uncertain origin."""

import os
from pathlib import Path

import pytest

from agent.errors import PermissionNeeded, StateError
from agent.signing.files import read_regular


def test_octets_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    path.chmod(0o640)
    assert read_regular(path, 3) == (b"abc", 0o640)
    with pytest.raises(StateError, match="more than 2"):
        read_regular(path, 2)


def test_what_is_no_regular_file_is_refused_and_no_handle_stays_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none", Path("/dev/null"), Path("a\0b")):
        with pytest.raises(StateError):
            read_regular(path, 10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_link_is_followed_only_when_allowed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_regular(tmp_path / "link", 3)[0] == b"abc"
    with pytest.raises(StateError):
        read_regular(tmp_path / "link", 3, follow=False)


def test_a_file_that_this_user_may_not_read_needs_permission(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read every file: be somebody else for a moment
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionNeeded, match="must belong to this user"):
            read_regular(path, 3)
    finally:
        os.seteuid(user)
