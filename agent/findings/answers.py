"""Which devices of unknown role a clinical device has answered: what makes their scan a page (docs/findings.md)."""

from collections import OrderedDict
from typing import Final

import numpy as np

from agent.findings.case import Case
from agent.findings.records import EdgeMark
from agent.findings.words import NS_PER_S, address_text

ANSWERS_MAX: Final = 4096
A_TURN_MAX: Final = 256
KEEP_NS: Final = 3600 * NS_PER_S

Key = tuple[int, int, int, int, int]  # source MAC, protocol, port, the peer's address


class Answers:
    """A bounded memory of the last hour."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Key, int] = OrderedDict()
        self._by_source: dict[int, set[Key]] = {}  # the same keys: hundreds of open scans each ask for theirs

    def observe(self, case: Case) -> None:
        """Take note of this turn's answers to devices of unknown role."""
        edges = case.edges
        chosen, _ = case.in_order(case.marked(EdgeMark.ASKED), A_TURN_MAX)
        if not chosen:
            return
        strangers = np.array(chosen, np.intp)
        strangers = strangers.compress(case.nameless(edges["device"][strangers]))
        macs = case.turn.devices.macs()[edges["device"][strangers]].tolist()
        columns = (edges[name][strangers].tolist() for name in ("protocol", "port", "peer_hi", "peer_lo"))
        for key in zip(macs, *columns, strict=True):
            if self._seen.pop(key, None) is None:
                self._by_source.setdefault(key[0], set()).add(key)
            self._seen[key] = case.turn.now_ns
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
