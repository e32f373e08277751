"""Asks the kernel about many edges at once."""

import numpy as np

from agent.findings.contract_table import Table
from agent.findings.kernels import MARKS, judge_edges
from agent.findings.records import Roles, Rows, Verdicts


def verdicts(table: Table, edges: Rows, roles: Roles) -> Verdicts:
    """The contract's word on each edge, and who has to look at it. `roles` by device slot (DeviceView.roles())."""
    count = edges.shape[0]
    codes, places, counts = np.empty(count, np.int16), np.empty((MARKS, count), np.uint32), np.zeros(MARKS, np.int64)
    judge_edges(edges, roles, table.rules, table.marks, codes, places, counts)
    return Verdicts(codes, places, counts.tolist())
