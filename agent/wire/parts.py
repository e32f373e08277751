"""A summary too large for one message becomes several, before anything is encoded."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from agent.wire.codec import packed_sizes
from agent.wire.summary import CARDS_MAX, TABLE_BYTES, Summary
from agent.wire.tables import ROWS_MAX, EdgeRow, edge_bytes, row_bytes, shared_bytes, shared_of

_NONE = slice(0)


class _Packer:
    """Which part each item goes into: the current one until its room or its number of entries is used up."""

    def __init__(self, table_bytes: int) -> None:
        self.table_bytes = table_bytes
        self.room = table_bytes
        self.part = 0

    def runs(self, sizes: Sequence[int], most: int) -> Iterator[tuple[int, slice]]:
        """Parts, and which items go into each, in order, of items that take so many octets each."""
        ends = list(accumulate(sizes))
        start = taken = 0
        while start < len(ends):
            stop = min(bisect_right(ends, taken + self.room), start + most)
            if stop > start:
                yield self.part, slice(start, stop)
                self.room -= ends[stop - 1] - taken
                start, taken = stop, ends[stop - 1]
            if start < len(ends):  # an item that is larger than a whole part has one for itself
                self.part, self.room = self.part + 1, max(self.table_bytes, ends[start] - taken)

    def edge_runs(self, edges: Sequence[EdgeRow], most: int = ROWS_MAX) -> Iterator[tuple[int, slice]]:
        """The same of edges: a service or an address takes its octets with the first edge of a part that needs it."""
        start, there = 0, set[Any]()
        for place, edge in enumerate(edges):
            needs = shared_of(edge)
            size = edge_bytes(edge) + sum(shared_bytes(thing) for thing in needs if thing not in there)
            if size > self.room or place - start == most:
                if place > start:
                    yield self.part, slice(start, place)
                start, there = place, set()
                size = edge_bytes(edge) + sum(map(shared_bytes, needs))
                self.part, self.room = self.part + 1, max(self.table_bytes, size)
            there.update(needs)
            self.room -= size
        if start < len(edges):
            yield self.part, slice(start, len(edges))


def split(summary: Summary, table_bytes: int = TABLE_BYTES) -> list[Summary]:
    """As few summaries as needed so that each surely fits one message, deflated or not: cards, then rows, then edges.

    Sizes are those before zlib; `table_bytes` is what cards, rows and edges of one part may take. Rows and edges are
    sorted by device number, so their differences are never longer than the numbers that are counted here.
    """
    packer = _Packer(table_bytes)
    cards, rows, edges = list(summary.cards), sorted(summary.rows), sorted(summary.edges)
    cards_of = dict(packer.runs(packed_sizes([card.to_list() for card in cards]), CARDS_MAX))
    rows_of = dict(packer.runs(list(map(row_bytes, rows)), ROWS_MAX))
    edges_of = dict(packer.edge_runs(edges))
    parts = packer.part + 1
    bare = Summary(summary.interval._replace(empty_before=0))
    return [
        replace(
            bare if part else summary,
            interval=(bare if part else summary).interval._replace(part=part, parts=parts),
            cards=cards[cards_of.get(part, _NONE)],
            rows=rows[rows_of.get(part, _NONE)],
            edges=edges[edges_of.get(part, _NONE)],
        )
        for part in range(parts)
    ]
