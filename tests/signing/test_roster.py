"""The table in use."""

from dataclasses import replace

import pytest

from agent.errors import Refused
from agent.signing.roster import Trust, TrustEntry
from agent.wire.types import Role
from tests.signing.people import AGENT, ENTRIES, OTHER_AGENT, STRANGER, TRUST


def test_a_key_is_found_by_its_id() -> None:
    assert TRUST.find(AGENT.key_id) == ENTRIES[0]
    assert TRUST.find(STRANGER.key_id) is None
    assert [entry.name for entry in TRUST.agents()] == ["tap-1", "tap-2"]
    assert [entry.name for entry in TRUST.by_role("operator")] == ["olga"]
    assert len(TRUST) == len(TRUST.entries()) == len(ENTRIES) + 3


def test_one_key_never_stands_for_two() -> None:
    twice = TrustEntry.for_key(AGENT.public, Role.CUSTODIAN, "carla", "ward")
    with pytest.raises(Refused) as refused:
        Trust([ENTRIES[0], twice])
    assert refused.value.reason == "bad-trust"


@pytest.mark.parametrize("change", [{"name": "Tap 1"}, {"name": ""}, {"site": "a/b"}])
def test_names_are_ids(change: dict[str, str]) -> None:
    with pytest.raises(Refused):
        Trust([replace(ENTRIES[0], **change)])  # type: ignore[arg-type]


def test_an_entry_comes_back() -> None:
    for entry in TRUST.entries():
        assert TrustEntry.from_list(entry.to_list()) == entry


def test_an_entry_whose_id_is_another_keys_is_refused() -> None:
    places = [OTHER_AGENT.key_id, *ENTRIES[0].to_list()[1:]]
    with pytest.raises(Refused) as refused:
        TrustEntry.from_list(places)
    assert refused.value.reason == "bad-key"


def test_an_entry_with_a_small_order_key_is_refused() -> None:
    places = ENTRIES[0].to_list()
    places[1] = b"\x01" + bytes(31)
    with pytest.raises(Refused) as refused:
        TrustEntry.from_list(places)
    assert refused.value.reason == "bad-key"


def test_validity_has_two_ends() -> None:
    entry = replace(ENTRIES[0], not_before_ns=10, not_after_ns=20)
    assert [entry.valid_at(now_ns) for now_ns in (9, 10, 20, 21)] == [False, True, True, False]


def test_a_key_that_has_certainly_ended_does_not_count_any_more() -> None:
    ended = replace(TrustEntry.for_key(AGENT.public, "agent", "tap-1", "ward"), not_after_ns=100)
    later = replace(TrustEntry.for_key(OTHER_AGENT.public, "agent", "tap-2", "ward"), not_before_ns=500)
    table = Trust([ended, later], version=3, site="ward", not_after_ns=900)
    assert table.current(100).entries() == (ended, later)
    left = table.current(101)
    assert left.entries() == (later,), "whether a key is valid yet, an unsure clock cannot say"
    assert (left.version, left.site, left.not_after_ns) == (3, "ward", 900)
    assert table.current(0, 500).entries() == (ended, later)
    assert table.current(0, 499).entries() == (ended,), "a clock that is kept right can say it"
