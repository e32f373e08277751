"""What detectors share: names, order, evidence."""

from random import Random

import numpy as np

from agent.findings.case import edge_evidence, more_in_turn, severity_of
from agent.findings.records import Severity
from tests.findings.bench import START_NS, Bench, S


def test_names(bench: Bench) -> None:
    pacs, guest = bench.add("pacs", confidence=0.7), bench.add("unknown")
    here = bench.case(bench.edge(guest, pacs, 104), bench.edge(pacs, guest, 1), bench.edge(pacs, "2001:db8::7", 1))
    assert here.peer_text(here.edges[0]) == "the PACS 00:d0:75:18:00:00 (Maker)"
    assert here.peer_text(here.edges[1]) == "the device 00:d0:75:18:00:01 (Maker)"
    assert here.peer_text(here.edges[2]) == "2001:db8::7"
    assert [here.peer_mac(edge) for edge in here.edges] == [bench.mac(pacs), bench.mac(guest), 0]
    assert here.role(pacs) == "pacs"
    bench.devices[pacs].confidence = 0.59
    assert bench.case(bench.edge(pacs, guest, 1)).role(pacs) == "unknown"
    assert here.role(pacs) == "pacs", "within a turn a device is one thing"


def test_order_is_by_time_then_peer_then_service(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    rows = [bench.edge(pump, "10.1.1.2", 9), bench.edge(pump, "10.1.1.1", 9), bench.edge(pump, "10.1.1.1", 8)]
    rows.append(bench.edge(pump, "10.9.9.9", 1, first_ns=START_NS - S))
    here = bench.case(*rows)
    assert here.in_order(np.arange(4), 10) == ([3, 2, 1, 0], [])
    assert here.in_order(np.arange(4), 1) == ([3], [2, 1, 0])


def test_order_is_the_order_of_the_values(bench: Bench) -> None:
    """A slow twin over rows full of ties: the MAC decides last, and what is over the limit is the rest."""
    random = Random(20_261_102)
    slots = [bench.add("unknown", mac=random.randrange(1, 1 << 47)) for _ in range(8)]
    rows = np.repeat(bench.edge(0, "10.1.1.1", 1), 60)
    for row in rows:
        row["device"], row["port"], row["direction"] = (
            random.choice(slots),
            random.choice([1, 2]),
            random.choice([0, 1]),
        )
        row["first_ns"], row["peer_lo"] = START_NS + random.choice([-1, 0, 1]), random.choice([1, (1 << 64) - 1])
    here = bench.case(rows)
    names = ("first_ns", "peer_hi", "peer_lo", "protocol", "port", "direction")
    values = {i: tuple(int(rows[name][i]) for name in names) for i in range(60)}
    for most in (1, 5, 30, 60, 100):
        chosen = sorted(random.sample(range(60), 50))
        expected = sorted(chosen, key=values.__getitem__)[:most]
        expected.sort(key=lambda i: (values[i], bench.mac(int(rows["device"][i]))))
        first, late = here.in_order(np.array(chosen), most)
        assert first == expected
        assert sorted([*first, *late]) == chosen
    assert here.in_order(np.flatnonzero(rows["port"] == 9), 5) == ([], [])


def test_edges_by_either_end(bench: Bench) -> None:
    one, two = bench.add("pacs"), bench.add("unknown")
    here = bench.case(bench.edge(one, two, 1), bench.edge(two, one, 1), bench.edge(one, "10.1.1.1", 1))
    assert [here.edges_of(slot).tolist() for slot in (one, two, 7)] == [[0, 2], [1], []]
    assert [here.edges_to(slot).tolist() for slot in (one, two, 7)] == [[1], [0], []]


def test_evidence_has_counts_and_times(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    here = bench.case(bench.edge(pump, "10.1.1.2", 9), lossy=True)
    found = dict(edge_evidence(here, here.edges[0]))
    assert found["flows"] == 1
    assert found["packets-out"] == 8
    assert found["octets-in"] == 700
    assert found["last"] == "2026-11-02T08:00:00Z"
    assert found["capture"] == "lossy"


def test_how_flows_ended_is_told_when_one_has(bench: Bench) -> None:
    bench.add("infusion-pump")
    open_, ended = bench.edge(0, "203.0.113.7", 4444), bench.edge(0, "203.0.113.8", 4444)
    open_["answered"], open_["failed"], ended["answered"], ended["failed"] = 0, 0, 0, 2
    here = bench.case(open_, ended)
    assert not {"answered", "failed"} & set(dict(edge_evidence(here, here.edges[0])))
    assert {"answered": 0, "failed": 2}.items() <= dict(edge_evidence(here, here.edges[1])).items()


def test_severity_and_the_rest_of_a_crowded_turn(bench: Bench) -> None:
    assert severity_of("ventilator") is Severity.PAGE
    assert severity_of("printer") is Severity.REVIEW
    bench.add("unknown")
    draft = more_in_turn(bench.case(bench.edge(0, "10.1.1.1", 1)), "contract-breach", 77)
    assert draft.finding.count == 77
    assert draft.finding.sentence.startswith("77 more contacts")
