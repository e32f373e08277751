"""The compiled table gives what reading the lines one by one gives."""

from random import Random

import numpy as np

from agent.devices.records import EDGE, NO_SLOT, Scope
from agent.devices.roles import ROLES
from agent.findings.contract_file import Contract, Line, parse_contract
from agent.findings.contract_table import OUTSIDE, Table, compile_table
from agent.findings.contracts import shipped_folder
from agent.findings.records import NO_CONTRACT
from agent.findings.verdicts import verdicts
from tests.findings.bench import START_NS
from tests.naive.judge import Book

UNKNOWN = ROLES.index("unknown")


def shipped() -> tuple[list[Contract], tuple[Line, ...], Table]:
    texts = {
        p.stem: p.read_text() for p in sorted(shipped_folder().glob("*.toml")) if p.stem not in {"attack", "known-bad"}
    }
    common = parse_contract(texts.pop("common"), "common", ROLES).does
    contracts = [parse_contract(text, name, ROLES) for name, text in texts.items()]
    return contracts, common, compile_table(contracts, common, ROLES)


def test_the_table_is_the_lines() -> None:
    contracts, common, table = shipped()
    book = Book({c.role: c for c in contracts}, common, ())
    random = Random(20_261_102)
    roles = np.arange(len(ROLES), dtype=np.int16)  # slot n has role n
    named = sorted({p for line in table.lines for low, high in line.ports for p in (low - 1, low, high, high + 1)})
    never_roles = [ROLES.index(c.role) for c in contracts if c.never]
    edges = np.zeros(4000, EDGE)
    for edge in edges:
        edge["device"] = random.choice([*never_roles, random.randrange(len(ROLES))])
        edge["protocol"] = random.choice([6, 6, 17, 17, 1, 58, 2, 47])
        edge["port"] = random.choice([random.choice(named) & 0xFFFF, random.randrange(65536)])
        edge["direction"] = random.randrange(2)
        edge["peer_device"] = random.choice([NO_SLOT, random.randrange(len(ROLES))])
        edge["scope"] = Scope.SEGMENT if edge["peer_device"] != NO_SLOT else random.randrange(len(Scope))
    codes = verdicts(table, edges, roles).codes
    seen = set()
    for edge, code in zip(edges, codes.tolist(), strict=True):
        peer = int(edge["peer_device"])
        peer_role = ROLES[peer] if peer not in (NO_SLOT, UNKNOWN) else ""
        got = {OUTSIDE: "outside", NO_CONTRACT: "none"}.get(code, "does" if code > 0 else "never")
        expected = book.verdict(ROLES[int(edge["device"])], edge, peer_role)
        assert got == expected, (edge, peer_role, code)
        seen.add(got)
    assert seen == {"does", "never", "outside", "none"}


def test_slots_that_do_not_exist_have_no_contract() -> None:
    _, _, table = shipped()
    edges = np.zeros(3, EDGE)
    edges["device"] = [0, 7, NO_SLOT]
    assert verdicts(table, edges, np.zeros(0, np.int16)).codes.tolist() == [NO_CONTRACT] * 3
    assert verdicts(table, edges, np.full(7, UNKNOWN, np.int16)).codes.tolist() == [NO_CONTRACT] * 3


def test_fields_out_of_range_are_judged_all_the_same() -> None:
    _, _, table = shipped()
    edges = np.zeros(1, EDGE)
    edges["direction"], edges["scope"], edges["protocol"], edges["peer_device"] = 255, 255, 255, 4_000_000
    edges["first_ns"] = START_NS
    assert verdicts(table, edges, np.zeros(1, np.int16)).codes.tolist() == [OUTSIDE]


def test_the_table_stays_small() -> None:
    _, _, table = shipped()
    assert table.rules.cells.nbytes < 8 << 20
