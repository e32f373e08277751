"""The judge as a whole: what every finding must have, order, bounds, and hostile content."""

import numpy as np
import pytest

from agent.devices.records import EDGE, FAN, NO_SLOT, FanKind
from agent.devices.roles import ROLES
from agent.findings.catalogue import CATALOGUE, CLINICAL_ROLES, OF_THE_TAP
from agent.findings.settings import CHANGE_WINDOWS_MAX, ChangeWindow, JudgeSettings
from agent.findings.words import LABEL_MAX
from tests.findings.bad_day import a_bad_day
from tests.findings.bench import Bench, S, ids


def test_every_finding_is_whole(bench: Bench) -> None:
    said = a_bad_day(bench)
    assert set(ids(said)) == set(CATALOGUE)
    for found in said:
        assert found.sentence[0].isupper() or found.sentence[0].isdigit()
        assert found.sentence.endswith(".")
        assert found.sentence.count(". ") == 0
        assert len(found.sentence) < 400
        assert found.evidence
        assert all(isinstance(v, int | str) for _, v in found.evidence)
        assert found.next_step == CATALOGUE[found.id].next_step
        assert found.attack or found.id in OF_THE_TAP
        assert found.expected
        assert found.cause.startswith(found.id)
        assert found.first_ns <= found.last_ns
        assert found.count >= 1


def test_no_next_step_touches_the_device() -> None:
    for entry in CATALOGUE.values():
        words = entry.next_step.lower()
        assert not [w for w in ("probe", "reboot", "restart", "ping ", "power off", "unplug") if w in words]


def test_the_same_turns_give_the_same_findings() -> None:
    assert a_bad_day(Bench()) == a_bad_day(Bench())


def test_causes_do_not_name_the_agent(bench: Bench) -> None:
    assert all("tap-" not in f.cause.removeprefix(f.id) for f in a_bad_day(bench))


def test_declared_windows_are_bounded_and_old_ones_go(bench: Bench) -> None:
    for number in range(200):
        bench.engine.declare(ChangeWindow("*", number, 10**30))
    assert len(bench.engine.settings.change_windows) == CHANGE_WINDOWS_MAX
    later = ChangeWindow("printer", 10**31, 10**31 + 5)
    bench.engine.declare(later)
    bench.engine.declare(later)
    assert bench.engine.settings.change_windows == (later,)


def test_an_interval_of_nothing(bench: Bench) -> None:
    assert not bench.judge(interval_closed=True)
    bench.add("infusion-pump")
    assert not bench.judge(interval_closed=True, frames=10)


def test_labels_cannot_break_a_sentence(bench: Bench) -> None:
    evil = "pump \x1b[2J\u202e<script>\n" + "A" * 4000
    pump = bench.add("infusion-pump", label=evil)
    for found in bench.judge([bench.edge(pump, "203.0.113.9", 4444), bench.edge(pump, pump, 22)]):
        assert "\x1b" not in found.sentence
        assert "\n" not in found.sentence
        assert "\u202e" not in found.sentence
        assert found.sentence.count("A") <= 2 * LABEL_MAX


def test_any_octets_in_the_rows(bench: Bench) -> None:
    for role in ROLES:
        bench.add(role)
    rng = np.random.default_rng(20_261_102)
    for _ in range(20):
        edges = np.frombuffer(rng.bytes(EDGE.itemsize * 300), dtype=EDGE).copy()
        edges["device"][:200] = rng.integers(0, len(ROLES) + 3, 200)
        edges["first_ns"] %= 1 << 62
        edges["last_ns"] %= 1 << 62
        fans = np.frombuffer(rng.bytes(FAN.itemsize * 20), dtype=FAN).copy()
        fans["device"][:10] = rng.integers(0, len(ROLES) + 3, 10)
        fans["kind"] %= 4
        fans["first_ns"], fans["last_ns"] = bench.now_ns, bench.now_ns
        fans["score"] = 14.0
        for found in bench.judge([edges], [fans], interval_closed=True):
            assert found.id in CATALOGUE


@pytest.mark.parametrize("role", sorted(CLINICAL_ROLES))
def test_clinical_roles_exist(role: str) -> None:
    assert role in ROLES


def test_the_interval_cap_holds(bench: Bench) -> None:
    bench = Bench(settings=JudgeSettings(findings_per_interval_max=10))
    devices = [bench.add("unknown") for _ in range(40)]
    said = bench.judge(fans=[bench.sweep(d, port=8080) for d in devices])
    assert len(said) == 8
    (digest,) = bench.judge(interval_closed=True)
    assert digest.count == 32


def test_five_thousand_edges_of_ordinary_work_are_silent(bench: Bench) -> None:
    pumps = [bench.add("infusion-pump") for _ in range(100)]
    one = bench.edge(pumps[0], "10.20.30.13", 3613)
    many = np.repeat(one, 5000)
    many["device"] = np.arange(5000) % 100
    many["peer_device"] = NO_SLOT
    assert not bench.judge([many])


def test_lossy_capture_is_said_with_the_evidence(bench: Bench) -> None:
    (found,) = bench.judge([bench.edge(bench.add("infusion-pump"), "203.0.113.9", 4444)], lossy=True)
    assert ("capture", "lossy") in found.evidence


def test_a_day_of_ordinary_work_says_nothing(bench: Bench) -> None:
    """Thirty pumps and their server's bad night: renewals, failover, retries; no finding."""
    pumps = [bench.add("infusion-pump") for _ in range(30)]
    gateway = bench.add("unknown", gateway=True)
    for minute in range(0, 24 * 60, 10):
        edges = [bench.edge(p, "255.255.255.255", 67, protocol=17) for p in pumps]
        edges += [bench.edge(p, f"10.20.30.{13 + minute % 2}", 3613, gates=4 | 16) for p in pumps]
        fans = [bench.fan(gateway, FanKind.ARP, 900)]
        assert not bench.judge(edges, fans, after_ns=600 * S, interval_closed=True, frames=5000)
