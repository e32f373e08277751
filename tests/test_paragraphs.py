"""Sentences in a terminal's width."""

import os

import pytest

from agent.paragraphs import ROOM_MIN, counted, terminal_width, wrapped

TEXT = "Infusion pump 00:d0:75:18:42:9b (Alaris Medical) tried TCP port 445 (SMB), ICSMA-23-194-01 says why."


@pytest.mark.parametrize("width", [40, 80, 140])
def test_lines_end_between_words_and_say_everything(width: int) -> None:
    told = wrapped(TEXT, width, "  page ")
    assert max(map(len, told)) <= width
    assert all(line.startswith("       ") for line in told[1:])
    assert " ".join(line.strip() for line in told) == f"page {TEXT}"


def test_in_a_narrow_terminal_the_indent_gives_way() -> None:
    told = wrapped(TEXT, ROOM_MIN, " " * 30)
    assert max(map(len, told)) <= ROOM_MIN
    assert "".join(told).replace(" ", "") == TEXT.replace(" ", "")


def test_a_file_gets_one_line() -> None:
    assert wrapped(TEXT * 9, None, "  ") == [f"  {TEXT * 9}"]


def test_the_width_is_what_the_person_says_and_none_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "63")
    assert terminal_width() == 63
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(os, "get_terminal_size", _nobody)
    assert terminal_width() is None


def _nobody(_: int) -> os.terminal_size:
    raise OSError


def test_one_and_several() -> None:
    assert [counted(number, "device") for number in (0, 1, 2)] == ["0 devices", "1 device", "2 devices"]
