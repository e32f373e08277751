"""Who came after the tap had settled, what devices were a minute ago, and whose pools have ended learning.

A tap that starts for the first time knows nobody. What a device does for the first time since then is often what it
did yesterday; what a device does that came itself since then, or a stranger, is another thing.
"""

from typing import Final

import numpy as np

from agent.findings.case import Case
from agent.findings.catalogue import UNKNOWN
from agent.findings.peers import Peers

NEW_MAX: Final = 4096  # as many as the device table has slots; the oldest is new no more


class Arrivals:
    """Devices that came after the tap had settled, and the sure roles as of the last interval: before one could act."""

    def __init__(self, peers: Peers) -> None:
        """`peers` says whether it was known before a restart who belongs here."""
        self._peers = peers
        self._new: dict[int, None] = {}
        self._roles: dict[int, int] = {}  # MAC -> role index, as sure as a page needs

    def look(self, case: Case) -> None:
        """Every turn, before anybody asks."""
        if case.turn.settled or self._peers.resumed:
            macs = map(case.turn.devices.mac, case.turn.new_devices.tolist())
            self._new.update(dict.fromkeys(mac for mac in macs if not self._peers.knew(mac)))
            while len(self._new) > NEW_MAX:
                del self._new[next(iter(self._new))]

    def close(self, case: Case) -> None:
        """Every turn, when everybody has asked: roles of an interval count from the next one on."""
        if case.turn.interval_closed:
            devices, count = case.turn.devices, case.roles.shape[0]
            sure = np.flatnonzero(devices.confidences()[:count] >= case.settings.page_confidence)
            macs = devices.macs()[:count].take(sure).tolist()
            self._roles = dict(zip(macs, case.roles.take(sure).tolist(), strict=True))

    def is_new(self, mac: int) -> bool:
        """Whether a device was first heard after the tap had settled, whatever restarts there were since."""
        return mac in self._new

    def role_before(self, case: Case, mac: int) -> str:
        """What a device was surely when the last interval closed; before the first one, as it is known from before."""
        index = self._roles.get(mac)
        if index is not None:
            return case.contracts.roles[index]
        slot = case.slot_of(mac) if self._peers.knew(mac) and not self._roles else None
        return UNKNOWN if slot is None else case.role(slot)


def has_learned(case: Case, role: str) -> bool:
    """Whether the role's pool has ended learning: until then what is new of it is taken down and not said."""
    watched = case.usual.watched()
    index = case.contracts.roles.index(role)
    return index < watched.shape[0] and bool(watched[index])
