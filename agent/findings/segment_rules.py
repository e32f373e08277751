"""A role's contract as rules that a switch or a firewall could keep. Advice for people: nothing here is ever applied.

A contract says who opens a connection, to whom, and to which port of the responder. A rule says the same for one
protocol and one direction, so that a packet filter can be written from it line by line.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from agent.devices.records import EdgeDirection, Scope
from agent.findings.contract_file import Contract, Line

LOCAL, INTERNET, GROUP, ANY = "local", "internet", "group", "any"
# A scope of a peer, as a filter can tell it: segment and site are both addresses of the site's own.
_GROUPS: Final = {
    Scope.SEGMENT: LOCAL,
    Scope.SITE: LOCAL,
    Scope.INTERNET: INTERNET,
    Scope.MULTICAST: GROUP,
    Scope.BROADCAST: GROUP,
}


class Rule(NamedTuple):
    """One direction of one line, for one protocol."""

    permits: bool
    originates: bool  # the device opens the connection; else it is opened to the device
    protocol: int
    ports: tuple[tuple[int, int], ...]  # of the responder, inclusive; empty: every port, or a protocol without
    peers: tuple[str, ...]  # LOCAL, INTERNET, GROUP, ANY, or a role
    networks: tuple[str, ...]  # public networks that the line is for; then only those
    what: str
    source: str
    verified: bool


def rules_of(contract: Contract, common: Sequence[Line]) -> list[Rule]:
    """What is forbidden first, then what the role does, then what every device may do; a filter takes the first."""
    lines = [(line, False) for line in contract.never] + [(line, True) for line in contract.does]
    if contract.common:
        lines += [(line, True) for line in common]
    return [rule for line, permits in lines for rule in _split(line, permits=permits)]


def _split(line: Line, *, permits: bool) -> Iterator[Rule]:
    peers = _peers(line)
    for direction in line.directions:
        for protocol in line.protocols:
            yield Rule(
                permits,
                direction == EdgeDirection.ORIGINATES,
                protocol,
                line.ports,
                () if line.networks else peers,
                tuple(map(str, line.networks)),
                line.what,
                line.source,
                line.verified,
            )


def _peers(line: Line) -> tuple[str, ...]:
    if set(line.scopes) == set(Scope):
        return (ANY,)
    groups = dict.fromkeys(_GROUPS[Scope(scope)] for scope in line.scopes)
    return (*groups, *line.peer_roles)


def ports_text(ports: Sequence[tuple[int, int]], between: str = "-") -> list[str]:
    """`80`, `51243-51244`."""
    return [str(low) if low == high else f"{low}{between}{high}" for low, high in ports]
