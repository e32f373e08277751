from collections.abc import Callable
from pathlib import Path

import pytest

from agent.collector import queries
from agent.collector.intake import Verdict
from agent.collector.store.findings import SEVERITY_RANK, Notices
from agent.collector.store.reader import reading
from agent.collector.store.writer import Store
from agent.findings.catalogue import ELSEWHERE
from agent.wire.chain import Chain
from agent.wire.finding import SEVERITIES
from tests.collector.conftest import Deliver, Message, batch_of
from tests.simulators.reporter import Reporter


def pending(state: Path) -> list[tuple[str, int, int]]:
    with reading(state) as reader:
        rows = reader.rows(
            "SELECT route, urgent, version FROM notices WHERE pending_since_ns IS NOT NULL ORDER BY route"
        )
    return [(row["route"], row["urgent"], row["version"]) for row in rows]


def test_every_severity_of_the_wire_has_a_rank() -> None:
    assert set(SEVERITY_RANK) == set(SEVERITIES)


@pytest.mark.parametrize(
    ("severity", "told"), [("page", True), ("review", False), ("posture", False), ("health", False)]
)
def test_only_a_page_calls_somebody(tap: Reporter, deliver: Deliver, tmp_path: Path, severity: str, told: bool) -> None:
    deliver(tap.finding(sev=severity))
    assert pending(tmp_path) == ([("webhook", 1, 1)] if told else [])


def test_every_route_has_its_own_notice(tap: Reporter, judged: Callable[[Message], Verdict], tmp_path: Path) -> None:
    store = Store.open(tmp_path, Notices(("mail", "webhook"), frozenset({"review", "page"})))
    store.commit(batch_of([judged(tap.finding(sev="review")), judged(tap.finding(sev="review"))]))
    store.close()
    assert pending(tmp_path) == [("mail", 1, 2), ("webhook", 1, 2)]


def test_a_milder_repeat_of_a_page_is_still_a_page(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    deliver(tap.finding(), tap.finding(sev="posture"))
    assert pending(tmp_path) == [("webhook", 1, 2)]


def test_contradictions_of_one_tap_are_one_finding_that_counts_up(
    tap: Reporter, deliver: Deliver, tmp_path: Path
) -> None:
    deliver(tap.summary())
    for number in range(3):
        twin = Chain("tap-1", "ward", "sensor", tap.boot, tap.chain.run, b"", 0, tap.clock)
        deliver(tap.finding(twin, cause=f"c{number}"))
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
    assert (finding["id"], finding["count"], finding["tier"]) == ("equivocation", 3, "none")
    assert finding["step"] == ELSEWHERE["equivocation"].next_step
    assert pending(tmp_path)[0][0] == "webhook"


def test_a_finding_that_is_held_back_from_now_on_calls_nobody(tap: Reporter, deliver: Deliver, tmp_path: Path) -> None:
    """Its tap says it once more, so that the page shows until when; whoever explained it knows already."""
    until = ["suppressed-until", "2026-12-01T00:00:00Z"]
    deliver(tap.finding(sev="review"), tap.finding(sev="page", ev=[until]))
    assert pending(tmp_path) == []
    with reading(tmp_path) as reader:
        (finding,) = queries.findings(reader)
    assert {"name": until[0], "value": until[1]} in finding["evidence"]
    assert finding["suppressed_until"] == until[1]
    deliver(tap.finding(sev="page"))
    assert [row[0] for row in pending(tmp_path)] == ["webhook"]
    with reading(tmp_path) as reader:
        assert queries.findings(reader)[0]["suppressed_until"] == "", "it goes on"
