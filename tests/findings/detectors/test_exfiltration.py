"""exfiltration: far beyond the role's pooled profile, in three windows of four: to a new peer, or as never before."""

from agent.devices.baseline import Phase, Pool
from agent.devices.roles import ROLES
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


def of_old(bench: Bench, role: str = "patient-monitor", octets: int = 20_000) -> list[int]:
    """Devices of a role that has ended learning, heard for more than a day."""
    slots = [bench.add(role) for _ in range(40)]
    rows = [bench.edge(s, "10.1.1.1", 443, octets_out=octets + 500 * (s % 7), first_ns=1) for s in slots]
    for _ in range(52):
        assert "exfiltration" not in ids(bench.interval(rows, after_ns=1800 * S))
    pool = bench.baseline.pools[ROLES.index(role)]
    pool.phase = Phase.SETTLED
    return slots


def test_a_port_of_the_contract_opens_no_volume(bench: Bench) -> None:
    """HTTPS of a monitor to any address of the site is allowed; eighteen mebioctets to a new one are not usual."""
    (monitor, *_) = of_old(bench)
    (found,) = sends(bench, monitor, 6 * MIB, 3, port=443)
    assert found.severity is Severity.PAGE
    assert found.sentence.endswith(
        "sent 18 MiB to 10.9.9.9 on TCP port 443 (HTTPS) in 3 intervals, on a port of its contract and still far more "
        "than devices of its role do, and it has not had this peer before today."
    )


def test_a_peer_of_old_that_gets_more_than_ever(bench: Bench) -> None:
    """To be looked at, once: then it is known of the role."""
    first, second, *_ = of_old(bench)
    (found,) = sends(bench, first, 6 * MIB, 4, port=443, first_ns=1)
    assert found.severity is Severity.REVIEW
    assert "patient monitors never sent nearly as much at this time of day" in found.sentence
    assert not sends(bench, second, 6 * MIB, 4, port=443, first_ns=1)


def test_a_port_of_the_contract_is_judged_by_what_was_learned_alone(bench: Bench) -> None:
    """Not while the role learns, not before a day was heard, and not what breaks nothing: a scanner's own work."""
    first, second, *_ = of_old(bench)
    bench.baseline.pools[ROLES.index("patient-monitor")].phase = Phase.LEARNING
    assert not sends(bench, first, 6 * MIB, port=443)
    bench.baseline.pools[ROLES.index("patient-monitor")].phase = Phase.SETTLED
    bench.devices[second].confidence = 0.2
    assert not sends(bench, second, 6 * MIB, port=443)
    young = Bench()
    (monitor, *_) = ordinary(young)
    young.baseline.pools.setdefault(ROLES.index("patient-monitor"), Pool()).phase = Phase.SETTLED
    assert not sends(young, monitor, 6 * MIB, port=443)


def test_a_scanner_that_moves_images_by_trade_is_to_be_looked_at(bench: Bench) -> None:
    (scanner, *_) = of_old(bench, "imaging-modality", octets=3 * MIB)
    assert not sends(bench, scanner, 12 * MIB, port=104)  # below four times the usual, which it raises
    (found,) = sends(bench, scanner, 80 * MIB, 3, port=104)
    assert found.severity is Severity.REVIEW


def test_what_a_lossy_interval_shows_is_not_learned(bench: Bench) -> None:
    slots = [bench.add("patient-monitor") for _ in range(40)]
    rows = [bench.edge(s, "10.1.1.1", 443, octets_out=20_000) for s in slots]
    for _ in range(60):
        bench.interval(rows, lossy=True)
    assert not sends(bench, slots[0], 50 * MIB)
