"""change-event: a push into a clinical device, and another server than before; not in a window."""

from agent.findings.records import Finding
from agent.findings.settings import ChangeWindow
from tests.findings.bench import IN, Bench, S

HOUR = 3600 * S


def push(bench: Bench, device: int, octets: int = 1 << 20, **fields: int) -> list[Finding]:
    """An interval in which somebody sent it something."""
    given = {"direction": IN, "octets_in": octets, "octets_out": 4000} | fields
    return bench.interval([bench.edge(device, "10.1.1.1", 1500, **given)])


def test_a_library_that_is_pushed(bench: Bench) -> None:
    (found,) = push(bench, bench.add("infusion-pump"))
    assert found.id == "change-event"
    assert "was sent 1024 KiB by 10.1.1.1 on TCP port 1500 in one session" in found.sentence


def test_little_or_as_much_back_is_no_push(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert not push(bench, pump, 1000)
    assert not push(bench, pump, octets_out=1 << 20)
    assert not push(bench, bench.add("hospital-server"))
    assert not push(bench, bench.add("infusion-pump", confidence=0.3))


def test_a_declared_push_is_no_finding(bench: Bench) -> None:
    bench.engine.declare(ChangeWindow("infusion-pump", bench.now_ns, bench.now_ns + HOUR))
    assert not push(bench, bench.add("infusion-pump"))


def reports(bench: Bench, device: int, server: str, after_ns: int = HOUR) -> list[Finding]:
    """An interval in which a pump reports."""
    return bench.interval([bench.edge(device, server, 3613)], after_ns)


def test_another_server_after_a_day(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    for _ in range(25):
        assert not reports(bench, pump, "10.1.1.1")
    (found,) = reports(bench, pump, "10.1.1.2")
    assert found.sentence.endswith("reports to 10.1.1.2 on TCP port 3613, and to 10.1.1.1 before.")
    assert not reports(bench, pump, "10.1.1.2")


def test_servers_that_take_turns_are_silent(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    for hour in range(60):
        assert not reports(bench, pump, f"10.1.1.{hour % 2}")


def test_many_pumps_that_move_are_one_cause(bench: Bench) -> None:
    pumps = [bench.add("infusion-pump") for _ in range(20)]
    for _ in range(25):
        bench.interval([bench.edge(p, "10.1.1.1", 3613) for p in pumps], HOUR)
    (said,) = bench.interval([bench.edge(p, "10.1.1.2", 3613) for p in pumps], HOUR)
    assert said.cause == "change-event|10.1.1.2|server|3613"
    (again,) = bench.interval(after_ns=HOUR)
    assert again.count == 20
    assert "one of 20 devices within the hour" in again.sentence


def test_a_library_that_goes_out_all_day_is_one_cause(bench: Bench) -> None:
    pumps = [bench.add("infusion-pump") for _ in range(20)]
    said = [found for p in pumps for found in push(bench, p) + bench.interval(after_ns=1500 * S)]
    assert {found.cause for found in said} == {"change-event|10.1.1.1|in|tcp|1500"}
    assert said[-1].count >= 17
    (other,) = bench.interval([bench.edge(pumps[3], "10.1.1.9", 1500, direction=IN, octets_in=1 << 20)])
    assert "10.1.1.9" in other.cause


def test_a_gateway_speaks_to_many_pumps_and_reports_to_none(bench: Bench) -> None:
    gateway, pumps = bench.add("pump-gateway"), [bench.add("infusion-pump") for _ in range(2)]
    for _ in range(25):
        assert not bench.interval([bench.edge(gateway, pumps[0], 1500)], HOUR)
    assert not bench.interval([bench.edge(gateway, pumps[1], 1500)], HOUR)
