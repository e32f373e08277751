"""heartbeat-lost: three periods of silence of something that had a cadence, while the link is alive."""

from collections.abc import Iterable
from typing import Any

import pytest

from agent.devices.records import EdgeGate, Scope
from agent.findings.records import Finding, Rows, Severity
from agent.findings.settings import ChangeWindow
from agent.packets.records import Application
from tests.findings.bench import IN, OUT, Bench, S, ids

HL7 = int(Application.HL7)


def beat(bench: Bench, device: int, peer: str = "10.20.30.11", **fields: int) -> Rows:
    """One minute of an HL7 session that stays open, a message every five seconds; its last one is 3 s old."""
    last = bench.now_ns + 57 * S
    given = {"application": HL7, "packets_out": 24, "packets_in": 12, "flows": 0, "answered": 0, "last_ns": last}
    return bench.edge(device, peer, fields.pop("port", 2575), **given | fields)


def heard(findings: list[Finding]) -> list[Finding]:
    """Without the inventory fact that HL7 is spoken in clear."""
    return [found for found in findings if found.severity is not Severity.POSTURE]


def minutes(bench: Bench, device: int, count: int, **fields: int) -> list[Finding]:
    """So many minutes in which it beats; the first has the session's beginning."""
    said: list[Finding] = []
    for minute in range(count):
        said += bench.interval([beat(bench, device, **{"flows": int(minute == 0)} | fields)])
    return heard(said)


def silence(bench: Bench, count: int, **more: Any) -> list[Finding]:
    """So many minutes without it; the tap hears other things."""
    said: list[Finding] = []
    for _ in range(count):
        said += bench.interval(**more)
    return heard(said)


def test_a_monitor_that_falls_silent(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    assert not minutes(bench, monitor, 3)
    assert not silence(bench, 1)
    (found,) = silence(bench, 3)
    assert found.id == "heartbeat-lost"
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Patient monitor 00:d0:75:18:00:00 (Maker) has stopped what it sends to 10.20.30.11 on TCP port 2575 (HL7): "
        "about every 5 seconds before, nothing for 123 seconds now, while the network is alive and the device "
        "itself is "
        "still heard."
    )
    assert ("session", "not closed") in found.evidence


def test_the_device_itself_may_be_gone(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 3)
    bench.devices[monitor].last_ns = bench.now_ns
    (found,) = silence(bench, 4)
    assert "the device itself is not heard either" in found.sentence


def test_an_orderly_close_is_no_finding(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 3)
    assert not bench.interval([beat(bench, monitor, answered=1)])
    assert not silence(bench, 10)


def test_what_goes_on_with_a_stand_in_is_not_lost(bench: Bench) -> None:
    monitor, other = bench.add("patient-monitor"), "10.20.30.16"
    assert not minutes(bench, monitor, 5)
    said = [f for n in range(9) for f in bench.interval([beat(bench, monitor, other, flows=int(n == 0))])]
    assert not heard(said)
    assert not minutes(bench, monitor, 9)  # and back
    assert ids(silence(bench, 6)) == ["heartbeat-lost"]


def test_somebody_else_that_asks_is_no_stand_in(bench: Bench) -> None:
    """A monitor chose neither: that its station asks no more is told, whoever asks now."""
    monitor = bench.add("patient-monitor")
    fields = {"direction": IN, "port": 24105, "protocol": 17, "application": int(Application.INTELLIVUE)}
    minutes(bench, monitor, 5, **fields)
    said = [f for n in range(5) for f in bench.interval([beat(bench, monitor, "10.20.30.66", **fields)])]
    assert ids(heard(said)) == ["heartbeat-lost"]


def test_datagrams_that_were_told_from_the_wrong_end_go_on(bench: Bench) -> None:
    """After a gap the answer is heard before the poll, and for a while it looks as if the monitor had begun."""
    monitor, vue = bench.add("patient-monitor"), int(Application.INTELLIVUE)
    wrong = {"direction": OUT, "port": 49165, "protocol": 17, "application": vue}
    right = {"direction": IN, "port": 24105, "protocol": 17, "application": vue}
    minutes(bench, monitor, 4, **wrong)
    assert not minutes(bench, monitor, 9, **right)
    assert ids(silence(bench, 4)) == ["heartbeat-lost"]


