"""The matrix is whole: every row has its tests, they exist, and the page of the full form can be written."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.faults.matrix import COUNTS, EXCUSES, ROWS, count, selected
from tests.faults.soak import BEGIN, END, Outcome, line, longest_first, main, nodes, outcome, total, write

WANTED = [f"A{n}" for n in range(1, 12)] + [f"B{n}" for n in range(1, 11)] + [f"D{n}" for n in range(1, 13)]
PAGE = (ROOT / "tests" / "faults" / "delivery.md").read_text(encoding="utf-8")


def test_no_row_is_missing() -> None:
    assert [*WANTED, "E1", "E2", "E3", "E4", "E11"] == list(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_tests_that_exist(row: str) -> None:
    assert nodes(row)
    for node in nodes(row):
        file, _, name = node.partition("::")
        assert (ROOT / file).is_file()
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("row", [row for row in ROWS if row != "E11"])
def test_every_row_is_on_the_page(row: str) -> None:
    assert re.search(rf"^\| ([A-E0-9, ]+, )?{row}(, [A-E0-9, ]+)? \|", PAGE, re.MULTILINE)


def test_a_test_knows_its_rows() -> None:
    node = "faults/test_kills.py::test_broker_killed_and_its_state[deleted]"
    assert selected(node) == ["B2"]
    assert selected("spool/test_writer.py::test_lanes_are_files_of_their_own") == []


def test_counts_grow_and_belong_to_rows() -> None:
    for name, (short, full) in COUNTS.items():
        assert name.partition("-")[0] in ROWS
        assert short < full
        assert count(name) in {short, full}


def test_the_table_keeps_other_rows_and_their_order(tmp_path: Path) -> None:
    page, counted = tmp_path / "page.md", tmp_path / "tally"
    page.write_text(f"Before.\n\n{BEGIN}\n{END}\n\nAfter.\n", encoding="utf-8")
    counted.write_text(
        '{"row": "B2", "sent": 1200, "faults": 3, "lost": 0, "duplicated": 0, "note": "x"}\n' * 2, encoding="utf-8"
    )
    write(page, [line("B2", Outcome(2, 0, [], ended=False), total(counted), 61.4)])
    write(page, [line("A2", Outcome(1, 0, ["no strace"], ended=False), total(tmp_path / "none"), 2.0)])
    write(page, [line("B2", Outcome(1, 1, [], ended=False), total(counted), 1.0)])
    text = page.read_text(encoding="utf-8")
    rows = [each for each in text.splitlines() if re.match(r"\| [A-E]\d", each)]
    assert text.startswith("Before.\n\n")
    assert text.endswith("\n\nAfter.\n")
    assert [each.split(" | ")[0] for each in rows] == ["| A2", "| B2"]
    assert "| - | - | - | - | not run: no strace |" in rows[0]
    assert "| 2,400 | 6 | 0 | 0 | NOT HELD; x; x |" in rows[1]


def test_what_took_longest_begins_first(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    counted = total(tmp_path / "none")
    for row, seconds in (("B2", 61.0), ("A2", 1200.0), ("E1", 300.0)):
        write(page, [line(row, Outcome(1, 0, [], ended=False), counted, seconds)])
    assert longest_first(page, ["A2", "B2", "B3", "E1"]) == ["B3", "A2", "E1", "B2"]
    assert longest_first(tmp_path / "none.md", ["A2", "B2"]) == ["A2", "B2"]


def test_the_report_and_the_exit_code_are_believed_together(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        """<testsuites><testsuite><testcase name="a"/><testcase name="b"><skipped message="no strace"/></testcase>
        </testsuite></testsuites>"""
    )
    assert outcome(report, 0, ended=False) == Outcome(1, 0, ["no strace"], ended=False)
    assert outcome(report, 2, ended=False).verdict == "NOT HELD", "interrupted"
    report.write_text(report.read_text().replace('name="a"/>', 'name="a"><failure/></testcase>'))
    assert outcome(report, 1, ended=False).failed == 1
    assert outcome(tmp_path / "none", 0, ended=False).verdict == "NOT HELD"


def test_what_is_left_out_for_a_reason_is_no_skip() -> None:
    assert Outcome(3, 0, ["this kernel mounts no such loop device"], ended=False).verdict == "held"
    assert Outcome(0, 0, [], ended=False).verdict == "NOT HELD", "nothing ran"
    assert Outcome(3, 0, [], ended=True).verdict.startswith("ENDED")
    assert EXCUSES.search("the full form asks for WARDTAP_SLOW=1")


def test_a_row_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["Z9"])
    assert ended.value.code == 2
    assert "no such row: Z9; there are A1" in capsys.readouterr().err
