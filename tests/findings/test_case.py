"""What detectors share: names, order, evidence."""

from random import Random

import numpy as np

from agent.findings.case import edge_evidence, more_in_turn, severity_of
from agent.findings.records import EdgeMark, Severity
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
    first, late = here.in_order(np.arange(4), 1)
    assert (first, sorted(late)) == ([3], [0, 1, 2])


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


def test_what_is_marked_and_what_is_left(bench: Bench) -> None:
    pump, guest = bench.add("infusion-pump"), bench.add("unknown")
    case = bench.case(*(bench.edge(pump, "203.0.113.9", port) for port in (1, 2, 3)), bench.edge(guest, pump, 9))
    assert case.marked(EdgeMark.PUBLIC).tolist() == case.left(EdgeMark.PUBLIC).tolist() == [0, 1, 2]
    case.taken[1] = True
    assert case.left(EdgeMark.PUBLIC).tolist() == [0, 2]
    assert case.marked(EdgeMark.MINES).size == case.left(EdgeMark.MINES).size == 0
    bench.devices[pump].confidence = 0.59
    assert case.nameless(np.array([pump, guest, pump], np.uint32)).tolist() == [True, True, True]
    bench.devices[pump].confidence = 0.6
    assert case.nameless(np.array([pump, guest], np.uint32)).tolist() == [False, True]


def test_rows_of_the_interval_are_judged_once(bench: Bench) -> None:
    pump = bench.add("infusion-pump")
    case = bench.case(counted=bench.edge(pump, "203.0.113.9", 4444))
    assert case.counted_codes().tolist() == [0]
    assert case.counted_codes() is case.counted_codes()


def test_the_oldest_of_thousands_are_those_that_a_whole_order_gives(bench: Bench) -> None:
    """Only those that may be among the first are put in order: with and without ties in time."""
    random = Random(20_261_128)
    slots = [bench.add("unknown") for _ in range(4)]
    for times in (3, 40, 10**9):
        rows = np.concatenate([bench.edge(random.choice(slots), "10.1.1.1", 1) for _ in range(200)])
        rows["first_ns"] = [START_NS + random.randrange(times) for _ in range(200)]
        rows["peer_lo"] += np.array([random.randrange(4) for _ in range(200)], np.uint64)
        rows["port"] = [random.randrange(2) for _ in range(200)]
        case = bench.case(rows)
        columns = ("first_ns", "peer_hi", "peer_lo", "protocol", "port", "direction")
        keys = list(
            zip(*(rows[name].tolist() for name in columns), map(bench.mac, rows["device"].tolist()), strict=True)
        )
        for most in (1, 64, 200):
            chosen, late = case.in_order(np.arange(200), most)
            assert [keys[n] for n in chosen] == sorted(keys[n] for n in chosen)
            assert sorted([*chosen, *late]) == list(range(200))
            assert [keys[n][:6] for n in chosen] == sorted(key[:6] for key in keys)[:most]
            assert [keys[n] for n in case.oldest_places(rows, np.arange(200), most)] == sorted(keys)[:most]
