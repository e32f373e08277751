"""Scores of misbehaviours and of the ward's own doings, for the picture of `tradeoff.py`.

What the ward does is taken as if no contract excused it and as if every peer were new: what is left apart then is what
the number alone can tell.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np

from agent.findings import thresholds
from agent.findings.case import Case
from agent.findings.detectors import beacon, credential_guessing, exfiltration
from agent.findings.detectors.beacon import Beacons, beat_of
from agent.findings.draft import Draft
from agent.findings.name_lists import load_lists
from agent.findings.volumes import FACTOR, Volumes
from agent.findings.windows import Count, EdgeWindows
from tests.bench.device_days import Tap
from tests.simulators.medium import S
from tests.simulators.reel import HOUR_S

STEPS = 50
JITTERS = tuple(n / STEPS for n in range(STEPS + 1))  # of a beacon's period, each way
ANSWERS = tuple(n / STEPS for n in range(STEPS + 1))  # share of a worm's targets that answer
TARGETS = 100  # of a worm, within a fan's window
INTERVAL_NS = 60 * S
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Scores = tuple[float, ...]


class Own(NamedTuple):
    """The ward's own, the largest of each edge, fan, device and domain, or cadence."""

    calls: Scores
    fans: Scores
    volumes: Scores
    datagrams: Scores
    sessions: Scores
    pauses: Scores
    names: Scores


