"""Suppressions: narrow, for a while, reaching back, never losing anything, and never switching a control off."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from agent.findings.catalogue import CATALOGUE, ELSEWHERE, OF_THE_TAP
from agent.findings.draft import Draft, Subject
from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from agent.findings.suppressions import CONTROLS, HELD_MAX, MAINTENANCE, Explained, Silence, Suppression
from tests.findings.bench import HOUR, IN, START_NS, Bench, S, ids

DAY = 24 * HOUR
SERVER = "10.1.1.1"


def rule(bench: Bench, slot: int, finding_id: str = "contract-breach", **more: object) -> Suppression:
    """A suppression of this device's findings of a kind, for a day from now on."""
    made = Suppression(finding_id, bench.mac(slot), start_ns=bench.now_ns, end_ns=bench.now_ns + DAY)
    return made._replace(**more)


def explain(bench: Bench, *rules: Suppression) -> None:
    """These are in force."""
    bench.engine.explain(Explained(rules))


def breach(bench: Bench, device: int, peer: str = SERVER, port: int = 6667) -> list[Finding]:
    """A contact outside the device's contract."""
    return bench.judge([bench.edge(device, peer, port)])


def test_what_is_explained_is_held_back_and_counted(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs, peer=ip_network("10.1.1.0/24"), protocol=6, port=6667))
    assert not breach(bench, pacs)
    assert not breach(bench, pacs, "10.1.1.9")
    assert bench.engine.silence.held_back == 2


@pytest.mark.parametrize(("peer", "port"), [("10.1.2.1", 6667), (SERVER, 6668)])
def test_it_is_no_wider_than_it_says(bench: Bench, peer: str, port: int) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs, peer=ip_network("10.1.1.0/24"), protocol=6, port=6667))
    assert ids(breach(bench, pacs, peer, port)) == ["contract-breach"]


def test_another_device_and_another_kind_are_said(bench: Bench) -> None:
    pacs, other = bench.add("pacs"), bench.add("pacs")
    explain(bench, rule(bench, pacs, port=6667, protocol=6))
    assert ids(breach(bench, other)) == ["contract-breach"]
    assert "internet-contact" in ids(breach(bench, pacs, "203.0.113.7"))


def test_a_peer_by_its_card(bench: Bench) -> None:
    pump, desk, other = bench.add("infusion-pump"), bench.add("office-workstation"), bench.add("office-workstation")
    explain(bench, rule(bench, pump, "inbound-to-clinical", peer_mac=bench.mac(desk)))
    assert not bench.judge([bench.edge(pump, desk, 9999, direction=IN)])
    assert ids(bench.judge([bench.edge(pump, other, 9999, direction=IN)])) == ["inbound-to-clinical"]


def test_a_role_counts_once_it_is_sure(bench: Bench) -> None:
    sure, guess = bench.add("pacs"), bench.add("pacs", confidence=0.5)
    made = rule(bench, sure, role="pacs", device=0, protocol=6, port=6667)
    explain(bench, made)
    assert not breach(bench, sure)
    (found,) = breach(bench, sure, port=6668)
    assert made.fits(replace(found, id="contract-breach"), Subject(1, protocol=6, port=6667), 600)
    doubtful = replace(found, evidence=(("role-confidence-permille", 500),))
    assert not made.fits(doubtful, Subject(1, protocol=6, port=6667), 600)
    assert bench.role(guess) == "pacs"


def test_a_never_needs_a_device_and_a_contact(bench: Bench) -> None:
    pump, guest = bench.add("infusion-pump"), bench.add("unknown")
    telnet = bench.edge(pump, guest, 23, direction=IN)
    explain(bench, rule(bench, pump))
    assert ids(bench.judge([telnet])) == ["contract-breach"], "the device alone is too wide for a never"
    second = Bench()
    pump, guest = second.add("infusion-pump"), second.add("unknown")
    explain(second, rule(second, pump, peer_mac=second.mac(guest), protocol=6, port=23))
    assert "contract-breach" not in ids(second.judge([second.edge(pump, guest, 23, direction=IN)]))


def test_what_became_graver_is_said(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs, severity=Severity.REVIEW))
    assert ids(breach(bench, pacs)) == ["contract-breach"], "it was made from a review, and this is a page"


def test_it_reaches_back_to_what_is_open(bench: Bench) -> None:
    pacs = bench.add("pacs")
    (first,) = breach(bench, pacs)
    explain(bench, rule(bench, pacs))
    (last,) = bench.judge()
    assert (last.cause, last.severity) == (first.cause, first.severity)
    assert dict(last.evidence)["suppressed-until"] == "2026-11-03T08:00:01Z"
    for _ in range(10):
        assert not breach(bench, pacs)
        assert not bench.interval(after_ns=HOUR)


