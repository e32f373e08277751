"""A summary too large for one message becomes several, before anything is encoded."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from agent.wire.codec import LIMITS, pack
from agent.wire.summary import CARDS_MAX, TABLE_BYTES, Card, EdgeRow, Row, Summary, plain_row


class _Packer:
    """Which part each item goes into: the current one until its room or its number of entries is used up."""

    def __init__(self, table_bytes: int) -> None:
        self.table_bytes = table_bytes
        self.room = table_bytes
        self.part = 0

    def places(self, items: Sequence[Any], most: int) -> Iterator[int]:
        """The part of each item, in order; `items` are what will be packed."""
        entries = 0
        for item in items:
            octets = len(pack(item))
            if octets > self.room or entries == most:
                self.part, self.room, entries = self.part + 1, self.table_bytes, 0
            self.room -= octets
            entries += 1
            yield self.part


def split(summary: Summary, table_bytes: int = TABLE_BYTES) -> list[Summary]:
    """As few summaries as needed so that each surely fits one message, deflated or not: cards, then rows, then edges.

    Sizes are those before zlib; `table_bytes` is what cards, rows and edges of one part may take. Rows and edges are
    sorted by device number, so their differences are never longer than the numbers that are counted here.
    """
    packer = _Packer(table_bytes)
    rows: list[Row] = sorted(summary.rows)
    edges: list[EdgeRow] = sorted(summary.edges)
    card_parts = list(packer.places([card.to_list() for card in summary.cards], CARDS_MAX))
    row_parts = list(packer.places([plain_row(row) for row in rows], LIMITS.max_array))
    edge_parts = list(packer.places([plain_row(edge) for edge in edges], LIMITS.max_array))
    parts = packer.part + 1
    cards: list[list[Card]] = [[] for _ in range(parts)]
    rows_of: list[list[Row]] = [[] for _ in range(parts)]
    edges_of: list[list[EdgeRow]] = [[] for _ in range(parts)]
    for card, part in zip(summary.cards, card_parts, strict=True):
        cards[part].append(card)
    for row, part in zip(rows, row_parts, strict=True):
        rows_of[part].append(row)
    for edge, part in zip(edges, edge_parts, strict=True):
        edges_of[part].append(edge)
    bare = Summary(summary.interval._replace(empty_before=0))
    return [
        replace(
            bare if part else summary,
            interval=(bare if part else summary).interval._replace(part=part, parts=parts),
            cards=cards[part],
            rows=rows_of[part],
            edges=edges_of[part],
        )
        for part in range(parts)
    ]
