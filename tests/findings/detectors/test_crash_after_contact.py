"""crash-after-contact: always heard, oddly contacted, silent since."""

from agent.devices.records import EdgeGate
from agent.findings.records import Finding, Severity
from tests.findings.bench import IN, Bench, S, ids

TRIED = int(EdgeGate.REFUSED | EdgeGate.INITIATOR_KNOWN)


def steady(bench: Bench, minutes: int = 6) -> tuple[int, int]:
    """A monitor that was heard for so many minutes, and a stranger."""
    monitor, stranger = bench.add("patient-monitor"), bench.add("unknown")
    for _ in range(minutes):
        bench.interval()
    return monitor, stranger


def falls_silent(bench: Bench, slot: int, minutes: int = 4) -> list[Finding]:
    """Not heard from now on."""
    bench.devices[slot].last_ns = bench.now_ns
    return [found for _ in range(minutes) for found in bench.interval()]


def test_a_monitor_that_a_stranger_tried(bench: Bench) -> None:
    monitor, stranger = steady(bench)
    bench.judge([bench.edge(stranger, monitor, 24105, protocol=17, gates=TRIED)])
    (found,) = falls_silent(bench, monitor)
    assert found.id == "crash-after-contact"
    assert found.severity is Severity.PAGE
    assert found.sentence.startswith(
        "Patient monitor 00:d0:75:18:00:00 (Maker) was contacted in an unusual way at 2026-11-02T08:06:01Z and "
        "has been "
        "silent for 180 seconds since"
    )


def test_a_contact_outside_its_contract_counts(bench: Bench) -> None:
    monitor, _ = steady(bench)
    assert ids(bench.judge([bench.edge(monitor, "10.1.1.1", 9999, direction=IN)])) == ["contract-breach"]
    assert ids(falls_silent(bench, monitor)) == ["crash-after-contact"]


def test_silence_alone_is_another_matter(bench: Bench) -> None:
    monitor, _ = steady(bench)
    assert not falls_silent(bench, monitor)


def test_ordinary_contacts_are_not_odd(bench: Bench) -> None:
    monitor, _ = steady(bench)
    central = bench.add("central-station")
    bench.judge([bench.edge(monitor, central, 24105, protocol=17, direction=IN)])
    assert not falls_silent(bench, monitor)


def test_a_device_that_pauses_again_and_again_is_not_always_heard(bench: Bench) -> None:
    """An archive between two studies: silent for three minutes, five times an hour. A day of work later it counts."""
    archive, stranger = steady(bench)
    for _ in range(4):
        falls_silent(bench, archive, 3)
        bench.devices[archive].last_ns = 0
        for _ in range(6):
            bench.interval()
    bench.judge([bench.edge(stranger, archive, 24105, protocol=17, gates=TRIED)])
    assert not falls_silent(bench, archive)
    bench.devices[archive].last_ns = 0
    for _ in range(30):
        bench.interval(after_ns=3600 * S)
    bench.judge([bench.edge(stranger, archive, 24105, protocol=17, gates=TRIED)])
    assert ids(falls_silent(bench, archive)) == ["crash-after-contact"]


def test_it_lived_on_after_the_contact(bench: Bench) -> None:
    monitor, stranger = steady(bench)
    bench.judge([bench.edge(stranger, monitor, 80, gates=TRIED)])
    bench.interval()
    bench.interval()
    assert not falls_silent(bench, monitor)


def test_a_device_that_comes_and_goes_is_not_steady(bench: Bench) -> None:
    monitor, stranger = steady(bench, minutes=3)
    bench.judge([bench.edge(stranger, monitor, 80, gates=TRIED)])
    assert not falls_silent(bench, monitor)


def test_other_roles_do_not_page(bench: Bench) -> None:
    printer, stranger = bench.add("printer"), bench.add("unknown")
    for _ in range(6):
        bench.interval()
    bench.judge([bench.edge(stranger, printer, 80, gates=TRIED)])
    assert not falls_silent(bench, printer)


def test_not_while_the_tap_does_not_hear(bench: Bench) -> None:
    monitor, stranger = steady(bench)
    bench.judge([bench.edge(stranger, monitor, 80, gates=TRIED)])
    bench.devices[monitor].last_ns = bench.now_ns
    assert not [found for _ in range(4) for found in bench.interval(lossy=True)]


def test_a_lost_heartbeat_is_part_of_it(bench: Bench) -> None:
    monitor, stranger = bench.add("patient-monitor"), bench.add("unknown")
    fields = {"application": 9, "packets_out": 24, "packets_in": 12, "answered": 0}
    for minute in range(6):
        last = bench.now_ns + 57 * S
        bench.interval([bench.edge(monitor, "10.20.30.11", 2575, **fields, flows=int(not minute), last_ns=last)])
    bench.judge([bench.edge(stranger, monitor, 80, gates=TRIED)])
    assert "crash-after-contact" in ids(falls_silent(bench, monitor))
