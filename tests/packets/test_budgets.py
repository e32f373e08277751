"""Limits that make sense together."""

from agent.packets import budgets
from agent.packets.hints.records import PAYLOAD_MAX_OCTETS


def test_limits_are_nested() -> None:
    assert budgets.HINTS_PER_SOURCE < budgets.HINTS_PER_KIND < budgets.HINTS_PER_SECOND
    assert budgets.HINTS_PER_SECOND <= budgets.LOOKS_WHEN_FULL < budgets.LOOKS_PER_KIND < budgets.LOOKS_PER_SECOND


def test_kernels_and_readers_agree_on_what_may_be_seen() -> None:
    assert budgets.HINT_OCTETS_MAX == PAYLOAD_MAX_OCTETS


def test_columns_are_distinct_and_fit() -> None:
    columns = {
        budgets.LEFT, budgets.PER_SOURCE_MAX, budgets.SKIPPED, budgets.REPEATED, budgets.PER_KIND_MAX,
        budgets.LOOKS_LEFT, budgets.LOOKS_PER_KIND_MAX, budgets.UNSEEN, budgets.JOINABLE,
    }  # fmt: skip
    assert columns == set(range(budgets.BUDGET_SIZE))
    assert {budgets.NEWS, budgets.LOOKS} == set(range(budgets.PER_KIND_SIZE))
