"""rogue-dns: names are answered by a device that answered none before and that no DHCP server of the ward gives."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from agent.findings.case import Case
from agent.findings.catalogue import CLINICAL_ROLES, NETWORK_GEAR
from agent.findings.detectors.rogue_dhcp import RogueDhcp
from agent.findings.draft import Draft
from agent.findings.edge_draft import Said, edge_draft, peer_of
from agent.findings.records import EdgeMark, Severity

KNOWN_MAX: Final = 512  # resolvers; of a flood of invented ones no more are believed
A_TURN_MAX: Final = 64
SERVERS: Final = frozenset({"hospital-server", NETWORK_GEAR})  # whose work it is: a second one may be what they set up
EXPECTED: Final = "Names are answered by the one or two servers that DHCP gives."
_MAPPED: Final = 0xFFFF << 32


class RogueDns:
    """Who answers while the tap settles is the ward's, unless it is a rogue DHCP server."""

    def __init__(self, dhcp: RogueDhcp) -> None:
        """`dhcp` knows which name servers the ward's DHCP servers give, and who is none of them."""
        self._dhcp = dhcp
        self._known: dict[int, None] = {}

    def judge(self, case: Case) -> Iterator[Draft]:
        """Answered questions of devices, oldest first."""
        edges, count, rogues = case.edges, case.roles.shape[0], self._dhcp.rogues
        chosen = case.oldest_places(edges, case.marked(EdgeMark.NAMED), A_TURN_MAX)
        if not chosen.size:
            return
        columns = (edges[name][chosen].tolist() for name in ("device", "peer_hi", "peer_lo", "peer_device"))
        for index, client, peer_hi, peer_lo, peer in zip(chosen.tolist(), *columns, strict=True):
            address = peer_hi << 64 | peer_lo
            if not rogues and address in self._known:
                continue
            server = peer if peer < count else None
            rogue = server is not None and case.turn.devices.mac(server) in rogues
            if not rogue and self._may(case, client, address):
                if len(self._known) < KNOWN_MAX:
                    self._known[address] = None
                continue
            severity = _severity(case, client, server, rogue=rogue)
            if severity is not None:
                yield _draft(case, edges[index], severity, rogue=rogue)

    def _may(self, case: Case, client: int, address: int) -> bool:
        """Whether this resolver is right: known, given by DHCP, the first, heard while the tap settles, or declared."""
        if address in self._known or not self._known or not case.turn.settled:
            return True
        if address >> 32 == 0xFFFF and address & 0xFFFFFFFF in self._dhcp.resolvers:
            return True
        return case.settings.in_change_window(case.role(client), case.turn.now_ns)


def _severity(case: Case, client: int, server: int | None, *, rogue: bool) -> Severity | None:
    """A page for a stranger on the segment; a review for a server, and for what a clinical device asks elsewhere."""
    if rogue:
        return Severity.PAGE
    if server is None or case.turn.devices.is_gateway(server):
        asks = case.role(client) in CLINICAL_ROLES and not case.turn.devices.is_gateway(client)
        return Severity.REVIEW if asks else None
    return Severity.REVIEW if case.role(server) in SERVERS else Severity.PAGE


def _draft(case: Case, edge: np.void, severity: Severity, *, rogue: bool) -> Draft:
    why = "which answered nobody before and no known DHCP server gives"
    if rogue:
        why = "which also gives out addresses and is no server of the ward"
    resolver = peer_of(edge)
    text = f"has its names answered by {case.peer_text(edge)} at {resolver}, {why}: it says where to connect"
    return edge_draft(case, edge, Said("rogue-dns", severity, text, (("resolver", resolver),), EXPECTED, resolver))
