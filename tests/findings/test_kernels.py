"""The kernel's codes and marks are the slow twin's, on edges of every kind, hostile fields included."""

from random import Random

import numpy as np
import pytest

from agent.devices.records import EDGE, NO_SLOT, EdgeDirection, EdgeGate, Scope
from agent.devices.roles import ROLES
from agent.findings.contract_file import parse_contract
from agent.findings.contract_table import OUTSIDE, Table, compile_table
from agent.findings.contracts import shipped_folder
from agent.findings.kernels import MARKS
from agent.findings.known_bad_file import parse_known_bad
from agent.findings.records import NO_CONTRACT, EdgeMark, Rows
from agent.findings.thresholds import TOOLS, TOOLS_BY_CONTENT
from agent.findings.verdicts import verdicts
from agent.packets.records import Application
from tests.findings.bench import split
from tests.naive.judge import Book, marks

LISTED = """version = "1"
[[network]]
network = "202.114.4.0/24"
what = "x"
source = "y"
[[network]]
network = "2001:db8:7::/48"
what = "x"
source = "y"
"""
ADDRESSES = ("10.1.1.1", "202.114.4.9", "202.114.5.9", "2001:db8:7::1", "2001:db8:8::1", "::ca72:409")
SPOKEN = (Application.STRATUM, Application.HL7, *TOOLS_BY_CONTENT, Application.HTTP, Application.UNKNOWN)


@pytest.fixture(scope="module")
def book() -> tuple[Book, Table]:
    """The contracts of this release and a list, as texts and compiled."""
    texts = {p.stem: p.read_text() for p in shipped_folder().glob("*.toml") if p.stem not in {"attack", "known-bad"}}
    common = parse_contract(texts.pop("common"), "common", ROLES).does
    contracts = [parse_contract(text, name, ROLES) for name, text in sorted(texts.items())]
    listed = parse_known_bad(LISTED)
    table = compile_table(contracts, common, ROLES, listed)
    return Book({contract.role: contract for contract in contracts}, common, listed), table


def random_edges(table: Table, random: Random, count: int) -> Rows:
    """Slot n has role n; a few more slots are nobody's."""
    named = sorted({p for line in table.lines for low, high in line.ports for p in (low - 1, low, high)} | {53, *TOOLS})
    with_contract = [role for role, row in enumerate(table.rules.row_of_role.tolist()) if row >= 0]
    gates = [1 << bit for bit in range(len(EdgeGate))]
    edges = np.zeros(count, EDGE)
    for edge in edges:
        edge["device"] = random.choice([*with_contract, *range(len(ROLES) + 2), NO_SLOT])
        edge["peer_device"] = random.choice([NO_SLOT, NO_SLOT, *range(len(ROLES) + 2)])
        edge["protocol"] = random.choice([6, 6, 6, 17, 17, 1, 58, 2, 47])
        edge["port"] = random.choice([random.choice(named) & 0xFFFF, random.randrange(65536)])
        edge["direction"] = random.randrange(2)
        edge["scope"] = Scope.SEGMENT if edge["peer_device"] != NO_SLOT else random.randrange(len(Scope))
        edge["gates"] = sum(random.sample(gates, random.randrange(len(gates) + 1)))
        edge["application"] = random.choice(SPOKEN)
        edge["peer_hi"], edge["peer_lo"] = split(random.choice(ADDRESSES))
    return edges


def role_of(slot: int) -> str | None:
    return ROLES[slot] if slot < len(ROLES) else None


def marked(edges: Rows, table: Table) -> list[set[EdgeMark]]:
    """The kernel's marks, turned around: those of each edge."""
    said = verdicts(table, edges, np.arange(len(ROLES), dtype=np.int16))
    found: list[set[EdgeMark]] = [set() for _ in edges]
    for mark in EdgeMark:
        places = said.places[mark, : said.counts[mark]].tolist()
        assert places == sorted(set(places)), "in the order of the turn, each once"
        for place in places:
            found[place].add(mark)
    return found


def test_the_marks_are_the_rules(book: tuple[Book, Table]) -> None:
    texts, table = book
    edges = random_edges(table, Random(20_261_128), 6000)
    seen = set[EdgeMark]()
    for edge, found in zip(edges, marked(edges, table), strict=True):
        peer = int(edge["peer_device"])
        expected = marks(texts, edge, role_of(int(edge["device"])), role_of(peer))
        assert found == expected, edge
        seen |= found
    assert seen == set(EdgeMark) - {EdgeMark.SPOKEN}


def test_any_octets_are_judged(book: tuple[Book, Table]) -> None:
    """Fields out of their range are no reason to read elsewhere, and an unknown scope is at most the widest."""
    texts, table = book
    edges = np.frombuffer(Random(7).randbytes(EDGE.itemsize * 3000), EDGE).copy()
    edges["device"][::2] = np.arange(1500) % (len(ROLES) + 1)
    edges["peer_device"][::3] = np.arange(1000) % (len(ROLES) + 1)
    said = verdicts(table, edges, np.arange(len(ROLES), dtype=np.int16))
    for edge, found, code in zip(edges, marked(edges, table), said.codes.tolist(), strict=True):
        role, peer = role_of(int(edge["device"])), role_of(int(edge["peer_device"]))
        if edge["direction"] <= max(EdgeDirection):
            assert found == marks(texts, edge, role, peer), edge
        known = "" if peer in (None, "unknown") else str(peer)
        verdict = "none" if role is None else texts.verdict(role, edge, known)
        assert {OUTSIDE: "outside", NO_CONTRACT: "none"}.get(code, "does" if code > 0 else "never") == verdict, edge


@pytest.mark.parametrize("roles", [[], [-1], [len(ROLES)], [32767], [-32768]])
def test_roles_that_are_none(book: tuple[Book, Table], roles: list[int]) -> None:
    _, table = book
    edges = random_edges(table, Random(3), 50)
    edges["device"] = edges["peer_device"] = 0
    said = verdicts(table, edges, np.array(roles, np.int16))
    assert set(said.codes.tolist()) == {NO_CONTRACT}
    assert said.counts == [0] * MARKS


def test_no_edges_and_no_list(book: tuple[Book, Table]) -> None:
    _, table = book
    rules = table.rules._replace(listed=np.zeros((0, 4), np.uint64))
    said = verdicts(table._replace(rules=rules), random_edges(table, Random(4), 300), np.arange(9, dtype=np.int16))
    assert said.counts[EdgeMark.LISTED] == 0
    assert sum(verdicts(table, np.zeros(0, EDGE), np.zeros(1, np.int16)).counts) == 0
