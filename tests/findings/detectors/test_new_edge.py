"""new-edge: silent until learning has ended; then what neither the contract nor the ward knows, once for one cause."""

from agent.devices.baseline import Order
from agent.devices.records import EdgeGate, Scope
from agent.findings.records import Severity
from agent.findings.settings import ChangeWindow
from tests.findings.bench import IN, SESSION, TALK, Bench, S, ids

HOUR = 3600 * S


def taught(bench: Bench, role: str = "printer", devices: int = 4) -> list[int]:
    """Devices whose role has settled on one contact."""
    slots = [bench.add(role) for _ in range(devices)]
    for _ in range(73):
        bench.interval([bench.edge(slot, "10.1.1.1", 7777) for slot in slots], after_ns=HOUR)
    return slots


def test_nothing_is_new_before_learning_has_ended(bench: Bench) -> None:
    assert not bench.judge([bench.edge(bench.add("printer"), "10.1.1.1", 9999)])


def test_a_contact_that_nobody_has_seen(bench: Bench) -> None:
    printers = taught(bench)
    assert not bench.judge([bench.edge(printers[0], "10.1.1.9", 7777)])
    (found,) = bench.judge([bench.edge(printers[0], "10.1.1.1", 9999)])
    assert found.id == "new-edge"
    assert found.severity is Severity.REVIEW
    assert found.sentence == (
        "Printer 00:d0:75:18:00:00 (Maker) talked to 10.1.1.1 on TCP port 9999, which no printer of this ward "
        "did while "
        "the tap learned what is usual."
    )
    assert dict(found.evidence)["learned-confidence-permille"] == 1000


