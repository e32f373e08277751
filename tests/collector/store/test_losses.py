"""spool-loss: what a tap discarded is told once for each record, and only when nobody has it."""

from pathlib import Path

import pytest

from agent.collector import queries
from agent.collector.records import COUNT_MAX
from agent.collector.store.reader import reading
from agent.findings.catalogue import ELSEWHERE
from agent.wire.delivery import Gap
from agent.wire.types import MessageType
from tests.collector.conftest import Deliver, Message
from tests.simulators.reporter import Reporter

Ranges = tuple[tuple[int, int, str, str], ...]


def gap(tap: Reporter, ranges: Ranges) -> Message:
    """A gap of the tap's own run."""
    return tap.sealed(MessageType.GAP, Gap("sensor", tap.chain.run, ranges).to_content())


def losses(state: Path) -> list[dict[str, object]]:
    """The collector's findings of this id."""
    with reading(state) as reader:
        return [found for found in queries.findings(reader) if found["id"] == "spool-loss"]


def test_a_loss_is_told_with_what_was_lost(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    kept = [tap.summary() for _ in range(4)]
    deliver(kept[3], gap(tap, ((1, 2, "summary", "full"), (3, 3, "finding", "damaged"))))
    (found,) = losses(tmp_path)
    assert (found["severity"], found["source"], found["count"]) == ("health", "collector", 3)
    assert found["sentence"] == (
        "The tap tap-1 lost what it had to report before it could be delivered: 1 findings, 2 summaries."
    )
    assert found["step"] == ELSEWHERE["spool-loss"].next_step


def test_what_is_stored_or_was_declared_is_no_loss(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.summary(), tap.summary(), gap(tap, ((1, 2, "summary", "full"),)))
    assert not losses(tmp_path), "both are here"
    lost = [tap.summary() for _ in range(3)]
    deliver(gap(tap, ((4, 5, "unknown", "missing"),)), gap(tap, ((4, 6, "unknown", "missing"),)))
    (found,) = losses(tmp_path)
    assert found["count"] == 3, "4 and 5, then 6: nothing twice"
    deliver(*lost)
    assert losses(tmp_path)[0]["count"] == 3


@pytest.mark.parametrize(
    ("ranges", "count"),
    [
        (((9, 3, "summary", "inverted"),), None),
        (((5, 2**64 - 1, "summary", "endless"),), None),
        (((5, 2**63 - 1, "x", "endless"),), None),
        (((5, 2**63 - 2, "x", "endless"),), COUNT_MAX),
        (((5, 6, "x" * 16, "\u202e"),), 2),
    ],
)
def test_hostile_gaps(tap: Reporter, deliver: Deliver, tmp_path: Path, ranges: Ranges, count: int | None) -> None:
    deliver(tap.summary(), gap(tap, ranges))
    found = losses(tmp_path)
    assert [loss["count"] for loss in found] == ([] if count is None else [count])
