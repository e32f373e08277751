"""Severities have an order, and every one of them has a place in it."""

from agent.findings.draft import RANK, Draft, Subject
from agent.findings.records import Finding, Severity


def test_every_severity_has_a_rank_of_its_own() -> None:
    assert set(RANK) == set(Severity)
    assert sorted(RANK, key=RANK.__getitem__, reverse=True)[:2] == [Severity.PAGE, Severity.REVIEW]


def test_a_draft_folds_with_nothing_unless_it_says_so() -> None:
    finding = Finding("host-sweep", Severity.REVIEW, 1, "unknown", "none", 0, 0, 0, 1, "X.", (), (), "c", "", "")
    draft = Draft(finding, Subject(1))
    assert (draft.groups, draft.explains, draft.part_of) == ((), (), ())
