"""Splitting: every part fits, nothing is lost, nothing counts twice."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import body, tables
from agent.wire.parts import _Packer, split
from agent.wire.summary import CARDS_MAX, Card, EdgeRow, Row, Summary
from agent.wire.types import RULES, MessageType
from tests.wire.samples import SUMMARY, header
from tests.wire.test_tables import drawn

BIG = 2**63 - 1


def _check(whole: Summary, parts: list[Summary]) -> None:
    assert [part.interval.part for part in parts] == list(range(len(parts)))
    assert {part.interval.parts for part in parts} == {len(parts)}
    assert [card for part in parts for card in part.cards] == list(whole.cards)
    assert [row for part in parts for row in part.rows] == sorted(whole.rows)
    assert [edge for part in parts for edge in part.edges] == sorted(whole.edges)
    assert (parts[0].legs, parts[0].processed, parts[0].ignored) == (whole.legs, whole.processed, whole.ignored)
    for part in parts[1:]:
        assert not part.legs
        assert not part.processed
        assert not part.ignored
        assert not part.health
        assert part.interval.empty_before == 0


def test_what_fits_stays_whole() -> None:
    assert split(SUMMARY) == [
        replace(SUMMARY, cards=list(SUMMARY.cards), rows=list(SUMMARY.rows), edges=sorted(SUMMARY.edges))
    ]


def test_the_largest_tables_are_split_and_every_part_can_be_encoded() -> None:
    cards = [
        Card(number, bytes(6), 0, "printer", 900, vendor="v" * 64, evidence=[("s" * 32, "v" * 96, 1)] * 16)
        for number in range(90)
    ]
    whole = replace(
        SUMMARY,
        cards=cards,
        rows=[Row(number, *[BIG] * 9) for number in range(4096)],
        edges=[EdgeRow(number, 1, 6, 65535, -1, bytes(16), 2, 40, *[BIG] * 5) for number in range(2048)],
    )
    parts = split(whole)
    _check(whole, parts)
    assert len(parts) > 5
    for part in parts:
        octets = body.encode(MessageType.SUMMARY, header(), part.to_content())
        assert len(body.inflated(MessageType.SUMMARY, octets)) < RULES[MessageType.SUMMARY].body_bytes_max


def test_many_small_cards_stop_at_the_number_a_part_may_hold() -> None:
    whole = replace(SUMMARY, cards=[Card(number, bytes(6), 0, "", 0) for number in range(CARDS_MAX + 1)])
    parts = split(whole)
    _check(whole, parts)
    assert [len(part.cards) for part in parts] == [CARDS_MAX, 1]


def _one_by_one(sizes: list[int], most: int, table_bytes: int) -> list[int]:
    """The part of each item, decided item by item."""
    part, room, entries, places = 0, table_bytes, 0, []
    for size in sizes:
        if size > room or entries == most:
            part, room, entries = part + 1, table_bytes, 0
        room, entries = room - size, entries + 1
        places.append(part)
    return places


@settings(deadline=None)
@given(st.lists(st.integers(1, 60), max_size=80), st.integers(1, 12), st.integers(10, 100))
def test_items_go_where_one_by_one_would_put_them(lengths: list[int], most: int, table_bytes: int) -> None:
    """Items larger than a part are among them."""
    runs = _Packer(table_bytes).runs(lengths, most)
    places = [part for part, items_of in runs for _ in lengths[items_of]]
    assert places == _one_by_one(lengths, most, table_bytes)


def test_tables_share_a_part() -> None:
    packer = _Packer(10)
    assert list(packer.runs([1] * 6, 9)) == [(0, slice(0, 6))]
    assert list(packer.runs([1] * 6, 5)) == [(0, slice(0, 4)), (1, slice(4, 6))]
    assert list(packer.runs([1] * 9, 5)) == [(1, slice(0, 5)), (2, slice(5, 9))]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1), max_size=60), st.integers(100, 700))
def test_any_room_gives_parts_within_it(numbers: list[int], table_bytes: int) -> None:
    whole = replace(SUMMARY, cards=(), edges=(), rows=[Row(number, *[number] * 9) for number in numbers])
    parts = split(whole, table_bytes)
    _check(whole, parts)
    empty = len(
        body.inflated(
            MessageType.SUMMARY,
            body.encode(MessageType.SUMMARY, header(), replace(SUMMARY, cards=(), rows=(), edges=()).to_content()),
        )
    )
    for part in parts:
        octets = body.encode(MessageType.SUMMARY, header(), part.to_content())
        lists = 10 + 2 + 4  # longer lengths of ten columns and of their number, larger part numbers
        assert len(body.inflated(MessageType.SUMMARY, octets)) <= empty + table_bytes + lists


@pytest.mark.parametrize("seed", range(300, 330))
def test_any_edges_give_parts_within_the_room(seed: int) -> None:
    """Whatever is folded, and however many services they need, each part's tables are as small as was counted."""
    rng, (_, edges) = Random(seed), drawn(seed)
    table_bytes, most = rng.randrange(100, 900), rng.randrange(2, 30)
    runs = list(_Packer(table_bytes).edge_runs(sorted(edges), most))
    assert [edge for _, items in runs for edge in sorted(edges)[items]] == sorted(edges)
    for _, items in runs:
        there = sorted(edges)[items]
        services, addresses, columns = tables.put_edges(there)
        octets = sum(len(octets) for octets in (*services[1:], *columns[1:])) + sum(2 + len(a) for a in addresses)
        alone = len(there) == 1  # larger than a part: it has one for itself
        assert octets <= table_bytes or alone
        assert len(there) <= most
