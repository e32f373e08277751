"""Contracts as rules: a never first, each protocol and direction by itself, peers as a filter can tell them."""

import pytest

from agent.devices.roles import ROLES
from agent.findings.segment_rules import ANY, GROUP, INTERNET, LOCAL, ports_text, rules_of
from tests.findings.bench import CONTRACTS

WITH_CONTRACT = [role for role in ROLES if CONTRACTS.contract(role)]


@pytest.mark.parametrize("role", WITH_CONTRACT)
def test_every_line_of_every_contract_is_there(role: str) -> None:
    contract = CONTRACTS.contract(role)
    assert contract is not None
    rules = rules_of(contract, CONTRACTS.common)
    lines = (*contract.never, *contract.does, *(CONTRACTS.common if contract.common else ()))
    assert len(rules) == sum(len(line.directions) * len(line.protocols) for line in lines)
    assert {rule.what for rule in rules} == {line.what for line in lines}
    permits = [rule.permits for rule in rules]
    assert permits == sorted(permits), "what is forbidden comes first: a filter takes the first rule that fits"
    known = {LOCAL, INTERNET, GROUP, ANY, *ROLES}
    assert all(set(rule.peers) <= known for rule in rules)
    assert all(bool(rule.peers) != bool(rule.networks) for rule in rules)


def test_a_pump_takes_no_telnet() -> None:
    contract = CONTRACTS.contract("infusion-pump")
    assert contract is not None
    first = rules_of(contract, CONTRACTS.common)[0]
    assert (first.permits, first.originates, first.protocol, first.ports, first.peers) == (
        False, False, 6, ((23, 23),), (ANY,),
    )  # fmt: skip


def test_ports() -> None:
    assert ports_text([(80, 80), (51243, 51244)]) == ["80", "51243-51244"]
