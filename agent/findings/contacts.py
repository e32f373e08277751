"""Which clinical devices were contacted oddly of late: what makes a silence that follows worse."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case
from agent.findings.records import EdgeMark
from agent.findings.words import NS_PER_S

ODD_MAX: Final = 1024
A_TURN_MAX: Final = 256
ODD_NS: Final = 900 * NS_PER_S  # a device that falls silent later fell silent for another reason


class OddContacts:
    """When a device (by MAC) was last contacted by a scan, outside its contract, or by a device nobody knows."""

    def __init__(self) -> None:
        self._when: OrderedDict[int, int] = OrderedDict()

    def observe(self, case: Case) -> Mapping[int, int]:
        """Take note of this turn's; returns those that still count, by MAC, in ns."""
        for mac in _contacted(case):
            self._when[mac] = case.turn.now_ns
            self._when.move_to_end(mac)
        while self._when and (len(self._when) > ODD_MAX or case.turn.now_ns - next(iter(self._when.values())) > ODD_NS):
            self._when.popitem(last=False)
        return self._when


def _contacted(case: Case) -> list[int]:
    """MACs of clinical devices that answered what their contract does not name, or that a stranger tried."""
    answered, tried, taken = case.marked(EdgeMark.ODD_ANSWER), case.marked(EdgeMark.ODD_TRY), np.flatnonzero(case.taken)
    if not (answered.size or tried.size or taken.size):
        return []
    edges, count = case.edges, case.roles.shape[0]
    contacted = np.zeros(count, np.bool_)
    contacted[edges["device"][answered]] = True
    contacted[edges["peer_device"][tried]] = True
    if taken.size:  # a scan's, whoever is behind it
        inward = edges["direction"][taken] == EdgeDirection.RESPONDS
        answers = taken[inward & (edges["scope"][taken] <= Scope.INTERNET)]
        slots = np.concatenate([edges["device"][answers], edges["peer_device"][taken[~inward]]])
        slots = slots[slots < count]
        contacted[slots[case.contracts.clinical.take(case.roles.take(slots))]] = True
    macs: list[int] = case.turn.devices.macs()[np.flatnonzero(contacted)[:A_TURN_MAX]].tolist()
    return macs
