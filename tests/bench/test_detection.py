"""The table of misbehaviours on its page is that of this build, and a few of them are told on a ward of minutes."""

import pytest

from agent.findings.catalogue import CATALOGUE
from tests.bench.detection import CHUNK_S, played
from tests.bench.detection_page import DESIGNED, PAGE, Outcome, capture_lines, lines_by_title, others, rewritten
from tests.bench.detection_page import section as section_of
from tests.bench.device_days import Tap
from tests.service.test_replay_findings import EXPECTED
from tests.simulators.bursts import HASHES, THIN
from tests.simulators.misbehaviour import MISBEHAVIOURS
from tests.simulators.ward_days import life

BEGINS_S = 1217.0  # twenty minutes: the devices are known, nothing is learned
SHARE = 0.1
QUICK = {
    "pump talks to a public address", "modality looks for file shares (WannaCry)", "Telnet to a pump",
    "monitor contacts the address in Contec firmware", "board gives out addresses and names itself",
    "board passes on what goes to the PACS", "pump hides data in names", "tap's clock is set two hours back",
    "urgent data of no length to a monitor (URGENT/11)", "modality mines", "workstation opens a session on a pump",
    "tap loses two frames in a hundred",
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    """docs/findings.md."""
    return PAGE.read_text(encoding="utf-8")


def test_every_row_stands_on_the_page_and_no_other(page: str) -> None:
    """After a row is added: `python -m tests.bench.detection --write`."""
    standing = lines_by_title(page)
    assert list(standing) == [row.title for row in MISBEHAVIOURS]
    assert all(f"| `{row.finding}` |" in standing[row.title] for row in MISBEHAVIOURS)


def test_what_this_build_cannot_say_is_said_so(page: str) -> None:
    """After an id is added to the catalogue: `python -m tests.bench.detection --rows`."""
    assert [line for line in section_of(page).splitlines() if line.startswith("| | ")] == others(MISBEHAVIOURS)


def test_the_count_is_that_of_the_lines(page: str) -> None:
    lines = lines_by_title(page).values()
    good = sum("**" not in line for line in lines)
    assert section_of(page).startswith(f"{good} of {len(lines)} told in time ")
    assert good >= 0.95 * len(lines)


def test_captures_on_the_page_are_those_that_are_tested(page: str) -> None:
    pairs = {(f"`{name}`", f"`{wanted}`") for name, ids in EXPECTED.items() for wanted in ids}
    told = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in capture_lines(page)]
    assert told
    assert set(told) <= pairs


def test_every_id_of_the_catalogue_is_played_and_no_title_twice() -> None:
    assert {row.finding for row in MISBEHAVIOURS} == set(CATALOGUE), "an id without a play"
    assert len({row.title for row in MISBEHAVIOURS}) == len(MISBEHAVIOURS)


def test_nothing_can_look_passed_that_was_not_played(page: str) -> None:
    missed, late = Outcome("a", "mining", raised=False), Outcome("b", "mining", True, "page", 90, 80, 60, "Said.")
    assert not missed.good
    assert not late.good
    made = rewritten(page, [missed.line(), late.line()], [], (), "0 of 2 told in time (never).")
    assert list(lines_by_title(made)) == ["a", "b"]
    made = section_of(made)
    assert [made.count("**missed**"), made.count("**late**")] == [1, 1]
    assert made.count("not in this build") == len(set(DESIGNED) - set(CATALOGUE))


@pytest.mark.skipif(THIN > 1, reason="hours of frames need the compiled kernels")
@HASHES
def test_a_few_are_told_on_a_small_ward() -> None:
    tap = Tap(life(1, share=SHARE))
    tap.hear(0, BEGINS_S - BEGINS_S % CHUNK_S)
    calm = MISBEHAVIOURS[0]._replace(play=lambda _stage: None, lasts_s=60)
    assert not played(tap, calm, BEGINS_S).raised
    rows = [row._replace(lasts_s=60) for row in MISBEHAVIOURS if row.title in QUICK]
    assert len(rows) == len(QUICK)
    outcomes = [played(tap, row, BEGINS_S + (n + 1) * (60 + 2 * CHUNK_S)) for n, row in enumerate(rows)]
    assert not [one for one in outcomes if not one.good]
