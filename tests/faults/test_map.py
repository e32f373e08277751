"""The map in README.md names every attack, and tests that exist."""

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "tests" / "faults" / "README.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| (C\d+)? ?\|", line)]
SPAN = re.compile(r"`([^`]+)`")


def test_no_attack_is_missing() -> None:
    named = re.findall(r"^\| C(\d+) \|", PAGE, re.MULTILINE)
    assert [int(number) for number in named] == list(range(1, 16))


@pytest.mark.parametrize("row", ROWS)
def test_the_tests_of_a_row_exist(row: str) -> None:
    """A span is a file, a file and a test, or `::test` of the file before it; `...` leaves the rest of a name out."""
    file, found = "", 0
    for span in SPAN.findall(row):
        name = re.match(r"((?:[a-z]+/)?[a-z_]+\.py)?(?:\.\.\.)?(?:\[[^\]]*\])?(?:::(test_\w+))?", span)
        if name is None or not (name[1] or name[2]):
            continue
        file = name[1] or file
        path = ROOT / "tests" / (file if "/" in file else f"faults/{file}")
        assert path.is_file(), f"{span}: no such file"
        if name[2]:
            test = name[2].removesuffix("_")
            assert re.search(rf"def {test}\w*\(", path.read_text(encoding="utf-8")), f"{span}: no such test in {file}"
        found += 1
    assert found, row
