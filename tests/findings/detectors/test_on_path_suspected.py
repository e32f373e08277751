"""on-path-suspected: a moved address and a second sign; each by itself is something else."""

from agent.findings.records import Finding, Severity
from agent.tap.records import LegCounts
from tests.findings.bench import Bench, S, ids, number

PACS, LINUX = "10.20.30.10", "m44:1460:7:MSTNW"


def ward(bench: Bench) -> tuple[int, int]:
    """A PACS that was heard, and a board beside it."""
    pacs = bench.add("pacs", claims=(PACS,))
    assert not bench.judge(sightings=[bench.sighting("tcp.syn-ack", f"64:{LINUX}", pacs, sender=PACS)])
    return pacs, bench.add("iot-other", claims=("10.20.30.77",))


def forwards(bench: Bench, board: int, kind: str = "tcp.passed-syn-ack", word: str = f"63:{LINUX}") -> list[Finding]:
    """A turn in which a packet with the PACS' address comes from the board."""
    return bench.judge(sightings=[bench.sighting(kind, word, board, sender=PACS)])


def takes(bench: Bench, board: int, **more: object) -> list[Finding]:
    """A turn in which the board claims the address by ARP."""
    bench.devices[board].claims = ("10.20.30.77", PACS)
    return bench.judge(**more)


def test_the_altered_image(bench: Bench) -> None:
    pacs, board = ward(bench)
    assert ids(takes(bench, board)) == ["arp-binding-changed"]
    (found,) = forwards(bench, board)
    assert (found.id, found.severity, found.mac) == ("on-path-suspected", Severity.PAGE, bench.mac(board))
    assert found.sentence == (
        "Consumer device 00:d0:75:18:00:01 (Maker) may stand between the PACS 00:d0:75:18:00:00 (Maker) and those who "
        "talk to it: it took the address 10.20.30.10, and since then its packets have come 1 hop more (time to "
        "live 63); what is sent there, images too, can be read and altered on its way."
    )
    assert dict(found.evidence)["signs"] == "binding, hop"
    assert dict(found.evidence)["earlier-findings-folded"] == 1
    assert not forwards(bench, board)
    assert not forwards(bench, board, "dicom.implementation", "1.2.3"), "one cause"
    assert pacs == 0


def test_the_sign_may_come_first(bench: Bench) -> None:
    _, board = ward(bench)
    assert not forwards(bench, board), "by itself a router"
    assert ids(takes(bench, board)) == ["arp-binding-changed", "on-path-suspected"]


def test_a_binding_by_itself(bench: Bench) -> None:
    _, board = ward(bench)
    assert ids(takes(bench, board)) == ["arp-binding-changed"]
    assert not forwards(bench, board, "tcp.syn-ack", f"64:{LINUX}"), "no different"
    assert not bench.judge(after_ns=60 * S)


def test_a_sign_that_comes_much_later(bench: Bench) -> None:
    _, board = ward(bench)
    takes(bench, board)
    assert not bench.judge(after_ns=1000 * S)
    assert not forwards(bench, board)


def test_by_neighbour_discovery(bench: Bench) -> None:
    router, board = bench.add("network-gear", gateway=True), bench.add("unknown")
    address = {"sender": "fe80::1"}
    says = {"address": "fe80::1"}
    assert not bench.judge(sightings=[bench.sighting("nd.says", "router", router, **says)])
    assert not bench.judge(sightings=[bench.sighting("tcp.syn-ack", f"64:{LINUX}", router, **address)])
    moved = [
        bench.sighting("nd.says", "router", board, **says),
        bench.sighting("tcp.syn-ack", "64:m10:1440:3:MSTNW", board, **address),
    ]
    assert ids(bench.judge(sightings=moved)) == ["neighbour-changed", "on-path-suspected"]


def test_a_cable_that_was_pulled_before(bench: Bench) -> None:
    _, board = ward(bench)
    assert not bench.judge(legs=[LegCounts("eth1", 0, 0, 0, 0, blind_ns=3 * S)])
    said = takes(bench, board, legs=[LegCounts("eth1", 0, 0, 0, 0, blind_ns=3 * S)])
    assert ids(said) == ["arp-binding-changed", "on-path-suspected"]
    assert "the link was down for a moment before" in said[1].sentence


def test_a_handshake_that_became_slower(bench: Bench) -> None:
    pacs, board = ward(bench)
    modality = bench.add("imaging-modality")
    way = {"peer_hi": 0, "peer_lo": number(PACS)}
    bench.interval([bench.edge(modality, pacs, 104, rtt_us=400, **way)])
    takes(bench, board)
    said = bench.interval([bench.edge(modality, pacs, 104, rtt_us=6400, **way)])
    assert "on-path-suspected" in ids(said)


def test_a_sweep_of_claims_is_bounded(bench: Bench) -> None:
    ward(bench)
    for n in range(40):
        bench.add("printer", claims=tuple(f"10.20.{40 + n}.{i}" for i in range(4)))
    bench.judge()
    for n in range(40):
        bench.add("unknown", claims=tuple(f"10.20.{40 + n}.{i}" for i in range(4)))
    assert "on-path-suspected" not in ids(bench.judge())
