"""Which packs of a site are in force."""

from pathlib import Path

from agent.devices.site_packs import PACKS_MAX, in_force


def test_nothing_taken_over(tmp_path: Path) -> None:
    assert in_force(tmp_path) == []
    (tmp_path / "packs").write_text("a file")
    assert in_force(tmp_path) == []


def test_the_newest_of_each_name_by_number(tmp_path: Path) -> None:
    for name in ("ward/9", "ward/10", "ward/.new", "ward/old", "lab/1", "empty"):
        (tmp_path / "packs" / name).mkdir(parents=True)
    assert [path.relative_to(tmp_path / "packs").as_posix() for path in in_force(tmp_path)] == ["lab/1", "ward/10"]


def test_a_bounded_number(tmp_path: Path) -> None:
    for number in range(PACKS_MAX + 5):
        (tmp_path / "packs" / f"p{number:02}" / "1").mkdir(parents=True)
    assert len(in_force(tmp_path)) == PACKS_MAX
