"""MUD files (RFC 8520): a contract written as one, and a maker's read as lines of a contract. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final, NamedTuple

from agent.errors import InputError
from agent.findings.segment_rules import ANY, GROUP, INTERNET, LOCAL, Rule, ports_text
from agent.findings.segment_texts import GROUP_NETWORKS, TCP, WITH_PORTS, Advice, Subject, word_of
from agent.findings.words import PROTOCOLS

CACHE_VALIDITY_H: Final = 168  # a week: contracts change with releases
INFO_MAX: Final = 60  # characters of systeminfo (RFC 8520 section 3.6)
FILE_MAX_BYTES: Final = 1 << 20
ENTRIES_MAX: Final = 500  # of one file; the largest known has some eighty
ICMPV6: Final = 58
ONLY_IPV4: Final = {1, 2}  # ICMP, IGMP
# Where a peer of a MUD file is, as a contract says it.
_NEAR: Final = ("local-networks", "my-controller", "controller", "same-manufacturer", "manufacturer", "model")


def mud(rules: Sequence[Rule], subject: Subject, *, url: str, last_update: str) -> Advice:
    """A MUD file. `last_update` in RFC 3339. What a MUD file cannot say (a *never*, groups) is left out and named.

    Everything that a MUD file does not allow is denied (RFC 8520 section 3.1), so a *never* needs no line.
    """
    left = [f"{rule.what}: a MUD file only allows, and denies the rest" for rule in rules if not rule.permits]
    name = word_of(subject.name).replace("_", "-")
    lists = {}
    for direction, originates in (("from-device", True), ("to-device", False)):
        for version in (4, 6):
            entries = [
                entry
                for number, rule in enumerate(rules)
                if rule.permits
                for entry in _mud_entries(rule, number, sending=originates, version=version)
            ]
            lists[f"wardtap-{name}-v{version}-{direction}"] = (version, entries)
    content = {
        "ietf-mud:mud": {
            "mud-version": 1,
            "mud-url": url,
            "last-update": last_update,
            "cache-validity": CACHE_VALIDITY_H,
            "is-supported": True,
            "systeminfo": f"{subject.title}: {subject.note}"[:INFO_MAX],
            **{
                f"{direction}-device-policy": {"access-lists": {"access-list": _named(lists, f"{direction}-device")}}
                for direction in ("from", "to")
            },
        },
        "ietf-access-control-list:acls": {
            "acl": [
                {"name": key, "type": f"ipv{version}-acl-type", "aces": {"ace": entries}}
                for key, (version, entries) in lists.items()
                if entries
            ]
        },
    }
    return Advice(json.dumps(content, indent=2) + "\n", tuple(left))


def _named(lists: Mapping[str, tuple[int, list[dict[str, Any]]]], direction: str) -> list[dict[str, str]]:
    return [{"name": key} for key, (_, entries) in lists.items() if key.endswith(direction) and entries]


def _mud_entries(rule: Rule, number: int, *, sending: bool, version: int) -> Iterator[dict[str, Any]]:
    """Both directions of each allowed connection: who opened it is said where the protocol has such a thing."""
    if rule.protocol == ICMPV6 if version == 4 else rule.protocol in ONLY_IPV4:
        return
    # A service of the responder's: the destination of what its peer sends, the source of what it answers.
    end = "destination-port" if sending == rule.originates else "source-port"
    matches = _mud_peers(rule, sending=sending, version=version)
    for place, match in enumerate(matches):
        for port_place, port in enumerate(rule.ports or ((0, 65535),)):
            transport: dict[str, Any] = {}
            if rule.protocol in WITH_PORTS and rule.ports:
                transport[end] = _mud_port(*port)
            if rule.protocol == TCP:
                transport["ietf-mud:direction-initiated"] = "from-device" if rule.originates else "to-device"
            whole: dict[str, Any] = {key: dict(value) for key, value in match.items()}
            whole.setdefault(f"ipv{version}", {})["protocol"] = rule.protocol
            if transport:
                whole[PROTOCOLS[rule.protocol]] = transport
            yield {
                "name": f"r{number}-{place}-{port_place}",
                "matches": whole,
                "actions": {"forwarding": "accept"},
            }
            if not rule.ports:
                break


def _mud_port(low: int, high: int) -> dict[str, Any]:
    return {"operator": "eq", "port": low} if low == high else {"lower-port": low, "upper-port": high}


def _mud_peers(rule: Rule, *, sending: bool, version: int) -> list[dict[str, dict[str, Any]]]:
    end = f"{'destination' if sending else 'source'}-ipv{version}-network"
    if rule.networks:
        own = [text for text in rule.networks if ip_network(text).version == version]
        return [{f"ipv{version}": {end: text}} for text in own]
    found: list[dict[str, dict[str, Any]]] = []
    for peer in rule.peers:
        if peer in {ANY, INTERNET}:
            return [{}]
        if peer == LOCAL:
            found.append({"ietf-mud:mud": {"local-networks": [None]}})
        elif peer == GROUP:
            own = [str(network) for network in GROUP_NETWORKS if network.version == version]
            found += [{f"ipv{version}": {f"destination-ipv{version}-network": text}} for text in own]
        else:
            found.append({"ietf-mud:mud": {"controller": f"urn:wardtap:role:{peer}"}})
    return found


class MudLine(NamedTuple):
    """One line for a contract, as a maker's file says it."""

    direction: str  # originates, responds
    peers: tuple[str, ...]
    networks: tuple[str, ...]
    protocol: str
    ports: tuple[tuple[int, int], ...]


