"""arp-binding-changed, duplicate-address: who claims what another one has; DHCP, virtual routers and the dead may."""

import pytest

from agent.devices.records import Grant
from agent.findings.detectors.arp_bindings import is_virtual
from agent.findings.records import Finding, Severity
from tests.findings.bench import Bench, S, ids

PACS, MODALITY, OTHER = "10.41.7.10", "10.41.7.31", "10.41.7.77"


def ward(bench: Bench, role: str = "pacs", **fields: object) -> int:
    """A device that has claimed an address, and a turn that saw it."""
    slot = bench.add(role, claims=(PACS,), **fields)
    assert not bench.judge()
    return slot


def claims(bench: Bench, slot: int, *addresses: str, **more: object) -> list[Finding]:
    """A turn in which a device has claimed these too."""
    bench.devices[slot].claims += addresses
    return bench.judge(**more)


def test_somebody_steps_between(bench: Bench) -> None:
    pacs, board = ward(bench), bench.add("iot-other", claims=(OTHER,))
    (found,) = claims(bench, board, PACS)
    assert found.id == "arp-binding-changed"
    assert found.severity is Severity.PAGE
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:01 (Maker) claims by ARP the address 10.41.7.10, beside its own 10.41.7.77: it "
        "belongs to the PACS 00:d0:75:18:00:00 (Maker), which is still there."
    )
    assert found.mac == bench.mac(board)
    assert pacs == 0


def test_two_devices_were_given_one_address(bench: Bench) -> None:
    ward(bench, "printer")
    (found,) = claims(bench, bench.add("unknown"), PACS)
    assert (found.id, found.severity) == ("duplicate-address", Severity.REVIEW)


@pytest.mark.parametrize(
    ("role", "fields", "severity"),
    [
        ("pacs", {}, Severity.PAGE),
        ("hospital-server", {}, Severity.PAGE),
        ("imaging-modality", {}, Severity.PAGE),
        ("network-gear", {}, Severity.PAGE),
        ("unknown", {"gateway": True}, Severity.PAGE),
        ("pacs", {"confidence": 0.4}, Severity.REVIEW),
        ("infusion-pump", {}, Severity.REVIEW),
        ("unknown", {}, Severity.REVIEW),
    ],
)
def test_whose_address_pages(bench: Bench, role: str, fields: dict[str, object], severity: Severity) -> None:
    ward(bench, role, **fields)
    (found,) = claims(bench, bench.add("unknown", claims=(OTHER,)), PACS)
    assert found.severity is severity


def test_what_dhcp_gave_is_no_finding(bench: Bench) -> None:
    ward(bench)
    other = bench.add("unknown")
    grant = Grant(bench.now_ns, 1, bench.mac(other), "ack", 0x0A29070A, 0, 0, 0)
    assert not claims(bench, other, PACS, grants=(grant,))


def test_a_device_that_is_gone_may_be_followed(bench: Bench) -> None:
    printer = ward(bench, "printer")
    bench.devices[printer].last_ns = bench.now_ns - 61 * S
    assert not claims(bench, bench.add("unknown"), PACS)


def test_a_server_that_is_gone_is_a_review(bench: Bench) -> None:
    pacs = ward(bench)
    bench.devices[pacs].last_ns = bench.now_ns - 61 * S
    (found,) = claims(bench, bench.add("unknown"), PACS)
    assert (found.id, found.severity) == ("arp-binding-changed", Severity.REVIEW)
    assert "which is silent" in found.sentence


def test_a_stand_in_that_comes_seconds_after_the_death_is_a_review(bench: Bench) -> None:
    pacs = ward(bench)
    bench.devices[pacs].last_ns = bench.now_ns - 5 * S
    assert not claims(bench, bench.add("unknown", claims=(OTHER,)), PACS)
    assert not bench.judge(after_ns=30 * S)
    (found,) = bench.judge(after_ns=30 * S)
    assert (found.id, found.severity) == ("arp-binding-changed", Severity.REVIEW)
    assert "which is silent" in found.sentence
    assert not bench.judge(after_ns=30 * S)


