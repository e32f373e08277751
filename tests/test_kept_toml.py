"""A kept table is the parsed one, and whatever is wrong with the folder, parsing is what happens."""

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import kept_toml
from agent.kept_toml import FILES_MAX, KeptToml, parse_toml
from tests.conftest import ROOT

TEXT = 'a = 1\nb = 1.0\nc = "é"\nd = [true, { e = -1 }]\n'
TABLE = {"a": 1, "b": 1.0, "c": "é", "d": [True, {"e": -1}]}
SHIPPED = sorted(
    path for folder in ("packs", "contracts") for path in (ROOT / "firmware_config" / folder).glob("*.toml")
)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were parsed."""
    texts: list[str] = []

    def parse(text: str) -> dict[str, Any]:
        texts.append(text)
        return parse_toml(text)

    monkeypatch.setattr(kept_toml, "parse_toml", parse)
    return texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that is made when it is needed."""
    return tmp_path / "made" / "tables"


def only(folder: Path) -> Path:
    """The one file there."""
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_a_release_ships_is_the_same_kept(path: Path, folder: Path, parsed: list[str]) -> None:
    text = path.read_text("utf-8")
    first, second = KeptToml(folder)(text), KeptToml(folder)(text)
    assert parsed == [text]
    assert repr(first) == repr(second) == repr(tomllib.loads(text)), "the same values, kinds and order"


def test_another_text_is_another_table(folder: Path, parsed: list[str]) -> None:
    assert KeptToml(folder)(TEXT) == TABLE
    assert KeptToml(folder)(TEXT.replace("-1", "-2"))["d"][1] == {"e": -2}
    assert KeptToml(folder)(TEXT) == TABLE
    assert len(parsed) == 2


def test_nobody_else_may_read_or_write(folder: Path) -> None:
    KeptToml(folder)(TEXT)
    assert folder.stat().st_mode & 0o077 == 0
    assert only(folder).stat().st_mode & 0o077 == 0


def flipped(path: Path) -> None:
    """One digit of the table, which stays good JSON."""
    path.write_bytes(path.read_bytes().replace(b'"a": 1', b'"a": 7'))


def linked(path: Path) -> None:
    """The right octets, but in a file that lies elsewhere."""
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def piped(path: Path) -> None:
    """Something that would be waited for."""
    path.unlink()
    os.mkfifo(path)


def another_kind(path: Path) -> None:
    """Whole, but no table."""
    body = b"[1]"
    path.write_bytes(kept_toml._digest(body) + body)


@pytest.mark.parametrize(
    "harm",
    [
        flipped, linked, piped, another_kind, Path.unlink, lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.chmod(0o660),
        lambda path: path.write_bytes(path.read_bytes() + b" " * kept_toml.FILE_BYTES_MAX),
    ],
)  # fmt: skip
def test_what_cannot_be_trusted_is_parsed_again(
    harm: Callable[[Path], object], folder: Path, parsed: list[str]
) -> None:
    KeptToml(folder)(TEXT)
    harm(only(folder))
    assert KeptToml(folder)(TEXT) == TABLE
    assert len(parsed) == 2
    assert KeptToml(folder)(TEXT) == TABLE
    assert len(parsed) == 2, "and kept again"


def test_a_folder_that_others_write_is_not_used(folder: Path, parsed: list[str]) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o770)
    assert [KeptToml(folder)(TEXT), KeptToml(folder)(TEXT)] == [TABLE, TABLE]
    assert len(parsed) == 2
    assert list(folder.iterdir()) == []


def test_a_folder_of_somebody_else_is_not_used(
    folder: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    KeptToml(folder)(TEXT)
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    assert KeptToml(folder)(TEXT) == TABLE
    assert len(parsed) == 2


def test_no_folder_at_all(tmp_path: Path, parsed: list[str]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path)
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "link"):
        assert KeptToml(folder)(TEXT) == TABLE
    assert len(parsed) == 3


@pytest.mark.parametrize("text", ["day = 2026-11-23", "x = nan", "x = inf", f"x = '{'a' * kept_toml.FILE_BYTES_MAX}'"])
def test_what_json_cannot_hold_is_parsed_each_time(text: str, folder: Path, parsed: list[str]) -> None:
    assert repr(KeptToml(folder)(text)) == repr(KeptToml(folder)(text)) == repr(tomllib.loads(text))
    assert len(parsed) == 2
    assert list(folder.iterdir()) == []


def test_refusals_are_the_parser_s(folder: Path) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        KeptToml(folder)("a = ")
    with pytest.raises(RecursionError):
        KeptToml(folder)("a = " + "[" * 5000)
    assert list(folder.iterdir()) == []


def test_a_disk_that_refuses_costs_a_parse_and_no_more(
    folder: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_toml, "write_atomically", full)
    assert [KeptToml(folder)(TEXT), KeptToml(folder)(TEXT)] == [TABLE, TABLE]
    assert len(parsed) == 2


def test_the_folder_does_not_grow(folder: Path) -> None:
    kept = KeptToml(folder)
    first = json.dumps(kept("n = -1"))
    for number in range(FILES_MAX + 20):
        kept(f"n = {number}")
    assert len(list(folder.iterdir())) == FILES_MAX
    assert json.dumps(kept("n = -1")) == first
