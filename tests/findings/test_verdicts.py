"""What the kernel says, as arrays of the right length."""

import numpy as np

from agent.devices.records import EDGE
from agent.findings.contract_table import OUTSIDE
from agent.findings.records import NO_CONTRACT, EdgeMark
from agent.findings.verdicts import verdicts
from tests.findings.bench import CONTRACTS, IN, Bench


def test_a_pump_that_is_asked_by_a_stranger(bench: Bench) -> None:
    pump, guest = bench.add("infusion-pump"), bench.add("unknown")
    edges = np.concatenate([bench.edge(pump, guest, 4444, direction=IN), bench.edge(guest, pump, 4444)])
    said = verdicts(CONTRACTS.table, edges, bench.roles())
    assert said.codes.tolist() == [OUTSIDE, NO_CONTRACT]
    marks = {mark: said.places[mark, : said.counts[mark]].tolist() for mark in EdgeMark}
    assert {mark for mark in EdgeMark if 0 in marks[mark]} == {
        EdgeMark.NEWS, EdgeMark.ACCEPTED, EdgeMark.OUTSIDE, EdgeMark.ODD_ANSWER,
    }  # fmt: skip
    assert {mark for mark in EdgeMark if 1 in marks[mark]} == {
        EdgeMark.NEWS, EdgeMark.ASKED, EdgeMark.ODD_TRY, EdgeMark.WAITS,
    }  # fmt: skip


def test_no_edges(bench: Bench) -> None:
    bench.add("infusion-pump")
    said = verdicts(CONTRACTS.table, np.zeros(0, EDGE), bench.roles())
    assert (said.codes.size, said.places.shape, sum(said.counts)) == (0, (len(EdgeMark), 0), 0)
