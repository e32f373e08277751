"""beacon: even calls to a peer outside the contract. People are not even, and what a contract names is none."""

import random

import pytest

from agent.findings.detectors.beacon import beat_of
from agent.findings.records import Finding, Severity
from agent.findings.windows import Count
from tests.findings.bench import OUT, Bench, S, ids

PUBLIC = "91.240.118.77"


def calls(
    bench: Bench, device: int, times_s: list[float], size: int = 900, peer: str = PUBLIC, port: int = 8080
) -> list[Finding]:
    """Sessions at these seconds, one interval a minute."""
    began, said = bench.now_ns, list[Finding]()
    while (bench.now_ns - began) < (times_s[-1] + 60) * S:
        start = (bench.now_ns - began) / S
        here = [t for t in times_s if start <= t < start + 60]
        rows = []
        if here:
            given = {"flows": len(here), "octets_out": size * len(here), "last_ns": began + int(here[-1] * S)}
            rows = [bench.edge(device, peer, port, **given)]
        said += [found for found in bench.interval(rows) if found.id == "beacon"]
    return said


def every(period_s: float, count: int, jitter_s: float = 0.0) -> list[float]:
    """Even times with some jitter."""
    rng = random.Random(20261102)
    return [5 + n * period_s + rng.uniform(-jitter_s, jitter_s) for n in range(count)]


def test_a_modality_that_calls_every_thirty_seconds(bench: Bench) -> None:
    (found,) = calls(bench, bench.add("imaging-modality"), every(30, 15, 2))
    assert (found.id, found.severity) == ("beacon", Severity.PAGE)
    assert f"has called {PUBLIC} on TCP port 8080" in found.sentence
    assert 29_000 <= dict(found.evidence)["period-ms"] <= 31_000


@pytest.mark.parametrize("period", [3, 17, 60, 61, 300, 1800])
def test_any_pace(bench: Bench, period: int) -> None:
    said = calls(bench, bench.add("infusion-pump"), every(period, max(12, 300 // period)))
    assert {found.cause for found in said} == {said[0].cause}, "one cause, though it is said again each hour"


def test_a_private_peer_outside_the_contract(bench: Bench) -> None:
    (found,) = calls(bench, bench.add("clinical-workstation"), every(30, 20), peer="10.9.9.9", port=4444)
    assert found.severity is Severity.REVIEW


def test_five_intervals_are_too_few(bench: Bench) -> None:
    assert not calls(bench, bench.add("imaging-modality"), every(60, 6))


def test_people_are_not_even(bench: Bench) -> None:
    rng = random.Random(7)
    times = sorted(rng.uniform(0, 8 * 3600) for _ in range(400))
    assert not calls(bench, bench.add("clinical-workstation"), times)


def test_what_a_contract_names_is_no_beacon(bench: Bench) -> None:
    assert not calls(bench, bench.add("infusion-pump"), every(60, 60), peer="10.20.30.13", port=3613)


def test_names_and_time_are_asked_evenly(bench: Bench) -> None:
    assert not calls(bench, bench.add("infusion-pump"), every(64, 60), port=123)


def test_a_device_that_nobody_knows_must_do_it_for_long(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert not calls(bench, guest, every(30, 40))
    assert ids(calls(bench, guest, every(30, 40))) == ["beacon"]


def test_peers_that_are_asked_evenly_by_many(bench: Bench) -> None:
    assert not calls(bench, bench.add("unknown"), every(30, 200), peer="10.1.1.1")
    assert not calls(bench, bench.add("phone"), every(30, 200))


def test_the_score_in_numbers() -> None:
    even = [Count(60 * S * n, 2, 0, 0, 1000, 0, 60 * S * n - S) for n in range(1, 8)]
    beat = beat_of(even, 60 * S)
    assert beat is not None
    assert (beat.gaps, beat.period_ns, beat.evenness, beat.sizes) == (12, 30 * S, 1.0, 1.0)
    assert beat.coverage == pytest.approx(1.0)
    assert beat.score == pytest.approx(1.0)
    assert beat_of(even[:3], 60 * S) is None
    assert beat_of([], 60 * S) is None
    assert OUT == 0