def read_mud(text: str, where: str) -> tuple[list[MudLine], list[str]]:
    """Lines of what may come from the device, and what could not be said as one. InputError for no MUD file."""
    try:
        content = json.loads(text)
        names = [row["name"] for row in content["ietf-mud:mud"]["from-device-policy"]["access-lists"]["access-list"]]
        lists = {row["name"]: row["aces"]["ace"] for row in content["ietf-access-control-list:acls"]["acl"]}
        entries = [entry for name in names for entry in lists[name]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"is no MUD file: {type(error).__name__}: {error}", where=where) from error
    if len(entries) > ENTRIES_MAX:
        raise InputError(f"{len(entries)} entries, at most {ENTRIES_MAX}", where=where)
    lines: dict[MudLine, None] = {}
    left: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            lines[_read_entry(entry["matches"])] = None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            left.append(f"entry {number}: {error}"[:160])
    return list(lines), left


def _read_entry(matches: Mapping[str, Any]) -> MudLine:
    """ValueError for what a contract cannot say."""
    network = matches.get("ipv4") or matches.get("ipv6") or {}
    by_number = {number: name for number, name in PROTOCOLS.items() if name in {"tcp", "udp", "icmp", "icmpv6", "igmp"}}
    named = next((name for name in ("tcp", "udp") if name in matches), by_number.get(network.get("protocol", -1), ""))
    if not named:
        raise ValueError("no protocol that a contract knows")
    transport = matches.get(named) or {}
    answers = "source-port" in transport
    initiated = transport.get("ietf-mud:direction-initiated", "to-device" if answers else "from-device")
    ports = transport.get("source-port" if answers else "destination-port")
    peers, networks = _read_peers(matches, network)
    direction = "responds" if initiated == "to-device" else "originates"
    return MudLine(direction, peers, networks, named, (_read_port(ports),) if ports else ())


def _read_port(said: Mapping[str, Any]) -> tuple[int, int]:
    low = int(said.get("port", said.get("lower-port", 0)))
    high = int(said.get("port", said.get("upper-port", low)))
    if said.get("operator", "eq") != "eq" or not 0 < low <= high <= 65535:
        raise ValueError(f"the ports {dict(said)!r}")
    return low, high


def _read_peers(matches: Mapping[str, Any], network: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    near = matches.get("ietf-mud:mud") or {}
    if any(key in near for key in _NEAR):
        return (LOCAL,), ()
    for key, value in network.items():
        if key.startswith("destination-") and key.endswith("-network"):
            place = ip_network(str(value))
            if place.is_multicast:
                return (GROUP,), ()
            return ((LOCAL,), ()) if place.is_private else ((INTERNET,), (str(place),))
        if key.endswith("dnsname"):
            raise ValueError("a peer by its DNS name: a contract names networks")
    return (ANY,), ()


def as_contract_lines(lines: Sequence[MudLine], source: str) -> str:
    """TOML to put into a site's contract: unverified, for a person to read, join and name."""
    told = []
    for line in lines:
        ports = ", ".join(str(low) if low == high else f'"{low}-{high}"' for low, high in line.ports)
        service = " ".join([line.protocol.upper(), *ports_text(line.ports)])
        told += [
            "[[does]]",
            f'what = "as its maker says: {line.direction} {service}"',
            f'direction = "{line.direction}"',
            f"peers = [{', '.join(json.dumps(peer) for peer in line.peers)}]",
            f'protocol = ["{line.protocol}"]',
            *([f"ports = [{ports}]"] if ports else []),
            *([f"networks = [{', '.join(json.dumps(text) for text in line.networks)}]"] if line.networks else []),
            f"source = {json.dumps(source)}",
            'verified = "U"',
            "",
        ]
    return "\n".join(told)
