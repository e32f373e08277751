"""icmp-tunnel: answers of other sizes than the questions; every ping gives back what it got."""

from agent.findings.records import Finding, Severity
from tests.findings.bench import Bench, ids


def echoes(bench: Bench, device: int, asked: int, answered: int, count: int = 60, **fields: int) -> list[Finding]:
    """A minute of echo messages, with these octets each way."""
    given = {"protocol": 1, "packets_out": count, "packets_in": count}
    given |= {"octets_out": asked * count, "octets_in": answered * count}
    port = fields.pop("port", 0x0800)
    return bench.interval([bench.edge(device, "192.168.154.132", port, **given | fields)])


def test_data_in_echoes(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert not echoes(bench, guest, 120, 400)
    (found,) = echoes(bench, guest, 120, 400)
    assert (found.id, found.severity) == ("icmp-tunnel", Severity.REVIEW)
    assert (
        "exchanged 240 echo messages with 192.168.154.132, asked with 120 octets and answered with 400"
        in found.sentence
    )


def test_a_clinical_device_pages(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    echoes(bench, pump, 120, 400)
    assert echoes(bench, pump, 120, 400)[0].severity is Severity.PAGE


def test_pings_of_any_size_and_rate_are_silent(bench: Bench) -> None:
    guest = bench.add("unknown")
    for size in (28, 60, 84, 1500):
        assert not [f for _ in range(5) for f in echoes(bench, guest, size, size, 6000)]


def test_lost_answers_are_no_tunnel(bench: Bench) -> None:
    guest = bench.add("unknown")
    for _ in range(10):
        assert not echoes(bench, guest, 84, 84, packets_in=20, octets_in=84 * 20)
        assert not echoes(bench, guest, 84, 0, packets_in=0, octets_in=0)


def test_a_few_odd_ones_are_no_tunnel(bench: Bench) -> None:
    guest = bench.add("unknown")
    assert not [f for _ in range(4) for f in echoes(bench, guest, 84, 400, count=4)]


def test_ipv6_has_another_type(bench: Bench) -> None:
    guest = bench.add("unknown")
    for _ in range(2):
        said = echoes(bench, guest, 120, 400, protocol=58, port=128 << 8)
    assert ids(said) == ["icmp-tunnel"]
    assert not [f for _ in range(4) for f in echoes(bench, guest, 120, 400, protocol=58, port=135 << 8)]
