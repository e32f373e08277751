"""What a set of facts says, worked out once: devices of a kind are heard to be and to do the same things.

To rank the roles for four facts and write down why takes 50 us, and when hundreds of devices appear it is asked for
thousands of times. What follows from the facts alone is kept here; what also depends on the device (its earlier role,
its names) is not.
"""

from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from agent.devices import scoring
from agent.devices.evidence import Evidence
from agent.devices.packs import Service
from agent.devices.records import EdgeDirection
from agent.devices.scoring import Ranking, Vote
from agent.packets.records import application_name

SETS_MAX = 512  # of 3 to 10 kB; 700 devices that all appear within a minute make 230
VOTES_MAX = 4096  # lines of the packs and makers that were met; a pack has some hundreds
EVIDENCE_SHOWN_MAX = 16
OFFERS, USES = "offers", "uses"  # kinds of facts about services
Pairs = tuple[tuple[str, str], ...]


class Told(NamedTuple):
    """What is said of a role: the facts with their weight for it, and (family, role) of those who speak against it."""

    evidence: tuple[Evidence, ...]
    opposing: Pairs


class FactSet:
    """One set of facts and what follows from it alone, whatever the order they were heard in."""

    __slots__ = ("_told", "_votes", "ranking")

    def __init__(self, votes: frozenset[Vote]) -> None:
        self._votes = sorted(votes, key=attrgetter("family", "signal", "value"))  # sums of floats depend on the order
        self.ranking: Ranking = scoring.rank(self._votes)
        self._told: dict[str, Told] = {}  # by role: there are thirty

    def told(self, role: str) -> Told:
        """Reasons for and against a role."""
        found = self._told.get(role)
        if found is None:
            against = tuple(scoring.opposing(self.ranking, role))
            found = self._told[role] = Told(_shown(self._votes, role), against)
        return found


class FactBook:
    """The facts and the sets of them that were met last. What was forgotten is worked out again, to the same result."""

    def __init__(self, sets_max: int = SETS_MAX, votes_max: int = VOTES_MAX) -> None:
        self.weigh = lru_cache(maxsize=sets_max)(FactSet)
        self._votes_max = votes_max
        self._votes: dict[tuple[str, str, str, int], Vote] = {}
        self._silent: dict[str, float] = {}  # roles of whatever says nothing of any: one object for all of them

    def vote(self, family: str, signal: str, value: str, roles: dict[str, float]) -> Vote:
        """The one object that stands for a fact of the packs: sets of the same objects are the same set.

        `roles` is told apart as an object, as the packs hold it; the vote keeps it alive, so no other takes its number.
        """
        roles = roles or self._silent
        key = (family, signal, value, id(roles))
        found = self._votes.get(key)
        if found is None:
            if len(self._votes) >= self._votes_max:
                self._votes.clear()
            found = self._votes[key] = Vote(family, signal, value, is_token=True, roles=roles)
        return found


def _shown(votes: list[Vote], role: str) -> tuple[Evidence, ...]:
    """The facts with their weight for the role, heaviest first; what says nothing for it comes last, with weight 0.

    While the role is unknown the weight is for the role each fact speaks for most.
    """
    weighed = scoring.weigh(votes, role)[:EVIDENCE_SHOWN_MAX]
    return tuple(Evidence(vote.signal, vote.value, round(nats, 3), vote.is_token) for nats, vote in weighed)


def service_vote(
    services: dict[str, Service], facts: FactBook, direction: int, protocol: int, port: int, application: int
) -> Vote | None:
    """What offering (RESPONDS) or using a service says; the service is known by its port, else by what is spoken."""
    transport = {6: "tcp", 17: "udp"}.get(protocol, "")
    service = services.get(f"{transport}/{port}") or services.get(application_name(application))
    if service is None:
        return None
    kind, roles = (OFFERS, service.offers) if direction == EdgeDirection.RESPONDS else (USES, service.uses)
    return facts.vote(kind, kind, service.token, roles) if roles else None
