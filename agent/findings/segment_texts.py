"""Rules in the languages of those who keep them: nftables and Cisco IOS (MUD files: `mud.py`).

Pure. Addresses of roles come from whoever saw them; a rule for a role of which no address is known is left out and
said so. Connections that were allowed are answered: established traffic passes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple

from agent.findings.segment_rules import ANY, GROUP, INTERNET, LOCAL, Rule, ports_text
from agent.findings.words import PROTOCOLS

Network = IPv4Network | IPv6Network
GROUP_NETWORKS: Final = (ip_network("224.0.0.0/4"), ip_network("255.255.255.255/32"), ip_network("ff00::/8"))
WITH_PORTS: Final = (6, 17)
TCP: Final = 6
# Protocols that nft knows by itself; other names it looks up in /etc/protocols, which a bare system does not have.
NFT_WORDS: Final = frozenset({"tcp", "udp", "icmp"})
COMMENT_MAX: Final = 96  # characters of a comment; nftables takes 128 octets


class Subject(NamedTuple):
    """Whom the rules are for, and where the others are."""

    title: str  # an infusion pump; infusion pumps
    name: str  # infusion-pump
    devices: Sequence[Network]  # their addresses, as far as they were seen
    local: Sequence[Network]  # the site's own networks
    roles: Mapping[str, Sequence[Network]]  # addresses of devices by role
    note: str  # what the advice rests on


class Advice(NamedTuple):
    """A text, and which rules could not be said in it."""

    text: str
    left_out: tuple[str, ...]


def word_of(name: str) -> str:
    """A name as identifiers have it: `infusion_pump`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _comment(rule: Rule) -> str:
    sure = "" if rule.verified else " (U)"
    return re.sub(r'["\\]', "'", rule.what)[:COMMENT_MAX] + sure


def _networks(rule: Rule, subject: Subject) -> list[Network] | None:
    """Where the peers of a rule are; empty: everywhere; None: nobody knows."""
    if rule.networks:
        return [ip_network(text) for text in rule.networks]
    found: list[Network] = []
    for peer in rule.peers:
        if peer in {ANY, INTERNET}:
            return []
        found += {LOCAL: subject.local, GROUP: GROUP_NETWORKS}.get(peer, subject.roles.get(peer, ()))
    return list(dict.fromkeys(found)) or None


# ---- nftables -------------------------------------------------------------------------------------------------------


def nftables(rules: Sequence[Rule], subject: Subject) -> Advice:
    """A table with a chain for what comes from the devices and one for what goes to them; `nft -c -f` reads it."""
    left: list[str] = []
    name = word_of(subject.name)
    head = [
        f"# What {subject.title} do, as a filter to review: advice, applied by nobody. {subject.note}",
        "# (U): the source of this line was not read. Jump to the chains from the hook that sees the devices.",
        f"table inet wardtap_{name} {{",
    ]
    body: list[str] = []
    for chain, originates in (("from_devices", True), ("to_devices", False)):
        body += [f"    chain {chain} {{", "        ct state established,related accept"]
        for rule in rules:
            if rule.originates == originates:
                body += [f"        {text}" for text in _nft_rule(rule, subject, left)]
        body += ["        counter drop", "    }"]
    return Advice("\n".join([*head, *body, "}", ""]), tuple(left))


def _nft_rule(rule: Rule, subject: Subject, left: list[str]) -> Iterator[str]:
    networks = _networks(rule, subject)
    if networks is None:
        left.append(f"{rule.what}: no address of {', '.join(rule.peers)} is known")
        yield f"# left out, no address of {', '.join(rule.peers)} is known: {_comment(rule)}"
        return
    protocol = PROTOCOLS.get(rule.protocol, str(rule.protocol))
    service = f"meta l4proto {protocol if protocol in NFT_WORDS else rule.protocol}"
    if rule.ports and rule.protocol in WITH_PORTS:
        service = f"{protocol} dport {{ {', '.join(ports_text(rule.ports))} }}"
    verdict = "accept" if rule.permits else "drop"
    end = "daddr" if rule.originates else "saddr"
    if not networks:
        yield f'{service} {verdict} comment "{_comment(rule)}"'
        return
    for family, version in (("ip", 4), ("ip6", 6)):
        own = [str(network) for network in networks if network.version == version]
        if own:
            yield f'{family} {end} {{ {", ".join(own)} }} {service} {verdict} comment "{_comment(rule)}"'


# ---- Cisco IOS ------------------------------------------------------------------------------------------------------


def cisco(rules: Sequence[Rule], subject: Subject) -> Advice:
    """A named extended access list for the devices' port, inbound: IPv4, what a device may send."""
    left: list[str] = []
    name = word_of(subject.name).upper().replace("_", "-")
    text = [
        f"! What {subject.title} do, as a list to review: advice, applied by nobody. {subject.note}",
        "! (U): the source of this line was not read. IPv4 only; for IPv6 write the same as an ipv6 access-list.",
        f"ip access-list extended WARDTAP-{name}",
    ]
    for rule in rules:
        text += [f" {line}" for line in _cisco_rule(rule, subject, left)]
    return Advice("\n".join([*text, " deny ip any any log", ""]), tuple(left))


def _cisco_rule(rule: Rule, subject: Subject, left: list[str]) -> Iterator[str]:
    networks = _networks(rule, subject)
    if networks is None or rule.protocol not in {*WITH_PORTS, 1, 2}:
        if rule.protocol != 58:  # ICMPv6 belongs in the other list
            left.append(f"{rule.what}: no address of {', '.join(rule.peers)} is known")
        return
    yield f"remark {_comment(rule)}"
    places = [_wildcard(network) for network in networks if isinstance(network, IPv4Network)] or ["any"]
    protocol, word = PROTOCOLS[rule.protocol], "permit" if rule.permits else "deny"
    for place in places:
        for port in _cisco_ports(rule):
            if rule.originates:
                yield f"{word} {protocol} any {place}{port}"
            else:  # what the device answers: the service is its own port
                answers = " established" if rule.protocol == TCP and rule.permits else ""
                yield f"{word} {protocol} any{port} {place}{answers}"


def _wildcard(network: IPv4Network) -> str:
    if network.prefixlen == 32:
        return f"host {network.network_address}"
    return f"{network.network_address} {network.hostmask}"


def _cisco_ports(rule: Rule) -> list[str]:
    if not rule.ports or rule.protocol not in WITH_PORTS:
        return [""]
    return [f" eq {low}" if low == high else f" range {low} {high}" for low, high in rule.ports]
