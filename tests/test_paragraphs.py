"""Sentences in a terminal's width."""

import os
import sys

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


def test_a_terminal_has_a_width_and_a_pipe_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "63")
    assert terminal_width() is None
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert terminal_width() == 63
        monkeypatch.undo()
    os.close(controller)


def test_one_and_several() -> None:
    assert [counted(number, "device") for number in (0, 1, 2)] == ["0 devices", "1 device", "2 devices"]
