import dataclasses

import pytest

from agent.collector.history import SENTENCES, Known, contradictions
from agent.wire.header import Header

NOTHING = Known(None, None, None, None, 0, None, None)
RUN, OLD = b"r" * 16, b"o" * 16
HEADER = Header("tap-1", "ward", "sensor", b"b" * 16, RUN, OLD, 7, 5, b"p" * 32, 1, 1, "none", -1)
SHA = b"s" * 32


def known(**changes: object) -> Known:
    return dataclasses.replace(NOTHING, **changes)  # type: ignore[arg-type]


def test_an_honest_record_contradicts_nothing() -> None:
    around = known(
        previous_sha256=b"p" * 32, next_prev=SHA, run_before=(OLD, 7), successor_before_seq=5, predecessor_max_seq=7
    )
    assert contradictions(HEADER, SHA, around) == []
    assert contradictions(HEADER, SHA, NOTHING) == []


def test_the_same_record_again_is_no_contradiction_whatever_else_is_known() -> None:
    assert contradictions(HEADER, SHA, known(stored_sha256=SHA, siblings=1)) == []


@pytest.mark.parametrize(
    ("around", "token"),
    [
        ({"stored_sha256": b"x" * 32}, "same-key"),
        ({"siblings": 1}, "two-successors"),
        ({"successor_before_seq": 4}, "after-successor"),
        ({"predecessor_max_seq": 8}, "after-successor"),
        ({"run_before": (OLD, 6)}, "before-changed"),
        ({"previous_sha256": b"x" * 32}, "chain"),
        ({"next_prev": b"x" * 32}, "chain"),
    ],
)
def test_each_contradiction_is_seen(around: dict[str, object], token: str) -> None:
    assert contradictions(HEADER, SHA, known(**around)) == [token]
    assert token in SENTENCES


def test_a_first_run_has_no_siblings_to_contradict() -> None:
    first = dataclasses.replace(HEADER, before_run=b"", before_seq=0)
    assert contradictions(first, SHA, known(siblings=3)) == []


def test_a_run_starts_its_chain_with_zeros() -> None:
    first = dataclasses.replace(HEADER, seq=1)
    assert contradictions(first, SHA, NOTHING) == ["chain"]
    assert contradictions(dataclasses.replace(first, prev=bytes(32)), SHA, NOTHING) == []
