"""The slow twin of the judge's kernel, written from docs/findings.md: one edge, one question after the other.

Decisions where the page leaves room: *unicast* is a peer on the segment, of the site or public. What belongs to a
detector alone (change windows, gateways, who is approved) is not asked here.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agent.devices.records import EdgeDirection, EdgeGate, Scope
from agent.findings.catalogue import CLINICAL_ROLES, UNKNOWN
from agent.findings.contract_file import Contract, Line
from agent.findings.known_bad_file import KnownBad
from agent.findings.records import EdgeMark
from agent.findings.thresholds import TOOLS, TOOLS_BY_CONTENT
from agent.packets.records import Application

TCP, UDP = 6, 17
HAPPENED = EdgeGate.HANDSHAKE | EdgeGate.TWO_WAY_DATA


class Book(NamedTuple):
    """What is known beforehand."""

    contracts: dict[str, Contract]
    common: tuple[Line, ...]
    listed: Sequence[KnownBad]

    def verdict(self, role: str, edge: np.void, peer_role: str, port: int | None = None) -> str:
        """none, never, does or outside: a *never* wins, then any line that fits. `peer_role` is empty for no device."""
        contract = self.contracts.get(role)
        where, asked = Scope(min(int(edge["scope"]), max(Scope))), int(edge["port"]) if port is None else port
        direction = min(int(edge["direction"]), 1)

        def fits(line: Line) -> bool:
            there = peer_role in line.peer_roles or (Scope.SEGMENT if peer_role else where) in line.scopes
            return there and line.speaks(int(edge["protocol"]), asked, direction)

        if contract is None:
            return "none"
        if any(fits(line) for line in contract.never):
            return "never"
        allowed = (*contract.does, *(self.common if contract.common else ()))
        return "does" if any(fits(line) for line in allowed if not line.networks) else "outside"

    def answers(self, role: str, edge: np.void, peer_role: str) -> bool:
        """Whether the contract lets the role answer such a peer on any port at all."""
        inward = edge.copy()
        inward["direction"] = EdgeDirection.RESPONDS
        lines = [*self.common, *(line for contract in self.contracts.values() for line in contract.does)]
        ports = {0, 65535, *(port for line in lines for span in line.ports for port in span)}
        return any(self.verdict(role, inward, peer_role, port) == "does" for port in ports)


def marks(book: Book, edge: np.void, role: str | None, peer_role: str | None) -> set[EdgeMark]:
    """Who has to look at an edge. Roles are None where there is no device."""
    if role is None:
        return set()
    known_peer = "" if peer_role in (None, UNKNOWN) else str(peer_role)
    verdict = book.verdict(role, edge, known_peer)
    found = _by_itself(book, edge) | _by_roles(edge, role, peer_role)
    clinical, inward = role in CLINICAL_ROLES, edge["direction"] == EdgeDirection.RESPONDS
    happened, public = bool(edge["gates"] & HAPPENED), edge["scope"] == Scope.INTERNET
    sure, unicast = bool(edge["gates"] & EdgeGate.INITIATOR_KNOWN), edge["scope"] <= Scope.INTERNET
    if verdict == "never":
        found.add(EdgeMark.NEVER)
    if verdict in ("never", "outside") and clinical and inward and unicast:
        found.add(EdgeMark.ODD_ANSWER)
    if verdict == "none" and (happened or edge["gates"] & EdgeGate.EXCHANGED):
        found.add(EdgeMark.WAITS)
    if verdict in ("none", "outside") and happened and sure and unicast:
        found.add(EdgeMark.NEWS)
    if happened and _is_steered(edge) and (verdict == "outside" or (verdict == "none" and public)):
        found.add(EdgeMark.STEERED)
    if verdict == "outside" and public and edge["gates"] & (EdgeGate.EXCHANGED | EdgeGate.TWO_WAY_DATA):
        found.add(EdgeMark.PUBLIC)
    if verdict == "outside" and clinical and happened and sure and not public:
        found.add(EdgeMark.OUTSIDE)
    session = edge["protocol"] == TCP and edge["gates"] & EdgeGate.HANDSHAKE and sure and edge["scope"] < Scope.INTERNET
    if verdict == "outside" and clinical and inward and session and not book.answers(role, edge, known_peer):
        found.add(EdgeMark.ACCEPTED)
    return found


def _is_steered(edge: np.void) -> bool:
    by_port = edge["protocol"] == TCP and int(edge["port"]) in TOOLS
    return bool(by_port or int(edge["application"]) in TOOLS_BY_CONTENT)


def _by_itself(book: Book, edge: np.void) -> set[EdgeMark]:
    """What is spoken, and with which address."""
    found, gates = set[EdgeMark](), edge["gates"]
    began, unicast = edge["direction"] == EdgeDirection.ORIGINATES, edge["scope"] <= Scope.INTERNET
    if began and gates & EdgeGate.ANSWERED and edge["application"] == Application.STRATUM:
        found.add(EdgeMark.MINES)
    if began and unicast and gates & EdgeGate.ANSWERED and edge["port"] == 53 and edge["protocol"] in (TCP, UDP):
        found.add(EdgeMark.NAMED)
    if began and unicast and gates & EdgeGate.EXCHANGED and edge["application"] == Application.HL7:
        found.add(EdgeMark.HL7)
    address = int(edge["peer_hi"]) << 64 | int(edge["peer_lo"])
    for entry in book.listed if unicast else ():
        base = int(entry.network.network_address)
        if entry.network.version == 4:
            base |= 0xFFFF << 32
        if address >> (entry.network.max_prefixlen - entry.network.prefixlen) == base >> (
            entry.network.max_prefixlen - entry.network.prefixlen
        ):
            found.add(EdgeMark.LISTED)
    return found


def _by_roles(edge: np.void, role: str, peer_role: str | None) -> set[EdgeMark]:
    """Who tries, and who is answered by, a clinical device."""
    found = set[EdgeMark]()
    if peer_role not in CLINICAL_ROLES or edge["direction"] == EdgeDirection.RESPONDS:
        return found
    if role == UNKNOWN:
        found.add(EdgeMark.ODD_TRY)
    began = edge["direction"] == EdgeDirection.ORIGINATES
    if role not in CLINICAL_ROLES and began and edge["gates"] & EdgeGate.ANSWERED:
        found.add(EdgeMark.ASKED)
    return found
