"""How a program ends, and what the help of a command says first."""

import argparse

import pytest

from agent.command_line import INTERRUPTED, OWN_FAULT, described, ended
from agent.errors import InputError


def _raises(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("is no capture\x1b[2J", where="a.pcap"), 2, "wardtap: a.pcap: is no capture⟨U+001B⟩[2J\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
        (ValueError("Anna Muster"), OWN_FAULT, "wardtap: a fault of its own: ValueError at test_command_line.py:12\n"),
    ],
)
def test_each_end_has_its_code_and_one_line(
    error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WARDTAP_DEBUG", raising=False)
    assert ended("wardtap", lambda: _raises(error)) == code
    assert capsys.readouterr().err == said
    assert ended("wardtap", lambda: 3) == 3


def test_the_help_of_a_command_says_what_it_does() -> None:
    parser = argparse.ArgumentParser()
    outer = parser.add_subparsers().add_parser("keys", help="keys and the trust table")
    outer.add_subparsers().add_parser("new", help="draw one")
    described(parser)
    assert "Keys and the trust table." in outer.format_help()
    assert "Draw one." in outer._actions[1].choices["new"].format_help()  # type: ignore[index, call-overload]
