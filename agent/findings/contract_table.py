"""Contracts as one table of numbers, so that thousands of edges are judged in a few array operations.

Axes: contract, direction, protocol class, peer class, port class. A peer class is a scope or, for a device on the
segment whose role is known, that role. Port classes are the intervals between all ports that any line names. A cell
holds the number of the first line that allows it, or the negative number of the *never* that forbids it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.devices.records import NO_SLOT, EdgeDirection, Scope
from agent.findings.contract_file import Contract, Line

Rows = npt.NDArray[np.void]
Codes = npt.NDArray[np.int16]

OUTSIDE: Final = 0  # the contract does not mention it
NO_CONTRACT: Final = -32768  # the device's role has no contract
_PROTOCOL_CLASSES: Final[dict[int, int]] = {6: 0, 17: 1, 1: 2, 58: 3, 2: 4}
_OTHER_PROTOCOL: Final = 5
_SCOPES: Final = len(Scope)


class Table(NamedTuple):
    """The compiled contracts."""

    lines: tuple[Line, ...]  # line n has the code n + 1, or its negative
    row_of_role: npt.NDArray[np.int16]  # contract number by role index, -1 when there is none
    unknown_role: int  # role index that says nothing about a peer
    protocol_class: npt.NDArray[np.uint8]
    port_class: npt.NDArray[np.uint16]
    cells: Codes
    by_role_only: npt.NDArray[np.bool_]  # without the peer axis: a peer of the right role would be allowed
    answers: npt.NDArray[np.bool_]  # contract, protocol class, peer class: whether it responds on any port at all

    def might_be_allowed(self, edges: Rows, roles: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """For edges outside a contract: whether it depends on the role of a device that has none yet."""
        peer = np.minimum(edges["peer_device"], max(0, roles.shape[0] - 1))
        there: npt.NDArray[np.bool_] = (edges["peer_device"] < roles.shape[0]) & (roles[peer] == self.unknown_role)
        row = self.row_of_role[roles[edges["device"]]]
        direction, protocol = np.minimum(edges["direction"], 1), self.protocol_class[edges["protocol"]]
        there &= self.by_role_only[row, direction, protocol, self.port_class[edges["port"]]]
        return there

    def only_initiates(self, edges: Rows, roles: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """For edges of roles with a contract: whether it lets the device answer such a peer on no port."""
        row = self.row_of_role[roles[edges["device"]]]
        every = np.arange(edges.shape[0], dtype=np.intp)
        none: npt.NDArray[np.bool_] = ~self.answers[
            row, self.protocol_class[edges["protocol"]], self._peer_class(edges, every, roles)
        ]
        return none

    def judge(self, edges: Rows, roles: npt.NDArray[np.int16]) -> Codes:
        """A code for each edge; edges of slots that are not in `roles` have no contract."""
        codes = np.full(edges.shape[0], NO_CONTRACT, dtype=np.int16)
        row_of_slot = np.append(self.row_of_role.take(roles), np.int16(-1))  # the last one: slots that do not exist
        rows = row_of_slot.take(np.minimum(edges["device"], roles.shape[0]))
        known = np.flatnonzero(rows >= 0)
        if known.size == 0:
            return codes
        row = rows.take(known).astype(np.intp)
        axes = self.cells.shape
        place = row * np.intp(axes[1]) + np.minimum(edges["direction"][known], 1)
        place = place * np.intp(axes[2]) + self.protocol_class.take(edges["protocol"][known])
        place = place * np.intp(axes[3]) + self._peer_class(edges, known, roles)
        place = place * np.intp(axes[4]) + self.port_class.take(edges["port"][known])
        codes[known] = self.cells.ravel().take(place)
        return codes

    def _peer_class(
        self, edges: Rows, chosen: npt.NDArray[np.intp], roles: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int16]:
        classes = np.minimum(edges["scope"][chosen], _SCOPES - 1).astype(np.int16)
        peer = edges["peer_device"][chosen]
        is_device = (peer != NO_SLOT) & (peer < roles.shape[0])
        role = roles[np.where(is_device, peer, 0)] if roles.shape[0] else np.zeros(peer.shape[0], np.int16)
        use = is_device & (role != self.unknown_role)
        return np.where(use, role + np.int16(_SCOPES), classes).astype(np.int16)


def compile_table(contracts: Sequence[Contract], common: Sequence[Line], roles: Sequence[str]) -> Table:
    """Fill the table: allowed lines first, the first one of a cell stays; then the nevers, over everything."""
    lines = [*common, *(line for c in contracts for line in (*c.does, *c.never))]
    port_class, classes = _port_classes(lines)
    cells = np.zeros((max(1, len(contracts)), 2, _OTHER_PROTOCOL + 1, _SCOPES + len(roles), classes), np.int16)
    row_of_role = np.full(len(roles), -1, np.int16)
    shared = np.zeros_like(cells[0])
    for number, line in enumerate(common, 1):
        _allow(shared, line, number, roles, port_class)
    code = len(common)
    for row, contract in enumerate(contracts):
        row_of_role[roles.index(contract.role)] = row
        for line in contract.does:
            code += 1
            _allow(cells[row], line, code, roles, port_class)
        if contract.common:
            np.copyto(cells[row], shared, where=cells[row] == 0)
        for line in contract.never:
            code += 1
            cells[row][_place(line, roles, port_class)] = -code
    protocol_class = np.full(256, _OTHER_PROTOCOL, np.uint8)
    for protocol, number in _PROTOCOL_CLASSES.items():
        protocol_class[protocol] = number
    unknown = roles.index("unknown") if "unknown" in roles else -1
    by_role_only: npt.NDArray[np.bool_] = np.any(cells[:, :, :, _SCOPES:, :] > 0, axis=3)
    answers: npt.NDArray[np.bool_] = np.any(cells[:, EdgeDirection.RESPONDS] > 0, axis=-1)
    return Table(tuple(lines), row_of_role, unknown, protocol_class, port_class, cells, by_role_only, answers)


def _port_classes(lines: Sequence[Line]) -> tuple[npt.NDArray[np.uint16], int]:
    """Ports that no line tells apart share a class."""
    starts = {0}
    for line in lines:
        for low, high in line.ports:
            starts |= {low, high + 1}
    edges = np.zeros(65536, np.uint16)
    edges[sorted(s for s in starts if 0 < s < 65536)] = 1
    port_class = np.cumsum(edges, dtype=np.uint16)
    return port_class, int(port_class[-1]) + 1


def _allow(cells: Codes, line: Line, code: int, roles: Sequence[str], port_class: npt.NDArray[np.uint16]) -> None:
    """Write one line into one contract's part of the table; an allowed line never overwrites another."""
    if line.networks:
        return  # it allows nothing else, and a table has no addresses
    where = _place(line, roles, port_class)
    part = cells[where]
    cells[where] = np.where(part == 0, code, part)


def _place(line: Line, roles: Sequence[str], port_class: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.intp], ...]:
    """The cells that a line is about."""
    peers = [*line.scopes, *(_SCOPES + roles.index(role) for role in line.peer_roles)]
    if Scope.SEGMENT in line.scopes:  # a device with a known role is on the segment all the same
        peers += range(_SCOPES, _SCOPES + len(roles))
    ports: list[int] = []
    for low, high in line.ports or ((0, 65535),):
        ports += range(int(port_class[low]), int(port_class[high]) + 1)
    protocols = [_PROTOCOL_CLASSES.get(p, _OTHER_PROTOCOL) for p in line.protocols]
    return np.ix_(sorted(set(line.directions)), sorted(set(protocols)), sorted(set(peers)), sorted(set(ports)))
