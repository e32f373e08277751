"""From votes to a role: sums of log-odds per role, signals of one family counting less and less, and a softmax.

A vote is in nats: how much more likely the fact is for a device of that role. Facts of one family (all that DHCP says,
every port it offers) are not independent: the strongest counts whole, the next half, then a quarter. All that has no
votes competes as one alternative, `unknown`. One family alone never makes a role sure: SURE_WITH caps it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from agent.devices.roles import UNKNOWN

UNKNOWN_SCORE = 1.0  # nats for "something else"; a single-role maker (2.4) then gives 0.80
NAMED_FROM = 0.4  # below this confidence the role is `unknown`
SURE_WITH = (0.0, 0.85, 0.95, 0.99)  # highest confidence with 0, 1, 2, 3 or more families that vote for the role
_SPEAKS_UP = 1.4  # nats with which a family must vote to contradict another


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """What one fact says: its family, signal, value as it may be shown, and votes per role.

    A vote equals only itself, so that a set of them is found again without a look at what they say (see `facts`).
    """

    family: str
    signal: str
    value: str
    is_token: bool
    roles: dict[str, float]


class Ranking(NamedTuple):
    """Roles by score: the best one, softmax shares (`unknown` among them), and what each family gave each role."""

    best: str
    confidence: float
    shares: dict[str, float]
    families: dict[str, dict[str, float]]  # role -> family -> nats


def rank(votes: Iterable[Vote]) -> Ranking:
    """The roles' shares; `best` is `unknown` when no role reaches NAMED_FROM."""
    families: dict[str, dict[str, float]] = {}
    several: dict[tuple[str, str], list[float]] = {}  # (role, family) -> its votes, where there is more than one
    for vote in votes:
        family = vote.family
        for role, nats in vote.roles.items():
            totals = families.get(role)
            if totals is None:
                families[role] = {family: nats}
            elif family not in totals:
                totals[family] = nats
            else:
                several.setdefault((role, family), [totals[family]]).append(nats)
    for (role, family), facts in several.items():
        families[role][family] = faded(facts)
    shares = _softmax({role: sum(totals.values()) for role, totals in families.items()})
    best = max(families, key=lambda role: (shares[role], role), default=UNKNOWN)
    confidence = min(shares[best], _sure(families.get(best, {})))
    return Ranking(best if confidence >= NAMED_FROM else UNKNOWN, confidence, shares, families)


def faded(facts: list[float]) -> float:
    """The sum of one family's votes for a role: the strongest whole, the next half, then a quarter."""
    if len(facts) == 1:
        return facts[0]
    total, share = 0.0, 1.0
    for nats in sorted(facts, reverse=True):
        total += nats * share
        share /= 2
    return total


def weigh(votes: Iterable[Vote], role: str) -> list[tuple[float, Vote]]:
    """What each vote added for a role after its family's fading, heaviest first; for `unknown`, its own strongest."""
    given = [(max(v.roles.values(), default=0.0) if role == UNKNOWN else v.roles.get(role, 0.0), v) for v in votes]
    given.sort(key=lambda pair: (-pair[0], pair[1].signal, pair[1].value))
    seen: dict[str, int] = {}
    weighed: list[tuple[float, Vote]] = []
    for nats, vote in given:
        rank_in_family = seen.get(vote.family, 0)
        seen[vote.family] = rank_in_family + 1
        weighed.append((nats if role == UNKNOWN else nats / (1 << rank_in_family), vote))
    weighed.sort(key=lambda pair: -pair[0])
    return weighed


def share_of(ranking: Ranking, role: str) -> float:
    """The confidence a role would have, capped as for the best one."""
    return min(ranking.shares.get(role, 0.0), _sure(ranking.families.get(role, {})))


def opposing(ranking: Ranking, role: str) -> list[tuple[str, str]]:
    """(family, role it votes for) of families that speak up for another role and not at all for this one."""
    supported = ranking.families.get(role, {})
    if max(supported.values(), default=0.0) < _SPEAKS_UP:
        return []
    strongest: dict[str, tuple[float, str]] = {}
    for other, totals in ranking.families.items():
        for family, nats in totals.items():
            if family not in supported and nats >= _SPEAKS_UP:
                strongest[family] = max(strongest.get(family, (0.0, "")), (nats, other))
    return [(family, other) for family, (_, other) in sorted(strongest.items())]


def _sure(families: dict[str, float]) -> float:
    """The highest confidence that this many voting families allow."""
    return SURE_WITH[min(len(families), len(SURE_WITH) - 1)]


def _softmax(scores: dict[str, float]) -> dict[str, float]:
    """Shares that add up to 1, `unknown` among them."""
    scores = {**scores, UNKNOWN: UNKNOWN_SCORE}
    top = max(scores.values())
    parts = {role: math.exp(score - top) for role, score in scores.items()}
    total = sum(parts.values())
    return {role: part / total for role, part in parts.items()}
