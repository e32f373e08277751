"""`python -m tests.faults.soak [ROW...] [--page FILE] [--lanes N] [--short]`: the fault matrix in full, and its table.

Each row is a run of pytest with `WARDTAP_SLOW=1`, ended after `ROW_S` at the latest; a few run beside each other, since
most of a row is waiting, those that took longest last time first. The table in the page is written after each, so that
a soak which is ended has left what it had. Rows that are not asked for keep their lines. Root and Debian's packages are
needed: what is skipped counts as not held.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from tests.conftest import ROOT
from tests.faults.matrix import EXCUSES, ROWS

ROW_S = 90 * 60.0  # for what hangs: rows count their work, and a busy machine takes four times as long for it
LANES = 3
GIVE_UP_S = 30.0  # for pytest to take its site apart
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix: begin -->", "<!-- fault matrix: end -->"
HEAD = "| row | fault | what was run | sent | faults | lost | twice | verdict | s | on |\n|" + "---|" * 10
WIDTH = 12  # of a row of the table, split at its bars
FIELDS = ("sent", "faults", "lost", "duplicated")


class Outcome(NamedTuple):
    """How the tests of a row ended."""

    passed: int
    failed: int
    skipped: list[str]
    ended: bool

    @property
    def verdict(self) -> str:
        """In a word; anything but `held` makes the soak fail."""
        if self.ended:
            return f"ENDED after {ROW_S:.0f} s"
        if self.failed or not self.passed:
            return "NOT HELD"
        missing = [reason for reason in self.skipped if not EXCUSES.search(reason)]
        return f"not run: {missing[0][:80]}" if missing else "held"


def nodes(row: str) -> list[str]:
    """A row's tests as pytest takes them; a name that ends in `_` is the beginning of several."""
    found: dict[str, None] = {}
    for test in ROWS[row].tests:
        file, _, name = test.partition("::")
        path = ROOT / "tests" / file
        begun = name.endswith("_")
        text = path.read_text(encoding="utf-8")
        names = [line.split("(")[0].removeprefix("def ") for line in text.splitlines() if line.startswith("def test_")]
        wanted = [each for each in names if each.startswith(name)] if begun else [name]
        assert wanted, f"{row}: {test} is no test"
        found.update(dict.fromkeys(f"tests/{file}{'::' if each else ''}{each}" for each in wanted))
    return list(found)


def run(row: str, folder: Path, *, short: bool) -> tuple[Outcome, dict[str, Any]]:
    """Run a row: how its tests ended, and what they counted in all."""
    report, counted = folder / "report.xml", folder / "tally"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", f"--junitxml={report}", *nodes(row)]
    environment = os.environ | {"WARDTAP_TALLY": str(counted)} | ({} if short else {"WARDTAP_SLOW": "1"})
    with (folder / "said").open("wb") as said:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, start_new_session=True, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        child.wait(ROW_S)
        ended = False
    except subprocess.TimeoutExpired:
        ended = True
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(GIVE_UP_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    return outcome(report, child.returncode, ended=ended), total(counted)


def outcome(report: Path, code: int, *, ended: bool) -> Outcome:
    """What pytest's report and its exit code say: one that was interrupted reports no failure."""
    passed, failed, skipped = 0, 0, []
    for case in ET.parse(report).iter("testcase") if report.exists() else []:
        why = case.find("skipped")
        if why is not None:
            skipped.append(str(why.get("message")))
        elif case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        else:
            passed += 1
    return Outcome(passed, failed or int(code != 0), skipped, ended)


def total(counted: Path) -> dict[str, Any]:
    """The sum of what the tests of a row counted; `-` where none of them counts."""
    lines = [json.loads(line) for line in counted.read_text().splitlines()] if counted.exists() else []
    sums: dict[str, Any] = {name: f"{sum(line[name] for line in lines):,}" if lines else "-" for name in FIELDS}
    return sums | {"note": "; ".join(line["note"] for line in lines if line["note"])}


def line(row: str, found: Outcome, counted: dict[str, Any], seconds: float) -> str:
    """A row of the table."""
    files = dict.fromkeys(Path(test.partition("::")[0]).stem for test in ROWS[row].tests)
    what = f"{', '.join(files)}: {found.passed} test{'s' * (found.passed != 1)}"
    noted = f"{found.verdict}; {counted['note']}" if counted["note"] else found.verdict
    figures = " | ".join(counted[name] for name in FIELDS)
    day = datetime.now(UTC).date().isoformat()
    return f"| {row} | {ROWS[row].fault} | {what} | {figures} | {noted} | {seconds:.0f} | {day} |"


def write(page: Path, lines: Iterable[str]) -> None:
    """Put rows into the page's table, in the order of the matrix; other rows stay."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text or END not in text:
        text += f"\n{BEGIN}\n{END}\n"
    before, _, rest = text.partition(BEGIN)
    table, _, after = rest.partition(END)
    held = {each.split("|")[1].strip(): each for each in (*table.splitlines(), *lines) if each.startswith("| ")}
    body = "\n".join(held[row] for row in ROWS if row in held)
    page.write_text(f"{before}{BEGIN}\n{HEAD}\n{body}\n{END}{after}", encoding="utf-8")


def longest_first(page: Path, rows: Iterable[str]) -> list[str]:
    """Rows in the order in which to begin them; one that never ran comes first."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    cells = [each.split("|") for each in text.splitlines() if each.startswith("| ")]
    took_s = {cell[1].strip(): float(cell[9]) for cell in cells if len(cell) == WIDTH and cell[9].strip().isdigit()}
    return sorted(rows, key=lambda row: -took_s.get(row, ROW_S))


def main(words: Sequence[str]) -> int:
    """0 when every row that was asked for held."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description="The fault matrix, in full.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="such as A1 (default: all)")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the table stands (default: docs/reliability.md)")
    parser.add_argument("--lanes", type=int, default=LANES, help=f"how many rows at once (default: {LANES})")
    parser.add_argument("--short", action="store_true", help="as often as every run of the tests does")
    options = parser.parse_args(words)
    strange = [row for row in options.rows if row not in ROWS]
    if strange:
        parser.error(f"no such row: {', '.join(strange)}; there are {', '.join(ROWS)}")
    rows = longest_first(options.page, options.rows or ROWS)
    turn, verdicts = threading.Lock(), dict[str, str]()

    def one(row: str) -> None:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found, counted = run(row, Path(folder), short=options.short)
            said = (Path(folder) / "said").read_text(encoding="utf-8", errors="replace")
        with turn:
            write(options.page, [line(row, found, counted, time.monotonic() - began)])
            verdicts[row] = found.verdict
            sys.stdout.write(f"\n==== {row}: {ROWS[row].fault}\n{said}{row}: {found.verdict}\n")
            sys.stdout.flush()

    with ThreadPoolExecutor(options.lanes) as lanes:
        list(lanes.map(one, rows))
    bad = {row: verdict for row, verdict in verdicts.items() if verdict != "held"}
    rest = f", not {bad}" if bad else ""
    sys.stdout.write(f"\n{len(verdicts) - len(bad)} of {len(verdicts)} rows held{rest}; table in {options.page}\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
