"""cleartext-web: pages served in clear, by content."""

from agent.findings.records import Severity
from agent.packets.records import Application
from tests.findings.bench import IN, OUT, SESSION, Bench, ids

HTTP, TLS = int(Application.HTTP), int(Application.TLS)


def test_a_device_that_serves_pages(bench: Bench) -> None:
    camera, desk = bench.add("ip-camera"), bench.add("office-workstation")
    edge = bench.edge(camera, desk, 8080, direction=IN, application=HTTP)
    (found,) = bench.interval([edge])
    assert (found.id, found.severity) == ("cleartext-web", Severity.POSTURE)
    assert "serves web pages in clear on TCP port 8080, for one to the office workstation" in found.sentence
    assert not [f for _ in range(90) for f in bench.interval([edge])], "an inventory fact is told once"
    other = bench.edge(camera, desk, 80, direction=IN, application=HTTP)
    assert ids(bench.interval([other])) == ["cleartext-web"]


def test_what_is_none(bench: Bench) -> None:
    camera, gateway = bench.add("ip-camera"), bench.add("network-gear", gateway=True)
    edges = [
        bench.edge(camera, "10.1.1.1", 443, direction=IN, application=TLS),
        bench.edge(camera, "10.1.1.1", 80, direction=OUT, application=HTTP),
        bench.edge(camera, "10.1.1.1", 80, direction=IN, application=HTTP, gates=SESSION),
        bench.edge(gateway, "10.1.1.1", 80, direction=IN, application=HTTP),
    ]
    assert ids(bench.interval(edges)) == []
