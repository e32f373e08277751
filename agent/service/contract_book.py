"""`wardtap contracts`: what a role does and must never do, where each line comes from, and as rules for a switch.

With captures it also says what the rules would have done to what was recorded: advice that blocks what the ward
needs is worse than none.
"""

import sys
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agent.clock import NS_PER_S, SystemClock
from agent.config import Config
from agent.devices.records import NO_SLOT
from agent.devices.roles import ROLES, UNKNOWN
from agent.devices.table import address_text
from agent.devices.view import mac_text
from agent.errors import InputError
from agent.findings.contracts import ContractSet
from agent.findings.mud import FILE_MAX_BYTES, as_contract_lines, mud, read_mud
from agent.findings.records import NO_CONTRACT
from agent.findings.segment_rules import Rule, ports_text, rules_of
from agent.findings.segment_texts import Advice, Network, Subject, cisco, nftables
from agent.findings.verdicts import verdicts
from agent.findings.words import PROTOCOLS, many
from agent.paragraphs import terminal_width, wrapped
from agent.service.ears import NO_SECRET, Ears, listen
from agent.service.parts import judgement
from agent.service.pipeline import Pipeline
from agent.summaries.builder import address_octets
from agent.wire.summary import EdgeRow, Summary

PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
FORMATS = ("nftables", "cisco", "mud")
MUD_URL = "https://wardtap.invalid/mud/{}.json"  # RFC 6761: a site puts its own place there
EDGES_MAX = 65_536  # as many as a summary may tell: here no contact waits for the next one
SHOWN_MAX = 20  # services outside the contract that are named
Contact = tuple[int, int, int, int, int, bytes]  # device number, direction, protocol, port, peer's number or address


class Recorded(NamedTuple):
    """What captures say of the devices of one role, or of one device."""

    devices: list[Network]
    roles: dict[str, list[Network]]
    flows: int
    blocked: int  # of them, outside the contract or against a never
    outside: list[str]  # the blocked ones by service, most flows first


class _Contacts(Ears):
    """Keeps how many flows each contact had."""

    def __init__(self) -> None:
        super().__init__()
        self.flows_of: Counter[Contact] = Counter()

    def summary(self, summary: Summary) -> None:
        """The flows of an interval, by contact."""
        for edge in summary.edges:
            self.flows_of[_contact(edge)] += edge.flows


def _contact(edge: EdgeRow) -> Contact:
    return edge.number, edge.direction, edge.protocol, edge.port, edge.peer_number, edge.peer_address


def listing(contracts: ContractSet) -> list[str]:
    """A line for each contract."""
    told = [f"contracts {contracts.version}"]
    for role in ROLES:
        contract = contracts.contract(role)
        if contract is not None:
            sure = sum(line.verified for line in (*contract.does, *contract.never))
            count = len(contract.does) + len(contract.never)
            words = (
                f"{len(contract.does)} does, {len(contract.never)} never; {sure} of {count} lines from a read source"
            )
            told.append(f"  {role:<22} revision {contract.revision}  {contract.tier:<9} {words}")
    return told


def explained(contracts: ContractSet, role: str, width: int | None = None) -> list[str]:
    """Every rule of a role, why it is there, and how sure that is."""
    told = wrapped(contracts.expected(role), width)
    for rule in rules(contracts, role):
        verb = "opens" if rule.originates else "takes"
        word = verb if rule.permits else f"NEVER {verb}"
        service = " ".join([PROTOCOLS.get(rule.protocol, str(rule.protocol)), ",".join(ports_text(rule.ports)) or "*"])
        peers = ", ".join((*rule.peers, *rule.networks))
        whom = f"{'to' if rule.originates else 'from'} {peers}: {rule.what}"
        told += wrapped(whom, width, f"  {word:<12} {service:<24} ", " " * 17)
        told += wrapped(f"source: {rule.source} ({'read' if rule.verified else 'not read'})", width, " " * 15, " " * 17)
    return told


def rules(contracts: ContractSet, role: str) -> list[Rule]:
    """The rules of a role; InputError when it has no contract."""
    contract = contracts.contract(role)
    if contract is None:
        known = ", ".join(name for name in ROLES if contracts.contract(name))
        raise InputError(f"no contract for {role!r}", todo=f"there are: {known}")
    return rules_of(contract, contracts.common)


