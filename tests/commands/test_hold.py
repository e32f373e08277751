"""A hold outlives the process, and its file's damage."""

from pathlib import Path

import pytest

from agent.commands.hold import Hold


def test_it_stands_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "hold.json"
    hold = Hold(path)
    assert hold.why == ""
    hold.set("theatre 3")
    assert Hold(path).why == "theatre 3"
    Hold(path).set("")
    assert Hold(path).why == ""
    Hold(path).set("")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"why": ""}', b"[" * 900])
def test_a_damaged_hold_holds(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "hold.json"
    path.write_bytes(content)
    assert Hold(path).why


def test_one_that_cannot_be_kept_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hold = Hold(tmp_path / "file" / "hold.json")
    before = hold.why
    with pytest.raises(OSError, match="File exists"):
        hold.set("theatre 3")
    assert hold.why == before
