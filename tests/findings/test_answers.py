"""Who a clinical device has answered, in bounded memory."""

import numpy as np

from agent.devices.records import EdgeGate
from agent.findings.answers import ANSWERS_MAX, KEEP_NS, Answers
from agent.findings.case import Case
from agent.findings.records import Rows
from tests.findings.bench import CONTRACTS, Bench


def case(bench: Bench, *edges: Rows) -> Case:
    rows, roles = np.concatenate(edges), bench.roles()
    taken = np.zeros(rows.size, np.bool_)
    return Case(bench.turn(rows), CONTRACTS, bench.settings, rows, roles, CONTRACTS.judge(rows, roles), taken)


def test_only_answers_of_clinical_devices_to_unknown_ones(bench: Bench) -> None:
    guest, pacs, desk = bench.add("unknown"), bench.add("pacs"), bench.add("office-workstation")
    answers = Answers()
    answers.observe(
        case(bench, bench.edge(guest, pacs, 104), bench.edge(desk, pacs, 104), bench.edge(guest, desk, 104))
    )
    answers.observe(case(bench, bench.edge(guest, pacs, 22, gates=EdgeGate.REFUSED)))
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
        answers.observe(case(bench, edges))
    assert len(answers._seen) == ANSWERS_MAX
