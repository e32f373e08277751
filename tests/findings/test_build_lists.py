"""Building the suffix list and the letter model from Debian's files."""

from pathlib import Path

import pytest

from agent.findings import build_lists
from agent.findings.name_lists import load_lists, shipped_packs
from agent.findings.name_model import MODEL
from agent.findings.sites_file import SITES
from agent.findings.suffixes import SUFFIXES, load_suffixes

RULES = "// a comment\n\ncom\n*.ck\n!www.ck\nco.uk  // behind it\n\u4e2d\u56fd\n"
WORDS = "ward\nWard's\nnurse\n\u00e9lan\nab\n"


def _files(folder: Path) -> list[str]:
    (folder / "list.dat").write_text(RULES, "utf-8")
    (folder / "words").write_text(WORDS, "utf-8")
    return [
        "--list",
        str(folder / "list.dat"),
        "--words",
        str(folder / "words"),
        "--version",
        "7",
        "--out",
        str(folder),
    ]


def test_rules_as_the_wire_has_them() -> None:
    assert build_lists.rules_of(RULES.splitlines()) == ["!www.ck", "*.ck", "co.uk", "com", "xn--fiqs8s"]
    assert build_lists.words_of(WORDS.splitlines()) == ["ward", "nurse"]


def test_the_command_writes_what_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_lists.main(_files(tmp_path)) == 0
    assert "5 suffixes, letters of 2 words" in capsys.readouterr().out
    (tmp_path / SITES).write_text('version = "1"\nsite = []\nlookup = []\n')
    lists = load_lists(tmp_path)
    assert lists.suffixes.version == "7"
    assert lists.suffixes.registered("a.b.co.uk") == "b.co.uk"
    assert lists.model.score("nurse") > lists.model.score("xqzjk")


def test_a_missing_list_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_lists.main(["--list", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_shipped_files_are_what_the_command_builds(tmp_path: Path) -> None:
    shipped = shipped_packs()
    if not (build_lists.LIST.is_file() and build_lists.WORDS.is_file()):
        pytest.skip("no lists here: install Debian's publicsuffix and wamerican")
    version = load_suffixes(shipped).version
    assert build_lists.main(["--version", version, "--out", str(tmp_path)]) == 0
    if (tmp_path / SUFFIXES).read_bytes() != (shipped / SUFFIXES).read_bytes():
        pytest.skip("the list here is of another day than the shipped one")
    assert (tmp_path / MODEL).read_bytes() == (shipped / MODEL).read_bytes()
