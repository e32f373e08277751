"""MUD files: the form of RFC 8520, there and back again, and files of strangers."""

import json
import tomllib
from typing import Any

import pytest

from agent.devices.roles import ROLES
from agent.errors import InputError
from agent.findings.contract_file import parse_contract
from agent.findings.mud import ENTRIES_MAX, as_contract_lines, mud, read_mud
from agent.findings.segment_rules import rules_of
from tests.findings.bench import CONTRACTS
from tests.findings.test_segment_texts import NOBODY

# The example of RFC 8520 section 9, shortened: an outbound and an inbound HTTPS session with a named server.
LIGHT: dict[str, Any] = {
    "ietf-mud:mud": {
        "mud-version": 1,
        "mud-url": "https://lighting.example.com/lightbulb2000",
        "last-update": "2019-01-28T11:20:51+01:00",
        "cache-validity": 48,
        "is-supported": True,
        "systeminfo": "The BMS Example Light Bulb",
        "from-device-policy": {"access-lists": {"access-list": [{"name": "mud-76100-v6fr"}]}},
        "to-device-policy": {"access-lists": {"access-list": []}},
    },
    "ietf-access-control-list:acls": {
        "acl": [
            {
                "name": "mud-76100-v6fr",
                "type": "ipv6-acl-type",
                "aces": {
                    "ace": [
                        {
                            "name": "cl0-frdev",
                            "matches": {
                                "ipv6": {"ietf-acldns:dst-dnsname": "test.example.com", "protocol": 6},
                                "tcp": {
                                    "ietf-mud:direction-initiated": "from-device",
                                    "destination-port": {"operator": "eq", "port": 443},
                                },
                            },
                            "actions": {"forwarding": "accept"},
                        },
                        {
                            "name": "cl1",
                            "matches": {
                                "ietf-mud:mud": {"local-networks": [None]},
                                "ipv4": {"protocol": 17},
                                "udp": {"destination-port": {"lower-port": 100, "upper-port": 200}},
                            },
                            "actions": {"forwarding": "accept"},
                        },
                    ]
                },
            }
        ]
    },
}


def written(role: str) -> dict[str, Any]:
    """The MUD file of a shipped contract."""
    contract = CONTRACTS.contract(role)
    assert contract is not None
    told = mud(
        rules_of(contract, CONTRACTS.common),
        NOBODY._replace(name=role),
        url="https://a.invalid/x",
        last_update="2026-01-01T00:00:00Z",
    )
    content: dict[str, Any] = json.loads(told.text)
    return content


@pytest.mark.parametrize("role", [role for role in ROLES if CONTRACTS.contract(role)])
def test_the_form_of_rfc_8520(role: str) -> None:
    content = written(role)
    policy, lists = content["ietf-mud:mud"], content["ietf-access-control-list:acls"]["acl"]
    assert {"mud-version", "mud-url", "last-update", "cache-validity", "is-supported", "systeminfo"} <= policy.keys()
    assert len(policy["systeminfo"]) <= 60
    named = [
        row["name"]
        for direction in ("from", "to")
        for row in policy[f"{direction}-device-policy"]["access-lists"]["access-list"]
    ]
    assert sorted(named) == sorted(acl["name"] for acl in lists), "every list is used, every list that is used is there"
    for acl in lists:
        names = [ace["name"] for ace in acl["aces"]["ace"]]
        assert len(set(names)) == len(names)
        for ace in acl["aces"]["ace"]:
            assert ace["actions"] == {"forwarding": "accept"}
            assert ("ipv4" in ace["matches"]) == (acl["type"] == "ipv4-acl-type")


def test_there_and_back_again() -> None:
    """What a contract allows from the device comes back as lines that the contract's own reader takes."""
    lines, left = read_mud(json.dumps(written("infusion-pump")), "pump.json")
    assert not left
    said = {(line.direction, line.protocol, line.ports) for line in lines}
    assert ("originates", "tcp", ((3613, 3613),)) in said
    assert ("originates", "udp", ((53, 53),)) in said
    assert ("responds", "tcp", ((443, 443),)) in said
    text = 'role = "infusion-pump"\nrevision = 1\ntier = "vital"\n' + as_contract_lines(lines, "MUD file pump.json")
    contract = parse_contract(text, "infusion-pump", ROLES)
    assert len(contract.does) == len(lines)
    assert not any(line.verified for line in contract.does), "what a maker says is not yet what a source says"


def test_a_makers_file() -> None:
    lines, left = read_mud(json.dumps(LIGHT), "light.json")
    assert left == ["entry 1: a peer by its DNS name: a contract names networks"] or len(left) == 1
    (line,) = lines
    assert (line.direction, line.protocol, line.peers, line.ports) == ("originates", "udp", ("local",), ((100, 200),))
    assert tomllib.loads(as_contract_lines(lines, "x"))["does"][0]["ports"] == ["100-200"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"ietf-mud:mud": 5}', '{"ietf-mud:mud": {"from-device-policy": []}}', "[" * 5000]
)
def test_no_mud_file(text: str) -> None:
    with pytest.raises(InputError):
        read_mud(text, "x")


@pytest.mark.parametrize(
    "matches",
    [
        {},
        {"tcp": {}},
        {"ipv4": {"protocol": 99}},
        {"ipv4": {"protocol": "six"}},
        {"tcp": {"destination-port": {"operator": "neq", "port": 80}}, "ipv4": {"protocol": 6}},
        {"tcp": {"destination-port": {"port": 99999}}, "ipv4": {}},
        {"udp": [], "ipv4": {"destination-ipv4-network": "not a network"}},
        5,
        None,
    ],
)
def test_entries_of_any_kind_are_lines_or_left_out(matches: Any) -> None:
    content = json.loads(json.dumps(LIGHT))
    content["ietf-access-control-list:acls"]["acl"][0]["aces"]["ace"] = [{"matches": matches}]
    lines, left = read_mud(json.dumps(content), "x")
    assert len(lines) + len(left) == 1


def test_too_many_entries() -> None:
    content = json.loads(json.dumps(LIGHT))
    aces = content["ietf-access-control-list:acls"]["acl"][0]["aces"]
    aces["ace"] = aces["ace"] * ENTRIES_MAX
    with pytest.raises(InputError, match="at most"):
        read_mud(json.dumps(content), "x")