def test_its_gates(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    for gates in (0, int(EdgeGate.ANSWERED | EdgeGate.EXCHANGED), int(TALK & ~EdgeGate.INITIATOR_KNOWN)):
        assert not bench.judge([bench.edge(printer, "10.1.1.1", 9999, gates=gates)])
    assert ids(bench.judge([bench.edge(printer, "10.1.1.1", 9999, gates=SESSION)])) == ["new-edge"]


def test_groups_are_nobodys_contact(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    edge = bench.edge(printer, "239.1.2.3", 9999, protocol=17, scope=Scope.MULTICAST)
    assert not bench.judge([edge])


def test_not_in_a_change_window(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    bench.engine.declare(ChangeWindow("printer", bench.now_ns, bench.now_ns + HOUR))
    assert not bench.judge([bench.edge(printer, "10.1.1.1", 9999)])
    assert ids(bench.judge([bench.edge(printer, "10.1.1.2", 9999)], after_ns=HOUR)) == ["new-edge"]


def test_what_the_contract_allows_is_never_new(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    assert not bench.judge([bench.edge(printer, "10.20.30.161", 9100, direction=IN)])


def test_one_new_service_of_many_devices_is_one_cause(bench: Bench) -> None:
    printers = taught(bench, devices=8)
    said = bench.judge([bench.edge(p, f"10.1.1.{p}", 9999) for p in printers])
    assert len(said) == 3
    assert said[-1].cause == "new-edge|printer|out|tcp|9999"
    assert "one of 3 printers within the hour" in said[-1].sentence


def test_one_new_peer_of_many_devices_is_one_cause_from_the_first_on(bench: Bench) -> None:
    printers = taught(bench, devices=8)
    (said,) = bench.judge([bench.edge(p, "10.1.1.1", 9999) for p in printers])
    assert said.cause == "new-edge|printer|10.1.1.1|out|tcp|9999"
    assert "within the hour" not in said.sentence
    (again,) = bench.judge(after_ns=HOUR, interval_closed=True)
    assert again.count == 8


def test_many_new_contacts_of_one_device_are_one_cause(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    said = bench.judge([bench.edge(printer, "10.1.1.1", 9000 + n) for n in range(20)])
    assert len(said) == 4
    assert said[-1].cause == "new-edge|00:d0:75:18:00:00"


def test_approved_it_is_new_no_more(bench: Bench) -> None:
    printers = taught(bench)
    assert ids(bench.judge([bench.edge(printers[0], "10.1.1.1", 9999)])) == ["new-edge"]
    bench.baseline.order_role(Order.APPROVE, "printer")
    assert not bench.judge([bench.edge(printers[1], "10.1.1.5", 9999)])


def test_a_peer_that_has_got_a_role_since_is_no_new_peer(bench: Bench) -> None:
    printers, peer = [bench.add("printer") for _ in range(4)], bench.add("unknown")
    for _ in range(73):
        bench.interval([bench.edge(slot, peer, 7777) for slot in printers], after_ns=HOUR)
    bench.devices[peer].role = "hospital-server"
    assert not bench.judge([bench.edge(printers[0], peer, 7777)])


def test_what_the_other_ends_contract_names_is_no_news(bench: Bench) -> None:
    """A server without a contract pushes to a pump, whose contract lets it."""
    (server, *_) = taught(bench, "hospital-server")
    pump, gateway = bench.add("infusion-pump"), bench.add("serial-gateway")
    assert not bench.judge([bench.edge(server, pump, 1500)])
    assert ids(bench.judge([bench.edge(server, pump, 1501)])) == ["new-edge"]
    assert ids(bench.judge([bench.edge(server, gateway, 1500)])) == ["new-edge"]


def test_names_and_time_of_the_site_are_asked_by_everybody(bench: Bench) -> None:
    (phone, *_) = taught(bench, "phone")
    for port in (53, 123):
        assert not bench.judge([bench.edge(phone, "10.1.1.1", port, protocol=17)])
    assert ids(bench.judge([bench.edge(phone, "203.0.113.9", 53, protocol=17)])) == ["new-edge"]
    assert ids(bench.judge([bench.edge(phone, "10.1.1.1", 53)])) == ["new-edge"]


def test_a_newcomer_has_five_minutes_to_say_what_it_is(bench: Bench) -> None:
    taught(bench, "unknown")
    guest = bench.add("unknown", first_ns=bench.now_ns)
    assert not bench.judge([bench.edge(guest, "203.0.113.9", 9999)])
    assert not bench.judge(after_ns=60 * S, interval_closed=True)
    assert ids(bench.judge(after_ns=300 * S, interval_closed=True)) == ["new-edge"]


def test_an_edge_that_is_held_for_its_role_is_said_once(bench: Bench) -> None:
    (guest, *_) = taught(bench, "unknown")
    assert ids(bench.judge([bench.edge(guest, "10.1.1.1", 9999)])) == ["new-edge"]
    assert not [found for _ in range(180) for found in bench.judge(after_ns=60 * S, interval_closed=True)]


def test_a_scan_is_not_said_again(bench: Bench) -> None:
    (printer, *_) = taught(bench)
    edges = [bench.edge(printer, f"10.1.2.{n}", 8080) for n in range(20)]
    assert ids(bench.judge(edges, [bench.sweep(printer, port=8080)])) == ["host-sweep"]


def test_approving_a_breach_ends_it(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert ids(bench.judge([bench.edge(pump, "10.1.1.1", 9999)])) == ["contract-breach"]
    bench.baseline.order_device(Order.APPROVE, bench.mac(pump), bench.now_ns)
    assert not bench.judge([bench.edge(pump, "10.1.1.2", 9999)])
    other = bench.add("infusion-pump")
    assert ids(bench.judge([bench.edge(other, "10.1.1.2", 9999)])) == ["contract-breach"]


def test_a_never_cannot_be_approved(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert bench.judge([bench.edge(pump, "10.1.1.1", 23, direction=IN)])
    bench.baseline.order_device(Order.APPROVE, bench.mac(pump), bench.now_ns)
    assert ids(bench.judge([bench.edge(pump, "10.1.1.2", 23, direction=IN)])) == ["contract-breach"]
