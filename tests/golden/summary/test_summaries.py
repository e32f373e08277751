"""A capture to exact octets: whatever changes in decoding, flows, devices or identity shows here."""

from typing import Any

import pytest

from agent.wire.codec import unpack
from agent.wire.summary import SCHEMA, Summary
from tests.golden.summary import make
from tests.simulators.bursts import HASHES

pytestmark = HASHES
AGAIN = "if this is meant: python -m tests.golden.summary.make, and say why in the commit"


def difference(wanted: dict[str, Any], told: dict[str, Any]) -> str:
    """The first part that differs, in words."""
    for key, value in wanted.items():
        if value != told.get(key):
            return f"{key}: {value!r} became {told.get(key)!r}; {AGAIN}"
    return AGAIN


def test_exact_octets() -> None:
    told, wanted = make.summaries(), [path.read_bytes() for path in make.files()]
    assert len(told) == len(wanted) == 3, AGAIN
    for number, (now, then) in enumerate(zip(told, wanted, strict=True), 1):
        assert now == then, f"summary {number}: {difference(unpack(then), unpack(now))}"


def test_twice_the_same() -> None:
    assert make.summaries() == make.summaries()


@pytest.mark.parametrize("path", make.files(), ids=lambda path: path.stem)
def test_each_is_what_the_wire_allows_and_names_nobody(path: Any) -> None:
    packed = path.read_bytes()
    content = unpack(packed)
    SCHEMA.check(content, "summary")
    assert Summary.from_content(content).to_content() == content
    assert b"PCU-13408871" not in packed
    assert b"13408871" not in packed


def test_the_story_is_in_them() -> None:
    told = [Summary.from_content(unpack(path.read_bytes())) for path in make.files()]
    assert sum(summary.processed for summary in told) == len(make.capture())
    assert {card.role for summary in told for card in summary.cards} >= {"infusion-pump"}
    edges = [edge for summary in told for edge in summary.edges]
    assert any(edge.peer_address == bytes([203, 0, 113, 77]) and edge.port == 443 for edge in edges)
    assert sum(edge.port == 445 and edge.direction == 0 for edge in edges) >= 20
