"""From votes to a role."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.devices import scoring
from agent.devices.roles import ROLES, UNKNOWN
from agent.devices.scoring import Vote


def vote(family: str, value: str, **roles: float) -> Vote:
    return Vote(
        family, family, value, is_token=True, roles={role.replace("_", "-"): nats for role, nats in roles.items()}
    )


def test_nothing_heard_is_unknown() -> None:
    ranking = scoring.rank([])
    assert (ranking.best, ranking.confidence) == (UNKNOWN, 0.0)


def test_a_single_role_maker_alone_by_hand() -> None:
    ranking = scoring.rank([vote("oui", "Alaris", infusion_pump=2.4)])
    share = math.exp(2.4) / (math.exp(2.4) + math.exp(1.0))
    assert ranking.best == "infusion-pump"
    assert ranking.confidence == pytest.approx(share)
    assert 0.6 <= ranking.confidence <= 0.85


def test_one_family_is_never_sure() -> None:
    ranking = scoring.rank([vote("offers", str(n), printer=3.0) for n in range(10)])
    assert ranking.confidence == 0.85


def test_a_second_fact_of_a_family_counts_half() -> None:
    votes = [vote("offers", "a", printer=2.0), vote("offers", "b", printer=1.0), vote("oui", "c", printer=0.9)]
    assert scoring.rank(votes).families["printer"] == {"offers": pytest.approx(2.5), "oui": 0.9}
    assert [(v.value, nats) for nats, v in scoring.weigh(votes, "printer")] == [("a", 2.0), ("c", 0.9), ("b", 0.5)]


def test_weights_add_up_to_the_score_and_unknown_shows_each_votes_own() -> None:
    votes = [vote("offers", str(n), printer=1.0 + n / 10, pacs=2.0) for n in range(5)]
    total = sum(nats for nats, _ in scoring.weigh(votes, "printer"))
    assert total == pytest.approx(scoring.rank(votes).families["printer"]["offers"])
    assert {nats for nats, _ in scoring.weigh(votes, "unknown")} == {2.0}


def test_the_order_of_facts_does_not_matter() -> None:
    votes = [vote("offers", "a", printer=2.0, pacs=0.3), vote("oui", "b", printer=1.0), vote("offers", "c", pacs=2.2)]
    assert scoring.rank(votes).shares == scoring.rank(votes[::-1]).shares


def test_families_that_disagree_are_named() -> None:
    ranking = scoring.rank([vote("oui", "a", infusion_pump=2.4), vote("windows", "b", office_workstation=1.8)])
    assert scoring.opposing(ranking, "infusion-pump") == [("windows", "office-workstation")]


def test_a_family_that_also_supports_the_role_does_not_oppose() -> None:
    votes = [vote("oui", "a", infusion_pump=2.4), vote("dhcp", "b", office_workstation=1.8, infusion_pump=0.2)]
    assert scoring.opposing(scoring.rank(votes), "infusion-pump") == []


VOTES = st.lists(
    st.builds(
        Vote,
        family=st.sampled_from(["oui", "dhcp", "offers", "uses", "dicom"]),
        signal=st.just("x"),
        value=st.text("abc", min_size=1, max_size=3),
        is_token=st.just(True),
        roles=st.dictionaries(st.sampled_from(ROLES[:-1]), st.floats(0.1, 3.0), max_size=4),
    ),
    max_size=40,
)


@given(VOTES)
def test_shares_are_a_distribution_and_confidence_is_capped(votes: list[Vote]) -> None:
    ranking = scoring.rank(votes)
    assert sum(ranking.shares.values()) == pytest.approx(1.0)
    assert 0.0 <= ranking.confidence <= scoring.SURE_WITH[-1]
    assert ranking.best == UNKNOWN or ranking.confidence >= scoring.NAMED_FROM
    for role in ranking.families:
        assert 0.0 <= scoring.share_of(ranking, role) <= scoring.SURE_WITH[-1]
