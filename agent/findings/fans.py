"""A scan that was said, and which edges of a turn are pieces of it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from agent.devices.records import NO_SLOT, EdgeDirection, FanKind
from agent.findings.case import Case, Places
from agent.findings.draft import Draft
from agent.findings.words import address_text

# As plain numbers: an enumeration's member costs a microsecond, and hundreds of open scans are looked at each second.
_OUT, _IN = int(EdgeDirection.ORIGINATES), int(EdgeDirection.RESPONDS)
_HOSTS, _PORTS = int(FanKind.HOSTS), int(FanKind.PORTS)


class FanKey(NamedTuple):
    """What is tried, and by whom."""

    mac: int
    kind: int  # FanKind
    protocol: int
    port: int  # HOSTS: the service
    peer_hi: int  # PORTS: the host
    peer_lo: int


@dataclass(slots=True)
class OpenFan:
    """One scan and what it has led to."""

    key: FanKey
    slot: int
    last_ns: int  # of the last edge that folded into it
    unknown: bool  # its source has no role: a clinical answer makes it a page
    draft: Draft | None = None
    victims: set[int] = field(default_factory=set)  # slots of scanned devices (PORTS)

    @property
    def peer(self) -> str:
        """The scanned host; empty for a sweep of many."""
        return address_text(self.key.peer_hi, self.key.peer_lo) if self.key.kind == _PORTS else ""


def open_fan(case: Case, row: np.void, unknown: bool) -> OpenFan:
    """A fan that crossed its threshold in this turn."""
    slot = int(row["device"])
    key = FanKey(
        mac=case.turn.devices.mac(slot),
        kind=int(row["kind"]),
        protocol=int(row["protocol"]),
        port=int(row["port"]),
        peer_hi=int(row["peer_hi"]),
        peer_lo=int(row["peer_lo"]),
    )
    return OpenFan(key, slot, case.turn.now_ns, unknown)


def own_edges(case: Case, fan: OpenFan) -> Places:
    """Edges the scanner began: to the service, or to the host."""
    own, edges, key = case.edges_of(fan.slot), case.edges, fan.key
    own = own.compress(edges["direction"][own] == _OUT)
    if key.kind == _HOSTS:
        return own.compress((edges["protocol"][own] == key.protocol) & (edges["port"][own] == key.port))
    peer_hi, peer_lo = np.uint64(key.peer_hi), np.uint64(key.peer_lo)
    own = own.compress((edges["peer_hi"][own] == peer_hi) & (edges["peer_lo"][own] == peer_lo))
    peers = edges["peer_device"][own]
    fan.victims.update(peers[peers != NO_SLOT].tolist())
    return own


def other_ends(case: Case, fan: OpenFan) -> Places:
    """The same contacts as the scanned devices' edges."""
    ends, edges, key = case.edges_to(fan.slot), case.edges, fan.key
    ends = ends.compress(edges["direction"][ends] == _IN)
    if key.kind == _HOSTS:
        return ends.compress((edges["protocol"][ends] == key.protocol) & (edges["port"][ends] == key.port))
    return ends.compress(np.isin(edges["device"][ends], tuple(fan.victims)))
