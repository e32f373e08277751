"""Change windows are for a role and a time."""

import pytest

from agent.findings.settings import ChangeWindow, JudgeSettings


@pytest.mark.parametrize(
    ("role", "now_ns", "inside"),
    [("pacs", 10, True), ("pacs", 19, True), ("pacs", 20, False), ("pacs", 9, False), ("printer", 10, False)],
)
def test_change_windows(role: str, now_ns: int, inside: bool) -> None:
    assert JudgeSettings(change_windows=(ChangeWindow("pacs", 10, 20),)).in_change_window(role, now_ns) is inside


def test_a_window_for_everybody() -> None:
    assert JudgeSettings(change_windows=(ChangeWindow("*", 10, 20),)).in_change_window("printer", 10)
    assert not JudgeSettings().in_change_window("printer", 10)
