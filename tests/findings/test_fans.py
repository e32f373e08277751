"""Which edges are pieces of a scan."""

from agent.devices.records import FanKind
from agent.findings.fans import open_fan, other_ends, own_edges
from tests.findings.bench import IN, Bench, split


def test_a_sweep_takes_its_service_at_both_ends(bench: Bench) -> None:
    source, target = bench.add("unknown"), bench.add("pacs")
    here = bench.case(
        bench.edge(source, "10.1.1.1", 445),
        bench.edge(source, "10.1.1.1", 80),
        bench.edge(source, "10.1.1.1", 445, protocol=17),
        bench.edge(source, "10.1.1.1", 445, direction=IN),
        bench.edge(target, source, 445, direction=IN),
        bench.edge(target, source, 80, direction=IN),
    )
    fan = open_fan(here, bench.sweep(source)[0], unknown=True)
    assert own_edges(here, fan).tolist() == [0]
    assert other_ends(here, fan).tolist() == [4]
    assert fan.peer == ""


def test_a_port_scan_takes_every_port_of_its_host_at_both_ends(bench: Bench) -> None:
    source, target, other = bench.add("unknown"), bench.add("pacs"), bench.add("pacs")
    here = bench.case(
        bench.edge(source, target, 1),
        bench.edge(source, target, 2, protocol=17),
        bench.edge(source, other, 1),
        bench.edge(target, source, 1, direction=IN),
        bench.edge(other, source, 1, direction=IN),
    )
    hi, lo = split("10.20.30.101")
    fan = open_fan(here, bench.fan(source, FanKind.PORTS, 30, peer_hi=hi, peer_lo=lo)[0], unknown=True)
    assert own_edges(here, fan).tolist() == [0, 1]
    assert other_ends(here, fan).tolist() == [3]
    assert fan.peer == "10.20.30.101"
    assert fan.victims == {target}
