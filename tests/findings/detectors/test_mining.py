"""mining: Stratum, known by its content, is a page whoever speaks it."""

import pytest

from agent.devices.records import EdgeGate
from agent.findings.records import Severity
from agent.packets.records import Application
from tests.findings.bench import IN, TALK, Bench, ids

STRATUM = int(Application.STRATUM)


@pytest.mark.parametrize("role", ["unknown", "imaging-modality", "office-workstation"])
def test_stratum_is_a_page(bench: Bench, role: str) -> None:
    said = bench.judge([bench.edge(bench.add(role), "104.243.33.118", 3333, application=STRATUM)])
    (found,) = [found for found in said if found.id == "mining"]
    assert found.severity is Severity.PAGE
    assert "speaks Stratum with 104.243.33.118 on TCP port 3333" in found.sentence


def test_many_pools_of_one_device_are_one_cause(bench: Bench) -> None:
    desk = bench.add("office-workstation")
    edges = [bench.edge(desk, f"104.243.33.{n}", 3333, application=STRATUM) for n in range(30)]
    assert ids(bench.judge(edges)) == ["mining"]


def test_an_attempt_or_another_protocol_is_not(bench: Bench) -> None:
    desk = bench.add("unknown")
    tried = bench.edge(desk, "104.243.33.118", 3333, application=STRATUM, gates=int(EdgeGate.REFUSED))
    other = bench.edge(desk, "104.243.33.118", 3333, gates=TALK)
    pool = bench.edge(desk, "104.243.33.118", 3333, application=STRATUM, direction=IN)
    assert not bench.judge([tried, other, pool])
