"""rogue-dhcp: a second DHCP server that gives another gateway, name server or network."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.devices.records import Grant
from agent.findings.case import Case, Told
from agent.findings.draft import Draft, Subject
from agent.findings.records import Severity
from agent.findings.words import address_text, mac_text, time_text

SERVERS_MAX: Final = 64
GIVEN_MAX: Final = 64  # distinct (gateway, name server) pairs that are known to be right
EXPECTED: Final = "One or two servers of the hospital give addresses, and all of them give the same gateway."
_MAPPED: Final = 0xFFFF << 32


class _Given(NamedTuple):
    """What a client would send its traffic and its questions to."""

    router: int
    dns: int


class RogueDhcp:
    """The first server that is heard is the ward's; another one that gives the same is its partner."""

    def __init__(self) -> None:
        self._servers: OrderedDict[int, None] = OrderedDict()
        self._given: dict[_Given, None] = {}
        self.resolvers: dict[int, None] = {}  # IPv4 addresses of name servers that the ward's servers give
        self.rogues: dict[int, None] = {}  # MACs that a finding was raised about
        self._networks: dict[int, None] = {}  # upper 24 bits of addresses that were given

    def judge(self, case: Case) -> Iterator[Draft]:
        """Every grant of the turn. A relay is a gateway: what it passes on is another server's."""
        for grant in case.turn.grants:
            given = _Given(grant.router, grant.dns)
            slot = case.slot_of(grant.server)
            known = not self._servers or grant.server in self._servers
            if known or given in self._given or (slot is not None and case.turn.devices.is_gateway(slot)):
                self._remember(grant, given)
            elif slot is not None and (any(given) or grant.address >> 8 not in self._networks):
                if len(self.rogues) < SERVERS_MAX:
                    self.rogues[grant.server] = None
                yield self._draft(case, slot, grant)

    def _remember(self, grant: Grant, given: _Given) -> None:
        self._servers[grant.server] = None
        if len(self.resolvers) < GIVEN_MAX:
            self.resolvers |= dict.fromkeys(filter(None, grant.resolvers))
        if len(self._networks) < GIVEN_MAX:
            self._networks[grant.address >> 8] = None
        if len(self._given) < GIVEN_MAX:
            self._given[given] = None
        while len(self._servers) > SERVERS_MAX:
            self._servers.popitem(last=False)

    def _draft(self, case: Case, slot: int, grant: Grant) -> Draft:
        router, dns = _text(grant.router), _text(grant.dns)
        known, what = next(reversed(self._given)), "who takes its offer sends everything through it"
        if not grant.router and not grant.dns:
            what = f"its {_text(grant.address)} is of another network, and who takes it is cut off"
        servers = ", ".join(mac_text(mac) for mac in list(self._servers)[:3])
        told = Told(
            text=f"{case.label(slot)} gives out addresses by DHCP with gateway {router} and name server {dns}, while "
            f"the server that was here before gives {_text(known.router)} and {_text(known.dns)}: {what}",
            evidence=(
                ("server", address_text(0, _MAPPED | grant.identifier) if grant.identifier else "not said"),
                ("message", grant.message),
                ("gateway", router),
                ("name-server", dns),
                ("client", mac_text(grant.client)),
                ("known-servers", servers),
                ("first", time_text(grant.time_ns)),
            ),
            cause=f"rogue-dhcp|{mac_text(grant.server)}",
            first_ns=grant.time_ns,
            last_ns=grant.time_ns,
            expected=EXPECTED,
        )
        finding = case.finding("rogue-dhcp", Severity.PAGE, slot, told)
        return Draft(finding, Subject(grant.server))


def _text(address: int) -> str:
    return address_text(0, _MAPPED | address) if address else "none"
