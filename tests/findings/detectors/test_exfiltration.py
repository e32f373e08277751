"""exfiltration: far beyond the role's pooled profile, to a new peer, in three windows of four."""

from agent.findings.records import Finding, Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import Bench, S, ids

MIB = 1 << 20


def ordinary(bench: Bench, role: str = "patient-monitor", devices: int = 40, minutes: int = 60) -> list[int]:
    """Devices of a role that send some kilobytes a minute for an hour."""
    slots = [bench.add(role) for _ in range(devices)]
    for minute in range(minutes):
        rows = [bench.edge(s, "10.1.1.1", 443, octets_out=20_000 + 500 * (minute % 7)) for s in slots]
        assert not bench.interval(rows)
    return slots


def sends(bench: Bench, slot: int, octets: int, minutes: int = 4, **fields: int) -> list[Finding]:
    """A device that sends so much a minute to a peer it had not before."""
    given = {"octets_out": octets, "first_ns": bench.now_ns} | fields
    port = given.pop("port", 4444)
    said = [f for _ in range(minutes) for f in bench.interval([bench.edge(slot, "10.9.9.9", port, **given)])]
    return [found for found in said if found.id == "exfiltration"]


def test_a_monitor_that_sends_far_more_than_monitors_do(bench: Bench) -> None:
    (monitor, *_) = ordinary(bench)
    assert not sends(bench, monitor, 50 * MIB, 2)
    (found,) = sends(bench, monitor, 50 * MIB, 1)
    assert (found.id, found.severity) == ("exfiltration", Severity.PAGE)
    assert "sent 150 MiB to 10.9.9.9 on TCP port 4444 in 3 intervals" in found.sentence


def test_without_a_profile_nothing_is_too_much(bench: Bench) -> None:
    monitors = ordinary(bench, minutes=20)
    assert not sends(bench, monitors[0], 500 * MIB)


def test_one_large_window_is_none(bench: Bench) -> None:
    (monitor, *_) = ordinary(bench)
    for _ in range(6):
        assert not sends(bench, monitor, 50 * MIB, 1)
        for _ in range(9):
            bench.interval()


def test_a_known_peer_a_small_volume_and_a_download_are_none(bench: Bench) -> None:
    first, second, third, fourth, *_ = ordinary(bench)
    assert not sends(bench, first, 50 * MIB, first_ns=bench.now_ns - 25 * 3600 * S)
    assert not sends(bench, second, 3 * MIB)
    assert not sends(bench, third, 50 * MIB, octets_in=900 * MIB)
    assert not sends(bench, fourth, 50 * MIB, port=443)
    bench.engine.declare(ChangeWindow("*", bench.now_ns, bench.now_ns + 3600 * S))
    assert not sends(bench, fourth, 50 * MIB)


def test_not_before_the_tap_has_settled(bench: Bench) -> None:
    (monitor, *_) = ordinary(bench)
    given = {"octets_out": 50 * MIB, "first_ns": bench.now_ns}
    said = [bench.interval([bench.edge(monitor, "10.9.9.9", 4444, **given)], settled=False) for _ in range(6)]
    assert "exfiltration" not in ids([found for some in said for found in some])
