"""arp-sweep: broadcasts are heard everywhere; routers ask for a living."""

import pytest

from agent.devices.records import FanKind
from agent.findings.records import Severity
from agent.findings.thresholds import FAN_ARP_GATEWAY_MIN, FAN_ARP_MIN
from tests.findings.bench import Bench, ids


@pytest.mark.parametrize(
    ("role", "severity"), [("infusion-pump", "page"), ("unknown", "review"), ("printer", "review")]
)
def test_many_addresses(bench: Bench, role: str, severity: str) -> None:
    (found,) = bench.judge(fans=[bench.fan(bench.add(role), FanKind.ARP, FAN_ARP_MIN)])
    assert (found.id, found.severity) == ("arp-sweep", severity)
    assert "asked by ARP for 64 different addresses within 9 seconds." in found.sentence


def test_fewer_are_silent(bench: Bench) -> None:
    assert not bench.judge(fans=[bench.fan(bench.add("unknown"), FanKind.ARP, FAN_ARP_MIN - 1)])


@pytest.mark.parametrize("gateway", [True, False])
def test_a_router_needs_far_more(bench: Bench, gateway: bool) -> None:
    router = bench.add("unknown" if gateway else "network-gear", gateway=gateway)
    assert not bench.judge(fans=[bench.fan(router, FanKind.ARP, FAN_ARP_GATEWAY_MIN - 1)])
    assert ids(bench.judge(fans=[bench.fan(router, FanKind.ARP, FAN_ARP_GATEWAY_MIN)])) == ["arp-sweep"]


def test_a_sweep_of_hosts_explains_the_arp_before_it(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert ids(bench.judge(fans=[bench.fan(pump, FanKind.ARP, 70)])) == ["arp-sweep"]
    (sweep,) = bench.judge(fans=[bench.sweep(pump)])
    assert dict(sweep.evidence)["earlier-findings-folded"] == 1


def test_arp_after_a_sweep_of_hosts_folds_into_it(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    assert ids(bench.judge(fans=[bench.sweep(pump)])) == ["smb-spread"]
    assert not bench.judge(fans=[bench.fan(pump, FanKind.ARP, 70)])


def test_a_review_that_folds_never_hides_the_page(bench: Bench) -> None:
    source = bench.add("unknown")
    (first,) = bench.judge(fans=[bench.fan(source, FanKind.ARP, 70)])
    assert first.severity is Severity.REVIEW
    bench.devices[source].role = "infusion-pump"
    (worse,) = bench.judge(fans=[bench.fan(source, FanKind.ARP, 300)])
    assert worse.severity is Severity.PAGE
