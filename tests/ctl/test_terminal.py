from hypothesis import given
from hypothesis import strategies as st

from agent.ctl.terminal import printable, table, when


@given(st.text())
def test_nothing_that_moves_a_cursor_is_printed(text: str) -> None:
    assert printable(text).isprintable()


def test_hostile_strings() -> None:
    assert printable("\x1b[2J\u202e") == "⟨U+001B⟩[2J⟨U+202E⟩"
    assert printable("a\nb") == "a⟨U+000A⟩b"
    assert len(printable("x" * 4096)) == 81


def test_a_table_has_straight_columns_and_one_line_per_row() -> None:
    lines = table(("a", "b"), [("x\ny", 1), ("zz", "w" * 200)]).splitlines()
    assert len(lines) == 4
    assert lines[0].index("b") == lines[2].index("1")
    assert lines[3].endswith("w" * 200)


def test_times() -> None:
    assert (when(0), when(1_700_000_000_000_000_000), when(10**40)) == ("-", "2023-11-14 22:13:20", "?")