@pytest.mark.parametrize(("role", "waits"), [("unknown", False), ("clinical-workstation", False), ("pacs", True)])
def test_who_is_no_stand_in_is_told_at_once(bench: Bench, role: str, waits: bool) -> None:
    pacs = ward(bench)
    bench.devices[pacs].last_ns = bench.now_ns - 5 * S
    said = claims(bench, bench.add(role, 0xB827EB010203, claims=(OTHER,)), PACS)
    assert [f.severity for f in said] == ([] if waits else [Severity.PAGE])


def test_an_owner_that_is_heard_after_the_claim_is_still_there(bench: Bench) -> None:
    pacs = ward(bench)
    bench.devices[pacs].last_ns = bench.now_ns - 5 * S
    assert not claims(bench, bench.add("unknown", claims=(OTHER,)), PACS)
    bench.devices[pacs].last_ns = bench.now_ns + 1
    (found,) = bench.judge(after_ns=10 * S)
    assert (found.id, found.severity) == ("arp-binding-changed", Severity.PAGE)


def test_a_claim_of_who_has_lost_its_place_is_forgotten(bench: Bench) -> None:
    pacs = ward(bench)
    bench.devices[pacs].last_ns = bench.now_ns - 5 * S
    assert not claims(bench, bench.add("unknown", claims=(OTHER,)), PACS)
    bench.devices[pacs].mac += 1
    assert not [f for _ in range(3) for f in bench.judge(after_ns=60 * S) if f.severity is Severity.PAGE]


def test_virtual_routers_share_by_design(bench: Bench) -> None:
    ward(bench, "network-gear", mac=0x00000C07AC01)
    assert not claims(bench, bench.add("network-gear", claims=(OTHER,)), PACS)


@pytest.mark.parametrize(
    ("mac", "virtual"),
    [
        (0x00005E000101, True),
        (0x00005E000201, True),
        (0x00000C07AC0A, True),
        (0x00000C9FF123, True),
        (0x0007B4000102, True),
        (0x00000C07AD0A, False),
        (0x00D075180000, False),
    ],
)
def test_virtual_addresses(mac: int, virtual: bool) -> None:
    assert is_virtual(mac) is virtual


def test_the_owner_that_claims_it_back_is_the_same_cause(bench: Bench) -> None:
    pacs, board = ward(bench), bench.add("iot-other", claims=(OTHER,))
    assert len(claims(bench, board, PACS)) == 1
    bench.devices[pacs].claims = ()
    bench.judge()
    assert not claims(bench, pacs, PACS)


def test_one_claimer_of_many_is_one_cause(bench: Bench) -> None:
    for number in range(10):
        bench.add("patient-monitor", claims=(f"10.41.7.{100 + number}",))
    assert not bench.judge()
    board = bench.add("iot-other", claims=(OTHER,))
    said = []
    for number in range(10):
        bench.devices[board].claims = (OTHER, f"10.41.7.{100 + number}")
        said += bench.judge()
    assert len(said) == 3
    assert said[-1].cause == "arp-binding-changed|00:d0:75:18:00:0a"


def test_an_address_that_moves_within_a_list_is_no_claim(bench: Bench) -> None:
    pacs = ward(bench)
    bench.devices[pacs].claims = (OTHER, PACS)
    assert not bench.judge()
    assert not bench.judge()


def test_a_slot_that_was_given_to_another_device_claims_anew(bench: Bench) -> None:
    ward(bench)
    other = bench.add("unknown", claims=("10.41.7.99",))
    assert not bench.judge()
    bench.devices[other].mac += 99
    bench.devices[other].claims = (PACS,)
    assert ids(bench.judge()) == ["duplicate-address"]
