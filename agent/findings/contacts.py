"""Which clinical devices were contacted oddly of late: what makes a silence that follows worse."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, Scope
from agent.findings.case import Case
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import NO_CONTRACT, OUTSIDE
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
    edges, count = case.edges, case.roles.shape[0]
    if not count or not edges.shape[0]:
        return []
    clinical = np.append(case.contracts.clinical.take(case.roles), False)
    device, peer = np.minimum(edges["device"], count), np.minimum(edges["peer_device"], count)
    about = np.flatnonzero(clinical.take(device) | clinical.take(peer))
    if not about.size:
        return []
    edges, device, peer = edges.take(about), device[about], peer[about]
    unknown = np.append(case.roles == case.contracts.roles.index(UNKNOWN), False)
    codes, taken = case.codes[about], case.taken[about]
    outside = (codes <= OUTSIDE) & (codes != NO_CONTRACT)
    inward = edges["direction"] == EdgeDirection.RESPONDS
    answered = clinical.take(device) & inward & (outside | taken) & (edges["scope"] <= Scope.INTERNET)
    tried = clinical.take(peer) & ~inward & (unknown.take(device) | taken)
    slots = np.unique(np.concatenate([device[answered], peer[tried]]))[:A_TURN_MAX]
    macs: list[int] = case.turn.devices.macs()[slots].tolist()
    return macs
