"""`docs/wire.md` says what the code does: types, sizes, signers, fields, limits, the worked example."""

import re
from pathlib import Path

import pytest

from agent.signing.keys import key_id
from agent.wire import body
from agent.wire.codec import LIMITS
from agent.wire.header import CLOCK_STATES, Header
from agent.wire.summary import CARDS_MAX, LEGS_MAX
from agent.wire.tables import EDGE_COLUMNS, ROW_COLUMNS, ROWS_MAX, SERVICE_COLUMNS, EdgeRow
from agent.wire.types import ENVELOPE_OVERHEAD_BYTES, KIB, RULES, STREAM_TYPES, MessageType
from agent.wire.varint import NUMBER_BYTES_MAX, put_numbers
from tests.golden.wire.make import vector
from tests.wire.samples import SUMMARY


@pytest.fixture
def page(root: Path) -> str:
    """The document."""
    return (root / "docs" / "wire.md").read_text()


@pytest.mark.parametrize("kind", MessageType)
def test_the_table_of_types_is_the_codes(kind: MessageType, page: str) -> None:
    row = next(line for line in page.splitlines() if line.startswith(f"| `{kind}` |"))
    _, _, size, signers, streams, leaf, _ = (cell.strip() for cell in row.split("|"))
    rule = RULES[kind]
    assert int(size) * KIB == rule.sealed_bytes_max
    if rule.signers:
        assert set(re.findall("agent|collector|operator|engineer|custodian|release", signers)) == set(rule.signers)
    assert {name for name, kinds in STREAM_TYPES.items() if kind in kinds} == set(re.findall("sensor|uplink", streams))
    assert rule.leaf == (re.sub(r",.*", "", leaf).rsplit("/", 1)[-1] if leaf != "a file" else "")
    several = re.search(r"(\d)(?:, (\d))? or (\d)", signers)
    assert rule.signers_max == (int(several[3]) if several else 1)


@pytest.mark.parametrize("kind", MessageType)
def test_every_field_of_every_type_is_explained(kind: MessageType, page: str) -> None:
    name = kind.removeprefix("wardtap/")
    start = page.find(f"### {name}")
    if start >= 0:
        part = page[start : page.index("\n###", start + 4)]
    else:
        part = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    told = set(re.findall(r"`([a-z_]+)`", part))
    assert set(body.SCHEMAS[kind].fields) <= told


def test_the_header_is_explained_in_order(page: str) -> None:
    part = page[page.index("### Header") : page.index("## Contents")]
    assert re.findall(r"^\| \d+ \|[^|]*\| `(\w+)`", part, re.MULTILINE) == list(Header.__dataclass_fields__)
    assert all(f"`{state}`" in part for state in CLOCK_STATES)


def test_limits_are_as_told(page: str) -> None:
    assert f"may have {ENVELOPE_OVERHEAD_BYTES} octets less" in page
    assert f"more than {LIMITS.max_depth} levels, arrays over {LIMITS.max_array}" in page
    assert f"over {LIMITS.max_map} entries" in page
    assert f"up to {LEGS_MAX} legs" in page
    assert f"up to {CARDS_MAX} cards" in page
    assert f"number of rows (at most {ROWS_MAX})" in page
    assert f"at most {NUMBER_BYTES_MAX} octets" in page
    for key, columns in (("dv", ROW_COLUMNS), ("sv", SERVICE_COLUMNS), ("ed", EDGE_COLUMNS)):
        assert f"- `{key}`, {columns} columns:" in page
    assert f"`ed`: {len(EdgeRow._fields)} columns" in page


def test_the_examples_of_numbers_are_the_codes(page: str) -> None:
    assert put_numbers([300]).hex(" ") in page
    count, *columns = SUMMARY.to_content()["dv"]
    assert f"`[{count}, {columns[0].hex(' ')}, {columns[1].hex(' ')}, ...]`" in page


def test_the_worked_example_is_the_vector(page: str) -> None:
    example = page[page.index("## A worked example") :]
    block = example.split("```")[1]
    octets = "".join(
        word
        for line in block.splitlines()
        for word in re.split(r"\s{3,}", line.strip())[0].split()
        if re.fullmatch(r"(?:[0-9a-f]{2})+", word)
    )
    assert octets == vector(MessageType.EPOCH)["sealed"]
    public = re.search(r"`([0-9a-f]{64})`", example)
    assert public is not None
    assert key_id(bytes.fromhex(public[1])).hex() in octets