class Watching(Beacons):
    """The detector, and beside it what every edge of the ward would score with each of those that judge an interval."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[tuple[object, ...], float] = {}
        self.volumes: dict[tuple[object, ...], float] = {}
        self.datagrams: dict[tuple[object, ...], float] = {}
        self.sessions: dict[tuple[object, ...], float] = {}
        self._pools: Volumes | None = None
        self._calls = EdgeWindows(beacon.WINDOW_NS, beacon.INTERVALS_KEPT)
        self._large = EdgeWindows(exfiltration.WINDOWS * 120 * S, exfiltration.WINDOWS)
        self._short = EdgeWindows(credential_guessing.WINDOW_NS)

    def judge(self, case: Case) -> Iterator[Draft]:
        """As the detector does."""
        rows = case.turn.counted
        rows = rows.compress((rows["device"] < case.roles.shape[0]) & (rows["scope"] <= 2))
        out = rows.compress(rows["direction"] == 0)
        self._of_calls(case, out)
        self._of_volumes(case, rows)
        begun = np.isin(out["protocol"], (6, 17)) & (out["flows"] > 0)
        for _, key, counts in self._short.take(case, out, begun & (out["protocol"] == 6)):
            _most(self.sessions, tuple(key), sum(count.flows for count in counts))
        storm = (out["protocol"] == 17) & (out["packets_out"] >= 100 * out["packets_in"].astype(np.int64))
        for row in out[storm]:
            key = tuple(int(row[name]) for name in ("device", "port", "peer_hi", "peer_lo"))
            _most(self.datagrams, key, row["packets_out"] / max(case.turn.span_ns / S, 1))
        yield from super().judge(case)

    def _of_calls(self, case: Case, rows: np.ndarray) -> None:
        fits = (rows["flows"] > 0) & np.isin(rows["protocol"], (6, 17))
        for _, key, counts in self._calls.take(case, rows, fits):
            beat = beat_of(counts, case.turn.span_ns)
            if beat is not None and beat.period_ns >= beacon.PERIOD_MIN_NS:
                _most(self.calls, tuple(key), beat.score)

    def _of_volumes(self, case: Case, rows: np.ndarray) -> None:
        """The third largest of four intervals, in times of what one edge interval in a thousand of the role reaches."""
        pools = self._pools = self._pools or Volumes(len(case.contracts.roles))
        usual = pools.limits(case.turn.now_ns).usual / FACTOR
        for row, key, counts in self._large.take(case, rows, rows["octets_out"] > 0):
            sent = sorted(count.octets_out for count in counts)[-exfiltration.WINDOWS_MIN :]
            if len(sent) == exfiltration.WINDOWS_MIN:
                _most(self.volumes, tuple(key), sent[0] / usual[case.roles[row["device"]]])
        pools.learn(case.roles.take(rows["device"]), rows["octets_out"], case.turn.now_ns)


def _most(scores: dict[tuple[object, ...], float], key: tuple[object, ...], value: float) -> None:
    scores[key] = max(float(value), scores.get(key, 0.0))


def of_the_ward(tap: Tap, hours: float) -> Own:
    """What a ward to which nothing happens scores within some hours."""
    watching = Watching()
    tap.pipeline.engine._beacons = watching
    fans, names = dict[int, float](), dict[tuple[object, ...], float]()
    for hour in range(int(hours)):
        tap.hear(hour * HOUR_S, (hour + 1) * HOUR_S)
        used = tap.pipeline.table._fans
        for place in np.flatnonzero(used["used"]).tolist():
            fans[place] = max(fans.get(place, -5.0), float(used["score"][place]))
        for key, asked in tap.pipeline.engine._dns_tunnels._asked.items():
            _most(names, key, asked.count)
    beats = [beat for beat in tap.pipeline.engine._heartbeats._beats.values() if len(beat.gaps_ns) > 1]
    pauses = tuple(beat.longest_ns / max(beat.period_ns, INTERVAL_NS) for beat in beats)  # it is judged by intervals
    held = (watching.calls, watching.volumes, watching.datagrams, watching.sessions)
    calls, volumes, datagrams, sessions = (tuple(scores.values()) for scores in held)
    return Own(calls, tuple(fans.values()), volumes, datagrams, sessions, pauses, tuple(names.values()))


def beacon_scores() -> Scores:
    """Of a beacon every 20 s for a quarter of an hour, at each jitter."""
    scores = []
    for jitter in JITTERS:
        rng = Random(str(jitter))
        at, calls = 0.0, []
        while at < 900:
            calls.append(at)
            at += 20 * (1 + rng.uniform(-jitter, jitter))
        counts = [_count([c for c in calls if minute <= c < minute + 60], minute, rng) for minute in range(0, 900, 60)]
        beat = beat_of([one for one in counts if one.flows], 60 * S)
        scores.append(beat.score if beat else 0.0)
    return tuple(scores)


def _count(calls: Sequence[float], minute: int, rng: Random) -> Count:
    size = 900 + rng.randrange(40)
    fields = dict.fromkeys(Count._fields, 0) | {"end_ns": (minute + 60) * S, "flows": len(calls)}
    return Count(**fields | {"last_ns": int(max(calls, default=0) * S), "octets_out": size * len(calls)})


def sweep_scores() -> Scores:
    """The largest log likelihood within a hundred targets, at each share of answers."""
    return tuple(
        max(_likelihoods([rng.random() < share for _ in range(TARGETS)]))
        for share in ANSWERS
        for rng in [Random(f"{share}")]
    )


def _likelihoods(answers: Sequence[bool]) -> Iterator[float]:
    score = 0.0
    for answered in answers:
        score += thresholds.FAN_STEP_ANSWERED if answered else thresholds.FAN_STEP_FAILED
        score = max(score, thresholds.FAN_SCORE_LOWER)
        yield score


def spread(least: float, most: float) -> Scores:
    """Misbehaviours from a small one to a large one, as many in each factor of two."""
    return tuple(least * (most / least) ** (n / STEPS) for n in range(STEPS + 1))


def drawn_names() -> Scores:
    """Bits below chance of labels that a program draws, eight to sixteen letters long."""
    rng, model = Random("drawn"), load_lists().model
    return tuple(-model.score("".join(rng.choices(LETTERS, k=8 + n % 9))) for n in range(400))


def chosen_names() -> Scores:
    """Of the domains in the shipped list of sites, which people chose."""
    lists = load_lists()
    labels = {domain.partition(".")[0] for domain in lists.sites.sites}
    return tuple(-lists.model.score(label) for label in sorted(labels) if len(label) >= 6)
