"""The words of `wardtap findings`."""

import pytest

from agent.service.cli import main


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["explain"],
        ["test"],
        ["suppress", "x", "--cause", "c", "--owner", "o", "--why", "w", "--into", "d"],
        ["suppress", "x", "--cause", "c", "--owner", "o", "--why", "w", "--into", "d", "--days", "0"],
        ["suppress", "x", "--cause", "c", "--owner", "o", "--why", "w", "--into", "d", "--days", "367"],
        ["suppress", "x", "--cause", "c", "--owner", "o", "--why", "w", "--into", "d", "--days", "\u0663"],
    ],
)
def test_what_is_missing_or_odd_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["findings", *words])
    assert ended.value.code == 2
    assert "usage: wardtap findings" in capsys.readouterr().err


def test_each_word_has_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("list", "explain", "test", "suppress", "suppressions"):
        with pytest.raises(SystemExit) as ended:
            main(["findings", word, "--help"])
        assert ended.value.code == 0
        assert f"wardtap findings {word}" in capsys.readouterr().out
