"""Contracts as one table of numbers, so that thousands of edges are judged by a kernel in one pass (kernels.py).

Axes: contract, direction, protocol class, peer class, port class. A peer class is a scope or, for a device on the
segment whose role is known, that role. Port classes are the intervals between all ports that any line names. A cell
holds the number of the first line that allows it, or the negative number of the *never* that forbids it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from agent.devices.records import EdgeDirection, Scope
from agent.findings.contract_file import Contract, Line
from agent.findings.known_bad_file import KnownBad
from agent.findings.marks import marks_of
from agent.findings.records import Marks, Roles, Rules

Codes = npt.NDArray[np.int16]

OUTSIDE: Final = 0  # the contract does not mention it
_PROTOCOL_CLASSES: Final[dict[int, int]] = {6: 0, 17: 1, 1: 2, 58: 3, 2: 4}
_OTHER_PROTOCOL: Final = 5
_SCOPES: Final = len(Scope)


class Table(NamedTuple):
    """The compiled contracts."""

    lines: tuple[Line, ...]  # line n has the code n + 1, or its negative
    rules: Rules
    marks: Marks
    by_role_only: npt.NDArray[np.bool_]  # without the peer axis: a peer of the right role would be allowed

    def might_be_allowed(self, edge: np.void, roles: Roles) -> bool:
        """For an edge outside a contract: whether it depends on the role of a device that has none yet."""
        rules, peer = self.rules, int(edge["peer_device"])
        if peer >= roles.shape[0] or roles[peer] != rules.unknown_role:
            return False
        row = rules.row_of_role[roles[edge["device"]]]
        direction, protocol = min(int(edge["direction"]), 1), rules.protocol_class[edge["protocol"]]
        return bool(self.by_role_only[row, direction, protocol, rules.port_class[edge["port"]]])


def compile_table(
    contracts: Sequence[Contract], common: Sequence[Line], roles: Sequence[str], listed: Sequence[KnownBad] = ()
) -> Table:
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
    by_role_only: npt.NDArray[np.bool_] = np.any(cells[:, :, :, _SCOPES:, :] > 0, axis=3)
    rules = Rules(
        row_of_role=row_of_role,
        protocol_class=protocol_class,
        port_class=port_class,
        cells=cells,
        answers=np.any(cells[:, EdgeDirection.RESPONDS] > 0, axis=-1),
        listed=np.array([network.masked() for network in listed], np.uint64).reshape(-1, 4),
        unknown_role=roles.index("unknown") if "unknown" in roles else -1,
    )
    return Table(tuple(lines), rules, marks_of(roles), by_role_only)


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
