"""Where the code lies."""

from pathlib import Path

from agent.update.place import MANIFEST_NAME, own_release, release_name


def test_a_release_knows_its_name_and_a_checkout_has_none(tmp_path: Path) -> None:
    release = tmp_path / "releases" / "0.2.0-0a1b2c3d"
    (release / "agent").mkdir(parents=True)
    assert own_release(release / "agent") is None, "one that was interrupted is none"
    (release / MANIFEST_NAME).write_text("")
    (tmp_path / "current").symlink_to("releases/0.2.0-0a1b2c3d")
    assert own_release(tmp_path / "current" / "agent") == release
    assert own_release(tmp_path / "agent") is None
    assert release_name() == ""
