from agent.ctl.terminal import table, when


def test_a_table_has_straight_columns_and_one_line_per_row() -> None:
    lines = table(("a", "b"), [("x\ny", 1), ("zz", "w" * 200)]).splitlines()
    assert len(lines) == 4
    assert lines[0].index("b") == lines[2].index("1")
    assert lines[3].endswith("w" * 200)


def test_what_a_narrow_terminal_has_no_room_for_stands_below() -> None:
    heads, row = ("number", "id", "sentence"), (7, "new-edge", "Printer 00:1b:78:20:a4:c1 talked to 10.1.1.1. " * 3)
    told = table(heads, [row], 40).splitlines()
    assert told[0].split() == ["number", "id"]
    assert max(map(len, told)) <= 40
    assert " ".join(" ".join(told[3:]).split()) == row[2].strip()
    assert "id new-edge, sentence" in table(heads, [row], 12).replace("\n", " ").replace("     ", " ")
    assert len(table(heads, [row]).splitlines()) == 3


def test_times() -> None:
    assert (when(0), when(1_700_000_000_000_000_000), when(10**40)) == ("-", "2023-11-14 22:13:20", "?")