def advice(contracts: ContractSet, role: str, form: str, config: Config, heard: Recorded | None) -> Advice:
    """The rules of a role in one of the formats."""
    note = f"Contract revision {contracts.revision(role)} of set {contracts.version}."
    if heard is not None:
        note += f" Of {heard.flows} recorded flows it would have blocked {heard.blocked}."
    local = [ip_network(text) for text in (*PRIVATE, *config.identity.site_networks)]
    subject = Subject(many(role), role, heard.devices if heard else [], local, heard.roles if heard else {}, note)
    if form == "mud":
        now = datetime.fromtimestamp(SystemClock().wall_ns() // NS_PER_S, UTC).isoformat(timespec="seconds")
        return mud(rules(contracts, role), subject, url=MUD_URL.format(role), last_update=now)
    return {"nftables": nftables, "cisco": cisco}[form](rules(contracts, role), subject)


def recorded(paths: list[Path], config: Config, whom: str) -> tuple[str, Recorded]:
    """Play captures; the role that is meant (of a MAC, as it was found) and what was recorded of it."""
    ears = _Contacts()
    config = config._replace(summaries=config.summaries._replace(edges_per_summary_max=EDGES_MAX))
    pipeline, parts = listen(paths, config, ears)
    ward, table = pipeline.ward, pipeline.table
    slots = table.occupied().tolist()
    meant = [slot for slot in slots if whom in {ward.role(slot), mac_text(ward.mac(slot))}]
    if not meant:
        raise InputError(f"no device {whom!r} in these captures", todo="name a role, or a MAC address that is there")
    role = ward.role(meant[0]) if whom == mac_text(ward.mac(meant[0])) else whom
    roles: dict[str, list[Network]] = {}
    for slot in slots:
        places = [ip_network(str(ip_address(address_text(*pair)))) for pair in table.addresses(slot)]
        roles.setdefault(ward.role(slot), []).extend(places)
    roles.pop(UNKNOWN, None)
    own = [ip_network(address_text(*pair)) for slot in meant for pair in table.addresses(slot)]
    return role, _recorded(pipeline, parts.contracts, ears, meant, own, roles)


def _recorded(
    pipeline: Pipeline, contracts: ContractSet, ears: _Contacts, meant: list[int], own: list[Network],
    roles: dict[str, list[Network]],
) -> Recorded:  # fmt: skip
    """How many flows of these devices the contract allows: judged at the end, when every peer has its role."""
    table, ward = pipeline.table, pipeline.ward
    edges = table.edges[(table.edges["protocol"] != 0) & np.isin(table.edges["device"], meant)]
    codes = verdicts(contracts.table, edges, ward.roles()).codes
    flows, blocked = 0, 0
    outside: Counter[tuple[str, str]] = Counter()
    peers: dict[tuple[str, str], set[str]] = {}
    for edge, code in zip(edges, codes.tolist(), strict=True):
        count = ears.flows_of[_contact_of(pipeline, edge)]
        flows += count
        if code <= 0 and code != NO_CONTRACT and not contracts.excused(ward.role(int(edge["device"])), edge):
            blocked += count
            protocol = PROTOCOLS.get(int(edge["protocol"]), str(edge["protocol"]))
            service = (f"{protocol} {int(edge['port'])}", "from" if edge["direction"] else "to")
            outside[service] += count
            peers.setdefault(service, set()).add(address_text(int(edge["peer_hi"]), int(edge["peer_lo"])))
    ranked = sorted(outside.items(), key=lambda item: (-item[1], item[0]))
    return Recorded(own, roles, flows, blocked, [_service_line(key, count, peers[key]) for key, count in ranked])


def _service_line(service: tuple[str, str], flows: int, peers: set[str]) -> str:
    whom = min(peers) if len(peers) == 1 else f"{len(peers)} addresses"
    return f"{flows} flow{'s' if flows != 1 else ''} of {service[0]} {service[1]} {whom}"


def _contact_of(pipeline: Pipeline, edge: np.void) -> Contact:
    """As summaries name it."""
    number = pipeline.ward.number(int(edge["device"]))
    peer = pipeline.ward.number(int(edge["peer_device"])) if edge["peer_device"] != NO_SLOT else -1
    address = b"" if peer >= 0 else address_octets(int(edge["peer_hi"]), int(edge["peer_lo"]))
    return number, int(edge["direction"]), int(edge["protocol"]), int(edge["port"]), peer, address


def import_mud(path: Path) -> int:
    """Print a maker's MUD file as lines for a site's contract."""
    try:
        text = path.read_bytes()[:FILE_MAX_BYTES].decode("utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    lines, left = read_mud(text, str(path))
    sys.stdout.write(as_contract_lines(lines, f"MUD file {path.name[:60]}"))
    for why in left:
        print(f"wardtap: {path}: left out: {why}", file=sys.stderr)
    return 0


def show(config: Config, what: str, whom: str, form: str, captures: list[Path]) -> int:
    """The command: `list`, `explain` and `acl`."""
    contracts = judgement(config, NO_SECRET).contracts
    if what == "list":
        print("\n".join(listing(contracts)))
        return 0
    role, heard = recorded(captures, config, whom) if captures else (whom, None)
    if what == "explain":
        print("\n".join(explained(contracts, role, terminal_width())))
    else:
        told = advice(contracts, role, form, config, heard)
        sys.stdout.write(told.text)
        for why in told.left_out:
            print(f"wardtap: left out: {why}", file=sys.stderr)
    if heard is not None:
        print(f"wardtap: {heard.blocked} of {heard.flows} recorded flows are outside it", file=sys.stderr)
        for service in heard.outside[:SHOWN_MAX]:
            print(f"wardtap:   {service}", file=sys.stderr)
    return 0
