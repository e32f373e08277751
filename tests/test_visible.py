import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pump 7", "pump 7"),
        ("Stationsgerät Ü", "Stationsgerät Ü"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("x\r\nBcc: y", "x⟨U+000D⟩⟨U+000A⟩Bcc: y"),
        ("\ud800", "⟨U+D800⟩"),
        ("w\u0301\u0301\u0301", "w\u0301\u0301⟨U+0301⟩"),
        ("<b>", "<b>"),
        (7, "7"),
    ],
)
def test_what_is_invisible_is_shown(text: object, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_the_result_never_holds_a_hidden_character_and_is_bounded(text: str) -> None:
    shown = visible(text, 50)
    assert shown.isprintable()
    assert len(shown) <= 50 * 10 + 1


def test_a_long_text_is_cut() -> None:
    assert visible("x" * 4096, 10) == "x" * 10 + "…"
