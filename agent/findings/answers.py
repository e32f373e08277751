"""Which devices of unknown role a clinical device has answered: what makes their scan a page (docs/findings.md)."""

from collections import OrderedDict
from typing import Final

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate
from agent.findings.case import Case, Places
from agent.findings.catalogue import UNKNOWN
from agent.findings.contract_table import Rows
from agent.findings.words import NS_PER_S, address_text

ANSWERS_MAX: Final = 4096
A_TURN_MAX: Final = 256
KEEP_NS: Final = 3600 * NS_PER_S

Key = tuple[int, int, int, int, int]  # source MAC, protocol, port, the peer's address


def _first(places: Places, edges: Rows) -> Places:
    """Without those that begin after as many as a turn looks at: to put thousands in order takes a millisecond."""
    if places.size <= A_TURN_MAX:
        return places
    began_ns = edges["first_ns"][places]
    return places.compress(began_ns <= np.partition(began_ns, A_TURN_MAX - 1)[A_TURN_MAX - 1])


class Answers:
    """A bounded memory of the last hour."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, int] = OrderedDict()
        self._by_source: dict[int, set[Key]] = {}  # the same keys: hundreds of open scans each ask for theirs

    def observe(self, case: Case) -> None:
        """Take note of this turn's answers to devices of unknown role."""
        edges, count = case.edges, case.roles.shape[0]
        clinical = np.append(case.contracts.clinical.take(case.roles), False)  # the last one: no device of ours
        asked = np.flatnonzero(clinical.take(np.minimum(edges["peer_device"], count)))
        device = edges["device"][asked]
        fits = (device < count) & ~clinical.take(np.minimum(device, count))
        fits &= edges["direction"][asked] == EdgeDirection.ORIGINATES
        fits &= (edges["gates"][asked] & np.uint8(EdgeGate.ANSWERED)) != 0
        chosen, _ = case.in_order(_first(asked[fits], edges), A_TURN_MAX)
        slots = edges["device"][chosen].tolist()
        unknown = {slot: case.turn.devices.mac(slot) for slot in set(slots) if case.role(slot) == UNKNOWN}
        columns = (edges[name][chosen].tolist() for name in ("protocol", "port", "peer_hi", "peer_lo"))
        for slot, protocol, port, hi, lo in zip(slots, *columns, strict=True):
            if slot not in unknown:
                continue
            key = (unknown[slot], protocol, port, hi, lo)
            self._seen[key] = case.turn.now_ns
            self._seen.move_to_end(key)
            self._by_source.setdefault(key[0], set()).add(key)
            while len(self._seen) > ANSWERS_MAX:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest, _ = self._seen.popitem(last=False)
        self._by_source[oldest[0]].discard(oldest)
        if not self._by_source[oldest[0]]:
            del self._by_source[oldest[0]]

    def count(self, mac: int, service: tuple[int, int] | None, peer: str, now_ns: int) -> int:
        """How many clinical devices answered this source, on a service or at an address."""
        hosts = {
            key[3:]
            for key in self._by_source.get(mac, ())
            if now_ns - self._seen[key] <= KEEP_NS
            and (key[1:3] == service if service else address_text(*key[3:]) == peer)
        }
        return len(hosts)
