"""From votes to a role: sums of log-odds per role, signals of one family counting less and less, and a softmax.

A vote is in nats: how much more likely the fact is for a device of that role. Facts of one family (all that DHCP says,
every port it offers) are not independent: the strongest counts whole, the next half, then a quarter. All that has no
votes competes as one alternative, `unknown`. One family alone never makes a role sure: SURE_WITH caps it.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

from agent.devices.roles import UNKNOWN

UNKNOWN_SCORE = 1.0  # nats for "something else"; a single-role maker (2.4) then gives 0.80
NAMED_FROM = 0.4  # below this confidence the role is `unknown`
SURE_WITH = (0.0, 0.85, 0.95, 0.99)  # highest confidence with 0, 1, 2, 3 or more families that vote for the role
_SPEAKS_UP = 1.4  # nats with which a family must vote to contradict another


class Vote(NamedTuple):
    """What one fact says: its family, signal, value as it may be shown, and votes per role."""

    family: str
    signal: str
    value: str
    is_token: bool
    roles: dict[str, float]


class Ranking(NamedTuple):
    """Roles by score. `weights` holds what each vote added to each role after its family's fading."""

    best: str
    confidence: float
    shares: dict[str, float]  # softmax share of every role that has votes, and of `unknown`
    families: dict[str, dict[str, float]]  # role -> family -> nats
    weights: dict[tuple[str, str, str], dict[str, float]]  # (signal, value, family) -> role -> nats


def rank(votes: Iterable[Vote]) -> Ranking:
    """The roles' shares; `best` is `unknown` when no role reaches NAMED_FROM."""
    by_role: dict[str, dict[str, list[tuple[float, tuple[str, str, str]]]]] = {}
    for vote in votes:
        key = (vote.signal, vote.value, vote.family)
        for role, nats in vote.roles.items():
            by_role.setdefault(role, {}).setdefault(vote.family, []).append((nats, key))
    families: dict[str, dict[str, float]] = {}
    weights: dict[tuple[str, str, str], dict[str, float]] = {}
    for role, groups in by_role.items():
        totals = families[role] = {}
        for family, facts in groups.items():
            facts.sort(key=lambda fact: -fact[0])
            total, share = 0.0, 1.0
            for nats, key in facts:
                weights.setdefault(key, {})[role] = nats * share
                total += nats * share
                share /= 2
            totals[family] = total
    shares = _softmax({role: sum(totals.values()) for role, totals in families.items()})
    best = max((role for role in shares if role != UNKNOWN), key=lambda role: (shares[role], role), default=UNKNOWN)
    confidence = min(shares[best], _sure(families.get(best, {})))
    if confidence < NAMED_FROM:
        return Ranking(UNKNOWN, confidence, shares, families, weights)
    return Ranking(best, confidence, shares, families, weights)


def share_of(ranking: Ranking, role: str) -> float:
    """The confidence a role would have, capped as for the best one."""
    return min(ranking.shares.get(role, 0.0), _sure(ranking.families.get(role, {})))


def opposing(ranking: Ranking, role: str) -> list[tuple[str, str]]:
    """(family, role it votes for) of families that speak up for another role and not at all for this one."""
    supported = ranking.families.get(role, {})
    found: list[tuple[str, str]] = []
    strongest: dict[str, tuple[float, str]] = {}
    for other, totals in ranking.families.items():
        for family, nats in totals.items():
            strongest[family] = max(strongest.get(family, (0.0, "")), (nats, other))
    if max(supported.values(), default=0.0) < _SPEAKS_UP:
        return []
    for family, (nats, other) in sorted(strongest.items()):
        if nats >= _SPEAKS_UP and other != role and family not in supported:
            found.append((family, other))
    return found


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
