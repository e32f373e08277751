"""Summaries: round trips, sizes from the field tables, the budget of a settled ward."""

from dataclasses import replace
from typing import Any

import pytest

from agent.errors import WireError
from agent.signing.envelope import seal
from agent.signing.keys import PrivateKey
from agent.wire import body, summary, tables
from agent.wire.codec import pack
from agent.wire.header import HEADER_BYTES_MAX
from agent.wire.summary import (
    CARD,
    FIXED_BYTES_MAX,
    SCHEMA,
    TABLE_BYTES,
    Card,
    EdgeRow,
    Interval,
    Row,
    Summary,
)
from agent.wire.tables import edge_bytes, row_bytes, shared_bytes, shared_of
from agent.wire.types import MessageType
from tests.wire.samples import SUMMARY, header
from tests.wire.test_tables import drawn


def _over_the_wire(one: Summary) -> Summary:
    octets = body.encode(MessageType.SUMMARY, header(), one.to_content())
    return Summary.from_content(body.decode(MessageType.SUMMARY, octets)[1])


def test_a_summary_comes_back() -> None:
    assert _over_the_wire(SUMMARY) == SUMMARY
    empty = Summary(Interval(1, 2))
    assert _over_the_wire(empty) == empty


@pytest.mark.parametrize("seed", range(100, 108))
def test_any_rows_and_edges_come_back_sorted(seed: int) -> None:
    rows, edges = drawn(seed)
    back = _over_the_wire(Summary(Interval(1, 2), rows=rows, edges=edges))
    assert list(back.rows) == sorted(rows)
    assert list(back.edges) == sorted(edges)


def test_numbers_are_differences() -> None:
    content = Summary(Interval(1, 2), rows=[Row(*[9] * 10), Row(*[4] * 10), Row(*[100] * 10)]).to_content()
    assert content["dv"][1] == bytes([4, 5, 91])


def test_tables_that_do_not_fit_are_refused_when_they_are_read() -> None:
    content = SUMMARY.to_content()
    octets = body.encode(MessageType.SUMMARY, header(), content | {"dv": [3, *content["dv"][1:]]})
    read = body.decode(MessageType.SUMMARY, octets)[1]
    with pytest.raises(WireError) as refused:
        Summary.from_content(read)
    assert refused.value.reason == "bad-schema"


def test_no_count_is_larger_than_a_database_can_hold() -> None:
    for key, value in (("cv", [2**63] * 5), ("he", {"a": 2**63})):
        with pytest.raises(WireError):
            body.encode(MessageType.SUMMARY, header(), SUMMARY.to_content() | {key: value})
    with pytest.raises(WireError):
        replace(SUMMARY, rows=[Row(1, *[2**63] * 9)]).to_content()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("iv", [1, 2, 3]),
        ("iv", [1, 2, 0, 0, 0]),
        ("lg", [["eth0", 1, 2, 3, 4]]),
        ("lg", [["eth0", 1, 2, 3, 4, -1]]),
        ("cv", [1, 2, 3, 4]),
        ("ig", {"empty": -1}),
        ("he", {"a": [1]}),
        ("dv", [1, *[b"\x01"] * 9]),
        ("dv", [-1, *[b"\x01"] * 10]),
        ("dv", [4097, *[b"\x01"] * 10]),
        ("dv", [1, *[[1]] * 10]),
        ("sv", [1, *[b"\x01"] * 5]),
        ("ad", [bytes(5)]),
        ("ad", b""),
        ("ed", [[]]),
        ("ca", [[1]]),
    ],
)
def test_a_wrong_place_is_refused(key: str, value: Any) -> None:
    with pytest.raises(WireError):
        body.encode(MessageType.SUMMARY, header(), SUMMARY.to_content() | {key: value})


def test_a_cards_texts_are_cut_to_fit() -> None:
    card = Card(
        1,
        bytes(6),
        0,
        "r" * 99,
        1000,
        vendor="ü" * 99,
        names=["n" * 99] * 20,
        addresses=[bytes(4)] * 20,
        evidence=[("s" * 99, "v" * 999, 1)] * 99,
        posture=[("a" * 99, "ü" * 99)] * 99,
    )
    CARD.check(card.to_list(), "card")
    assert len(pack(card.to_list())) <= CARD.max_bytes


def test_sizes_from_the_field_tables() -> None:
    row = Row(2**32 - 1, *[2**63 - 1] * 9)
    edge = EdgeRow(2**32 - 1, 1, 255, 65535, -1, bytes(16), 255, 255, *[2**63 - 1] * 5)
    edge_octets = edge_bytes(edge) + sum(map(shared_bytes, shared_of(edge)))
    assert FIXED_BYTES_MAX + CARD.max_bytes + row_bytes(row) + edge_octets < 64 * 1024
    assert TABLE_BYTES // row_bytes(row) > 500  # even if every count took 9 octets


def test_fixed_part_at_its_largest_is_what_the_table_says() -> None:
    full = {
        "iv": [2**63 - 1, 2**63 - 1, 2**63 - 1, 1023, 1024],
        "lg": [["e" * 32, *[2**63 - 1] * 5]] * summary.LEGS_MAX,
        "ig": {f"{number:032}": 2**63 - 1 for number in range(16)},
        "cv": [2**63 - 1] * 5,
        "he": {f"{number:032}": "t" * 72 for number in range(48)},
        "ca": [],
        **{
            key: value for key, value in Summary(Interval(1, 2)).to_content().items() if key in {"dv", "sv", "ad", "ed"}
        },
    }
    SCHEMA.check(full, "summary")
    columns = tables.ROW_COLUMNS + tables.SERVICE_COLUMNS + tables.EDGE_COLUMNS
    lists = 2 * 2  # 3 octets in front of a long list (cards, addresses), 1 in front of an empty one
    longer = lists + columns + 3 * 2  # 3 in front of a long column, 2 of an empty one; 3 for many rows, 1 for none
    assert len(pack(full)) + HEADER_BYTES_MAX + 2 + longer == FIXED_BYTES_MAX


def test_a_settled_ward_keeps_the_budget() -> None:
    """32 octets per device and minute, sealed: 100 devices, each with its row and half of them with a changed edge."""
    rows = [
        Row(number, 400 + number * 7 % 90, 380 + number * 5 % 80, 60_000 + number * 211 % 9000, 52_000, 3, 3, 0, 1, 4)
        for number in range(100)
    ]
    edges = [
        EdgeRow(number, 0, 6, 3613, 100, b"", 0, 43, 1, 40 + number % 9, 39, 6000 + number * 13 % 700, 5200)
        for number in range(0, 100, 2)
    ]
    settled = replace(SUMMARY, cards=(), rows=rows, edges=edges)
    sealed = seal(
        MessageType.SUMMARY,
        body.encode(MessageType.SUMMARY, header(), settled.to_content()),
        [PrivateKey.from_seed(bytes(32))],
    )
    assert len(sealed) <= 32 * 100
