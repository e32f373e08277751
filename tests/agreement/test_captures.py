"""wardtap and tshark of the same capture: equal packets and octets each way, or a named reason; equal Community IDs."""

from functools import cache
from pathlib import Path

import pytest

from tests.agreement import table
from tests.agreement.community import library
from tests.agreement.compare import Outcome, compare_files
from tests.agreement.reasons import REASONS, Effect
from tests.agreement.tshark import PROGRAM, version
from tests.golden.flows.make import CAPTURES, WARD
from tests.simulators.bursts import THIN

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no tshark here: install Debian's tshark"),
    pytest.mark.skipif(THIN > 1, reason="too long without the JIT"),
]
TOPICS = (
    *("bench", "benign", "cleartext", "clinical", "encap", "format", "identity", "malformed", "medical", "threats"),
)
LEFT_OUT = {reason for reason in REASONS if reason.effect == Effect.LEFT_OUT}


@cache
def outcomes(folder: Path) -> dict[str, Outcome]:
    """Of every capture, made once: by topic and file, as in the catalogue."""
    return {str(path.relative_to(folder)): outcome for path, outcome in compare_files(table.capture_files(folder))}


def checked(outcome: Outcome) -> None:
    """What holds of every capture."""
    assert not outcome.differences, "\n".join(outcome.differences[:20])
    assert outcome.biflows == outcome.equal + outcome.bounded
    assert sum(outcome.frames_by[reason] for reason in LEFT_OUT) + outcome.packets <= outcome.frames - outcome.no_ip
    if library():
        refused = sum(number for reason, number in outcome.ids_by.items() if reason.name == "no-ports")
        assert outcome.ids + refused == outcome.biflows


def test_the_recorded_ward() -> None:
    ((_, outcome),) = compare_files([WARD])
    checked(outcome)
    assert outcome.frames == 21511
    assert (outcome.biflows, outcome.equal) == (599, 599)
    assert outcome.ids_of_tshark == outcome.biflows
    assert outcome.conversations > 900


def test_the_golden_captures() -> None:
    for path, outcome in compare_files(path for path in CAPTURES.values() if path != WARD):
        assert not outcome.differences, path
        checked(outcome)
        assert outcome.biflows == outcome.equal


@pytest.mark.captures
@pytest.mark.parametrize("topic", TOPICS)
def test_captures_of(topic: str, captures: Path) -> None:
    mine = {name: outcome for name, outcome in outcomes(captures).items() if name.startswith(f"{topic}/")}
    assert mine
    wrong = {name: outcome.differences[:5] for name, outcome in mine.items() if outcome.differences}
    assert not wrong, f"fix it, or name the reason in reasons.py: {wrong}"
    for outcome in mine.values():
        checked(outcome)


@pytest.mark.captures
def test_no_capture_is_forgotten(captures: Path) -> None:
    there = {str(path.relative_to(captures)) for path in captures.glob("*/*.pcap*")}
    assert there == set(outcomes(captures))
    assert {name.partition("/")[0] for name in there} == set(TOPICS)


@pytest.mark.captures
def test_the_figures_of_the_page_are_these(captures: Path) -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    if library() is None or table.witnesses() not in page:
        pytest.skip(f"the page's figures were made with another tshark than {version()}, or another communityid")
    made = table.tables(outcomes(captures))
    assert made in page, "python -m tests.agreement.table --write, and say in the commit why the figures changed"