def test_one_of_two_receivers_that_is_lost_is_told(bench: Bench) -> None:
    monitor, other = bench.add("patient-monitor"), "10.20.30.16"
    for minute in range(5):
        rows = [beat(bench, monitor, peer, flows=int(minute == 0)) for peer in (other, "10.20.30.11")]
        assert not heard(bench.interval(rows))
    said = [f for _ in range(5) for f in bench.interval([beat(bench, monitor, other)])]
    assert ids(heard(said)) == ["heartbeat-lost"]


def test_a_session_that_outlives_its_record_is_still_open(bench: Bench) -> None:
    """A record is cut each hour (active timeout) and counts as ended, while what it tells of goes on."""
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 5)
    minutes(bench, monitor, 5, flows=0, answered=1)
    minutes(bench, monitor, 5, flows=0, answered=2)
    assert ids(silence(bench, 4)) == ["heartbeat-lost"]


def test_a_session_that_began_before_it_was_watched_is_open(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    for _ in range(4):
        bench.interval([beat(bench, monitor, flows=0, answered=7)])
    assert ids(silence(bench, 4)) == ["heartbeat-lost"]


def test_a_close_that_is_told_in_a_later_interval_is_orderly(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 4)
    assert not heard(bench.interval([beat(bench, monitor, answered=1, packets_out=0, packets_in=0)]))
    assert not silence(bench, 10)


@pytest.mark.parametrize(
    ("role", "severity"),
    [("ventilator", Severity.PAGE), ("central-station", Severity.PAGE), ("infusion-pump", Severity.REVIEW)],
)
def test_who_is_woken_for(bench: Bench, role: str, severity: Severity) -> None:
    minutes(bench, bench.add(role), 4)
    (found,) = silence(bench, 4)
    assert found.severity is severity


@pytest.mark.parametrize("role", ["printer", "unknown", "phone", "clinical-workstation"])
def test_other_roles_are_not_watched(bench: Bench, role: str) -> None:
    minutes(bench, bench.add(role), 12)
    assert not silence(bench, 10)


def test_after_an_odd_contact_it_is_a_page(bench: Bench) -> None:
    pump, stranger = bench.add("infusion-pump"), bench.add("unknown")
    minutes(bench, pump, 4)
    bench.judge([bench.edge(stranger, pump, 9999, gates=int(EdgeGate.REFUSED))])
    (found,) = silence(bench, 4)
    assert found.severity is Severity.PAGE
    assert "odd-contact" in dict(found.evidence)


@pytest.mark.parametrize("more", [{"frames": 0}, {"lossy": True}, {"whole": False}, {"detail": "headers-only"}])
def test_absence_means_nothing_when_the_tap_does_not_hear(bench: Bench, more: dict[str, Any]) -> None:
    minutes(bench, bench.add("patient-monitor"), 3)
    assert not silence(bench, 30, **more)


def test_a_planned_change_is_no_finding(bench: Bench) -> None:
    minutes(bench, bench.add("patient-monitor"), 3)
    bench.engine.declare(ChangeWindow("*", bench.now_ns, bench.now_ns + 3600 * S))
    assert not silence(bench, 90)


def test_it_is_said_once_and_again_when_it_came_back(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 3)
    assert ids(silence(bench, 30)) == ["heartbeat-lost"]
    assert not minutes(bench, monitor, 9, flows=0)


def test_a_pause_that_it_made_before_is_its_way(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 3)
    assert ids(silence(bench, 10)) == ["heartbeat-lost"]
    minutes(bench, monitor, 9, flows=0)
    assert not silence(bench, 10)


def test_what_has_no_cadence_has_no_heartbeat(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    for minute in range(12):
        count = 5 if minute % 2 else 40
        bench.interval([beat(bench, monitor, packets_out=count, packets_in=count)])
    assert not silence(bench, 10)


def test_any_other_protocol_must_be_regular_for_ten_minutes(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 4, port=7711, application=0)
    assert not silence(bench, 10)
    bench = Bench()
    minutes(bench, bench.add("patient-monitor"), 12, port=7711, application=0)
    assert ids(silence(bench, 4)) == ["heartbeat-lost"]


def test_sessions_that_are_closed_each_time_are_a_review(bench: Bench) -> None:
    """One a minute, on the port that the pump's contract names: three minutes of the contract's period."""
    pump = bench.add("infusion-pump")
    for minute in range(14):
        bench.interval([beat(bench, pump, port=3613, application=0, flows=1, answered=minute + 1, packets_in=1)])
    assert not silence(bench, 2)
    (found,) = silence(bench, 3)
    assert found.severity is Severity.REVIEW
    assert ("session", "ended each time") in found.evidence


def test_what_is_sent_to_all_has_no_close(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    fields = {"scope": int(Scope.BROADCAST), "protocol": 17, "packets_in": 0, "packets_out": 12, "application": 24}
    minutes(bench, monitor, 3, port=24105, **fields)
    (found,) = silence(bench, 4)
    assert "has stopped what it sends to all on UDP port 24105" in found.sentence
    assert found.severity is Severity.PAGE


def test_a_server_that_is_asked_no_more_loses_its_cadence_too(bench: Bench) -> None:
    minutes(bench, bench.add("central-station"), 4, direction=IN)
    assert ids(silence(bench, 4)) == ["heartbeat-lost"]


def test_many_devices_that_lose_one_server_are_one_cause(bench: Bench) -> None:
    monitors = [bench.add("patient-monitor") for _ in range(12)]
    for minute in range(4):
        bench.interval([beat(bench, m, flows=int(minute == 0)) for m in monitors])
    said = silence(bench, 4)
    assert len(said) == 3
    assert said[-1].cause.startswith("heartbeat-lost|10.20.30.11|tcp|2575")
    assert "one of 3 patient monitors within the hour" in said[-1].sentence


def test_a_server_that_is_down_is_still_asked(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 4)
    for _ in range(30):
        row = beat(bench, monitor, flows=3, failed=3, packets_in=0, packets_out=9)
        assert not bench.interval([row])


def one_day(bench: Bench, devices: Iterable[int]) -> list[Finding]:
    """A day in which every device makes pauses of one minute now and then."""
    said: list[Finding] = []
    for minute in range(24 * 60):
        rows = [beat(bench, d, flows=int(minute == 0)) for d in devices if (minute * 7 + d) % 41]
        said += bench.interval(rows)
    return heard(said)


def test_pauses_of_a_minute_are_silent_for_a_day(bench: Bench) -> None:
    assert not one_day(bench, [bench.add("patient-monitor") for _ in range(4)])


def test_a_slot_that_was_given_to_another_device_is_not_blamed(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    minutes(bench, monitor, 4)
    bench.devices[monitor].mac += 7
    assert not silence(bench, 10)


def test_a_flood_of_edges_hides_nobodys_heartbeat(bench: Bench) -> None:
    """More rows than are looked at: then nothing is called silent."""
    monitor, other = bench.add("patient-monitor"), bench.add("infusion-pump")
    minutes(bench, monitor, 3)
    crowd = [bench.edge(other, f"10.9.{n // 250}.{n % 250}", 3613) for n in range(1100)]
    assert not heard([found for _ in range(9) for found in bench.interval(crowd)])


def test_watched_edges_are_bounded(bench: Bench) -> None:
    monitor = bench.add("patient-monitor")
    for block in range(3):
        bench.interval([beat(bench, monitor, f"10.9.{block}.{n}", port=1 + n) for n in range(250)] * 4)
    assert len(bench.engine._heartbeats._beats) <= 2048
    assert OUT == 0
