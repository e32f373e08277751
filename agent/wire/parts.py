"""A summary too large for one message becomes several, before anything is encoded."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from agent.wire.codec import LIMITS, packed_sizes
from agent.wire.summary import CARDS_MAX, TABLE_BYTES, Summary

_NONE = slice(0)


class _Packer:
    """Which part each item goes into: the current one until its room or its number of entries is used up."""

    def __init__(self, table_bytes: int) -> None:
        self.table_bytes = table_bytes
        self.room = table_bytes
        self.part = 0

    def runs(self, items: Sequence[Any], most: int) -> Iterator[tuple[int, slice]]:
        """Parts, and which items go into each, in order; `items` are what will be packed."""
        ends = list(accumulate(packed_sizes(items)))
        start = taken = 0
        while start < len(items):
            stop = min(bisect_right(ends, taken + self.room), start + most)
            if stop > start:
                yield self.part, slice(start, stop)
                self.room -= ends[stop - 1] - taken
                start, taken = stop, ends[stop - 1]
            if start < len(items):  # an item that is larger than a whole part has one for itself
                self.part, self.room = self.part + 1, max(self.table_bytes, ends[start] - taken)


def split(summary: Summary, table_bytes: int = TABLE_BYTES) -> list[Summary]:
    """As few summaries as needed so that each surely fits one message, deflated or not: cards, then rows, then edges.

    Sizes are those before zlib; `table_bytes` is what cards, rows and edges of one part may take. Rows and edges are
    sorted by device number, so their differences are never longer than the numbers that are counted here.
    """
    packer = _Packer(table_bytes)
    cards, rows, edges = list(summary.cards), sorted(summary.rows), sorted(summary.edges)
    cards_of = dict(packer.runs([card.to_list() for card in cards], CARDS_MAX))
    rows_of = dict(packer.runs(rows, LIMITS.max_array))
    edges_of = dict(packer.runs(edges, LIMITS.max_array))
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
