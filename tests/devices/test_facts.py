"""What is remembered of a set of facts is what they say."""

from random import Random

import pytest

from agent.devices import scoring
from agent.devices.facts import EVIDENCE_SHOWN_MAX, FactBook
from agent.devices.packs import Packs
from agent.devices.roles import ROLES, UNKNOWN
from agent.devices.scoring import Vote

PACKS = Packs.load()


def of_the_packs(book: FactBook) -> list[Vote]:
    """Every fact that the shipped packs know of, makers left out."""
    lines = [(kind, rule) for kind, rules in PACKS.rules.items() for rule in rules]
    votes = [book.vote(kind.partition(".")[0], kind, rule.token, rule.votes) for kind, rule in lines]
    for service in PACKS.services.values():
        votes.append(book.vote("offers", "offers", service.token, service.offers))
        votes.append(book.vote("uses", "uses", service.token, service.uses))
    return list({(vote.signal, vote.value): vote for vote in votes}.values())


@pytest.mark.parametrize("sets_max", [0, 3, 512])
def test_what_is_remembered_is_what_is_worked_out_anew(sets_max: int) -> None:
    """Random sets of facts of the packs, many of them twice, in an order of their own each time."""
    random, book = Random(20_261_102), FactBook(sets_max)
    votes = of_the_packs(book)
    sets = [random.sample(votes, random.choice([0, 1, 2, 4, 16, 64])) for _ in range(40)]
    for _ in range(200):
        chosen = random.choice(sets)
        random.shuffle(chosen)
        found, direct = book.weigh(frozenset(chosen)), scoring.rank(chosen)
        assert (found.ranking.best, found.ranking.families.keys()) == (direct.best, direct.families.keys())
        assert found.ranking.confidence == pytest.approx(direct.confidence, rel=1e-12)
        assert found.ranking.shares == pytest.approx(direct.shares, rel=1e-12)
        for role in {direct.best, UNKNOWN, random.choice(ROLES)}:
            assert list(found.told(role).opposing) == scoring.opposing(direct, role)
            weighed = [(v.signal, v.value, nats) for nats, v in scoring.weigh(chosen, role)][:EVIDENCE_SHOWN_MAX]
            shown = [(e.signal, e.value, e.weight) for e in found.told(role).evidence]
            assert shown == [(signal, value, round(nats, 3)) for signal, value, nats in weighed]
    assert book.weigh.cache_info().currsize <= sets_max


def test_the_order_of_facts_changes_not_even_the_last_bit() -> None:
    random = Random(7)
    votes = of_the_packs(FactBook())
    for _ in range(50):
        chosen = random.sample(votes, 12)
        confidences = set()
        for _ in range(5):
            random.shuffle(chosen)
            confidences.add(FactBook().weigh(frozenset(chosen)).ranking.confidence)
        assert len(confidences) == 1


def test_one_object_stands_for_a_fact() -> None:
    book, roles, same = FactBook(), {"printer": 2.0}, {"printer": 2.0}
    vote = book.vote("oui", "oui", "Maker", roles)
    assert book.vote("oui", "oui", "Maker", roles) is vote
    assert (vote.family, vote.signal, vote.value, vote.is_token, vote.roles) == ("oui", "oui", "Maker", True, roles)
    assert book.vote("oui", "oui", "Maker", same) is not vote, "another line of a pack may say something else"
    assert book.vote("oui", "oui", "Nobody", {}) is book.vote("oui", "oui", "Nobody", {})


def test_facts_are_bounded_and_forgotten_ones_are_made_again() -> None:
    book = FactBook(votes_max=10)
    for n in range(1000):
        assert book.vote("oui", "oui", f"maker {n}", {}).value == f"maker {n}"
        assert len(book._votes) <= 10


def test_a_role_s_reasons_are_written_once() -> None:
    book = FactBook()
    facts = book.weigh(frozenset([book.vote("oui", "oui", "Maker", {"printer": 2.4})]))
    assert facts.told("printer") is facts.told("printer")
    assert [tuple(evidence) for evidence in facts.told("printer").evidence] == [("oui", "Maker", 2.4, True)]