def test_what_goes_on_is_said_when_the_suppression_ends(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs, end_ns=bench.now_ns + HOUR))
    assert not breach(bench, pacs)
    assert not bench.interval(after_ns=HOUR // 2)
    (found,) = bench.interval(after_ns=HOUR)
    assert (found.id, dict(found.evidence)["held-back"]) == ("contract-breach", 1)
    assert not bench.interval(), "once"


def test_what_was_open_is_said_again_when_it_ends(bench: Bench) -> None:
    pacs = bench.add("pacs")
    breach(bench, pacs)
    explain(bench, rule(bench, pacs, end_ns=bench.now_ns + 2 * HOUR))
    bench.judge()
    assert not breach(bench, pacs)
    assert not bench.interval(after_ns=HOUR)
    said = [found for _ in range(3) for found in bench.interval(after_ns=HOUR)]
    assert ids(said) == ["contract-breach"]
    assert said[0].count == 2


def test_taking_it_back_ends_it_too(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs))
    assert not breach(bench, pacs)
    explain(bench)
    assert ids(bench.judge()) == ["contract-breach"]


def test_what_was_quiet_for_a_day_is_over(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs, end_ns=bench.now_ns + 3 * DAY))
    assert not breach(bench, pacs)
    assert not bench.interval(after_ns=4 * DAY)


@pytest.mark.parametrize("control", sorted(CONTROLS))
def test_no_control_is_switched_off(bench: Bench, control: str) -> None:
    pacs = bench.add("pacs")
    (found,) = breach(bench, pacs)
    wide = Suppression(control, bench.mac(pacs), end_ns=bench.now_ns + DAY)
    assert not wide.fits(replace(found, id=control), Subject(bench.mac(pacs)), 600)
    assert not wide._replace(id="").fits(replace(found, id=control), Subject(bench.mac(pacs)), 600)


def test_the_taps_own_findings_come_through_anything(bench: Bench) -> None:
    pacs = bench.add("pacs")
    explain(bench, *(rule(bench, pacs, finding_id, device=0) for finding_id in CATALOGUE))
    assert "capture-loss" in ids(bench.interval(dropped=50))
    assert CONTROLS >= OF_THE_TAP | ELSEWHERE.keys() >= {"tap-transmitted", "equivocation", "capture-loss"}


def test_maintenance_is_of_one_device_and_of_its_work(bench: Bench) -> None:
    pump, sister = bench.add("infusion-pump"), bench.add("infusion-pump")
    explain(bench, rule(bench, pump, ""))
    assert not breach(bench, pump)
    assert ids(breach(bench, sister)) == ["contract-breach"]
    assert "smb-spread" in ids(bench.judge([], [bench.sweep(pump)])), "a worm is no work"
    telnet = bench.edge(pump, bench.add("unknown"), 23, direction=IN)
    assert "contract-breach" in ids(bench.judge([telnet])), "nor is what no pump ever does"
    assert not MAINTENANCE & {"known-bad-destination", "telnet-spread", "port-scan", "dga", "mining", "exfiltration"}


def test_windows_are_declared(bench: Bench) -> None:
    pacs = bench.add("pacs")
    bench.engine.explain(Explained((), (ChangeWindow("pacs", bench.now_ns, bench.now_ns + HOUR),)))
    assert not breach(bench, pacs)


def test_detectors_run_on(bench: Bench) -> None:
    """What is held back explains, groups and teaches nothing: only saying it is left out."""
    pacs = bench.add("pacs")
    explain(bench, rule(bench, pacs))
    for port in range(7000, 7010):
        assert not breach(bench, pacs, port=port)
    assert bench.engine.silence.held_back == 10


def test_memory_is_bounded(bench: Bench) -> None:
    pacs = bench.add("pacs")
    (found,) = breach(bench, pacs)
    silence = Silence(600)
    silence.replace([rule(bench, pacs)])
    for number in range(HELD_MAX + 100):
        assert silence.holds(Draft(replace(found, cause=f"contract-breach|{number}"), Subject(0)), bench.now_ns)
    assert silence.left_out == 100
    silence.replace([])
    assert len(list(silence.released(bench.now_ns))) == HELD_MAX


@pytest.mark.parametrize("peer", ["", "x" * 1000, "10.1.1.1/8", "::ffff:10.1.1.1", "1e3"])
def test_odd_peers_lie_nowhere(bench: Bench, peer: str) -> None:
    pacs = bench.add("pacs")
    (found,) = breach(bench, pacs)
    made = rule(bench, pacs, peer=ip_network("10.0.0.0/8"))
    assert not made.fits(found, Subject(bench.mac(pacs), peer=peer), 600)


def test_a_rule_runs_from_its_start_to_its_end() -> None:
    made = Suppression("new-edge", 1, start_ns=START_NS, end_ns=START_NS + S)
    assert [made.runs(time_ns) for time_ns in (START_NS - 1, START_NS, START_NS + S - 1, START_NS + S)] == [
        False, True, True, False,
    ]  # fmt: skip
