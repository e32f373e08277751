"""The figures of docs/agreement.md, made from every capture: `python -m tests.agreement.table --write`."""

import sys
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

from tests.agreement.community import library
from tests.agreement.compare import Outcome, compare_files
from tests.agreement.reasons import ID_REASONS, REASONS
from tests.agreement.tshark import PROGRAM, version
from tests.conftest import ROOT, captures_folder

PAGE = ROOT / "docs" / "agreement.md"
BEGIN, END = "<!-- made by: python -m tests.agreement.table --write -->\n", "<!-- end of what is made -->\n"


def capture_files(folder: Path) -> list[Path]:
    """Every capture file that the catalogue names."""
    rows = (folder / "catalogue.tsv").read_text(encoding="utf-8").splitlines()
    column = rows[0].split("\t").index("file")
    return [folder / row.split("\t")[column] for row in rows[1:]]


def total(outcomes: dict[str, Outcome]) -> Outcome:
    """All of them added up."""
    added = Outcome()
    for outcome in outcomes.values():
        added.add(outcome)
    return added


def _row(*cells: object) -> str:
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |"


def _figures(all_of_it: Outcome) -> list[str]:
    return [
        "| | |",
        "|---|---|",
        _row("captures, with", all_of_it.captures),
        _row("frames, of which", all_of_it.frames),
        _row("without an IP packet, to both", all_of_it.no_ip),
        _row("biflows compared", all_of_it.biflows),
        _row("**equal in packets and octets, each way**", all_of_it.equal),
        _row("packets in these", all_of_it.packets),
        _row("octets in these", all_of_it.octets),
        _row("within the bounds of a reason", all_of_it.bounded),
        _row("**different without a reason**", len(all_of_it.differences)),
        _row("biflows that wardtap leaves out whole, for a reason", all_of_it.left_out),
        _row("directions of `-z conv` conversations: equal in packets", all_of_it.conversations),
        _row("the same: counted by tshark in another way (copies, tunnels, fragments)", all_of_it.not_as_conversations),
        _row("**Community IDs equal to the reference library's**", all_of_it.ids),
        _row("Community IDs equal to tshark's own", all_of_it.ids_of_tshark),
    ]


def _reasons(all_of_it: Outcome) -> list[str]:
    rows = ["| reason | effect | frames | biflows | what it means |", "|---|---|---:|---:|---|"]
    for reason in REASONS:
        frames, biflows = all_of_it.frames_by[reason], all_of_it.biflows_by[reason]
        rows.append(_row(f"`{reason.name}`", reason.effect, frames, biflows, reason.meaning))
    return rows


def _ids(all_of_it: Outcome) -> list[str]:
    rows = ["| reason | biflows | what it means |", "|---|---:|---|"]
    return rows + [_row(f"`{reason.name}`", all_of_it.ids_by[reason], reason.meaning) for reason in ID_REASONS]


def _topics(outcomes: dict[str, Outcome]) -> list[str]:
    rows = ["| captures of | files | biflows | equal | within bounds | left out |", "|---|---:|---:|---:|---:|---:|"]
    for topic in sorted({name.partition("/")[0] for name in outcomes}):
        part = total({name: outcome for name, outcome in outcomes.items() if name.startswith(f"{topic}/")})
        rows.append(_row(topic, part.captures, part.biflows, part.equal, part.bounded, part.left_out))
    return rows


def tables(outcomes: dict[str, Outcome]) -> str:
    """All tables, without what depends on the day."""
    all_of_it = total(outcomes)
    parts = (_figures(all_of_it), _reasons(all_of_it), _ids(all_of_it), _topics(outcomes))
    return "\n\n".join("\n".join(rows) for rows in parts) + "\n"


def witnesses() -> str:
    """The tools that were compared with."""
    return f"tshark {version()} and communityid {version_of('communityid')}"


def written(page: str, made: str) -> str:
    """The page with its made part replaced."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + made + END + rest.partition(END)[2]


def main() -> None:
    """Print the tables, or write them into the page."""
    folder = captures_folder()
    if folder is None or PROGRAM is None or library() is None:
        sys.exit("needs tshark, the library communityid and the folder of captures (WARDTAP_CAPTURES)")
    outcomes = {str(path.relative_to(folder)): outcome for path, outcome in compare_files(capture_files(folder))}
    for name, outcome in outcomes.items():
        for difference in outcome.differences:
            sys.stderr.write(f"{name}: {difference}\n")
    made = f"\nWith {witnesses()}, {datetime.now(UTC):%Y-%m-%d}.\n\n{tables(outcomes)}\n"
    if "--write" in sys.argv[1:]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
    else:
        sys.stdout.write(made)


if __name__ == "__main__":
    main()
