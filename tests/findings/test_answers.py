"""Who a clinical device has answered, in bounded memory."""

import numpy as np

from agent.devices.records import EdgeGate
from agent.findings.answers import A_TURN_MAX, ANSWERS_MAX, KEEP_NS, Answers
from tests.findings.bench import START_NS, Bench


def test_only_answers_of_clinical_devices_to_unknown_ones(bench: Bench) -> None:
    guest, pacs, desk = bench.add("unknown"), bench.add("pacs"), bench.add("office-workstation")
    answers = Answers()
    answers.observe(bench.case(bench.edge(guest, pacs, 104), bench.edge(desk, pacs, 104), bench.edge(guest, desk, 104)))
    answers.observe(bench.case(bench.edge(guest, pacs, 22, gates=EdgeGate.REFUSED)))
    now = bench.now_ns
    assert answers.count(bench.mac(guest), (6, 104), "", now) == 1
    assert answers.count(bench.mac(guest), None, "10.20.30.101", now) == 1
    assert answers.count(bench.mac(guest), (6, 22), "", now) == 0
    assert answers.count(bench.mac(desk), (6, 104), "", now) == 0
    assert answers.count(bench.mac(guest), (6, 104), "", now + KEEP_NS + 1) == 0


def test_memory_is_bounded(bench: Bench) -> None:
    guest, pacs = bench.add("unknown"), bench.add("pacs")
    answers = Answers()
    edges = np.repeat(bench.edge(guest, pacs, 1), 200)
    for n in range(30):
        edges["port"] = np.arange(200) + n * 200 + 1
        answers.observe(bench.case(edges))
    assert len(answers._seen) == ANSWERS_MAX


def test_of_many_answers_in_one_turn_the_first_are_kept(bench: Bench) -> None:
    guest, pacs = bench.add("unknown"), bench.add("pacs")
    answers, rng = Answers(), np.random.default_rng(1)
    edges = np.repeat(bench.edge(guest, pacs, 1), 3 * A_TURN_MAX)
    edges["port"] = rng.permutation(len(edges)) + 1
    edges["first_ns"] = START_NS + edges["port"].astype(np.int64) // 4  # four begin at once
    answers.observe(bench.case(edges))
    assert sorted(key[2] for key in answers._seen) == list(range(1, A_TURN_MAX + 1))


def test_what_is_forgotten_is_forgotten_for_its_source_too(bench: Bench) -> None:
    first, pacs = bench.add("unknown"), bench.add("pacs")
    answers = Answers()
    answers.observe(bench.case(bench.edge(first, pacs, 1)))
    other = bench.add("unknown")
    edges = np.repeat(bench.edge(other, pacs, 1), A_TURN_MAX)
    for n in range(ANSWERS_MAX // A_TURN_MAX):
        edges["port"] = np.arange(A_TURN_MAX) + n * A_TURN_MAX + 1
        answers.observe(bench.case(edges))
    assert answers.count(bench.mac(first), (6, 1), "", bench.now_ns) == 0
    assert set(answers._by_source) == {bench.mac(other)}
    assert sum(map(len, answers._by_source.values())) == len(answers._seen) == ANSWERS_MAX
