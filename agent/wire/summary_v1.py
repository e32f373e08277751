"""Reading summaries of the first version: rows and edges as columns of msgpack's own integers, every edge by itself.

A spool holds three days of records: those that an agent wrote before it was updated come to a collector after that.
"""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any

from agent.wire.codec import LIMITS
from agent.wire.schema import COUNT, Columns, Int, ListOf, Octets, Places, Record, refuse
from agent.wire.summary import CARD, CARDS_MAX, Summary, told_beside_tables
from agent.wire.summary import SCHEMA as PRESENT
from agent.wire.tables import NUMBER_MAX, EdgeRow, Row

_NUMBER, _U8, _U16 = Int(0, NUMBER_MAX), Int(0, 255), Int(0, 65535)
ROWS = Columns((_NUMBER, *[COUNT] * 9), LIMITS.max_array)
EDGES = Columns(
    (_NUMBER, Int(0, 1), _U8, _U16, Int(-1, NUMBER_MAX), Octets((0, 4, 16)), _U8, _U8, *[COUNT] * 5), LIMITS.max_array
)
CARDS = ListOf(Places(CARD.places[:-1]), CARDS_MAX)  # without posture
SCHEMA = Record(
    {key: PRESENT.fields[key] for key in ("iv", "lg", "ig", "cv", "he")} | {"ca": CARDS, "dv": ROWS, "ed": EDGES}
)


def from_content(content: dict[str, Any]) -> Summary:
    """From content that `body.decode` has checked; WireError when device numbers overflow."""
    return Summary(
        **told_beside_tables(content),
        rows=tuple(Row(*row) for row in _rows(content["dv"])),
        edges=tuple(EdgeRow(*row) for row in _rows(content["ed"])),
    )


def _rows(columns: list[list[Any]]) -> Iterable[tuple[Any, ...]]:
    """The first column holds differences."""
    numbers = list(accumulate(columns[0]))
    if numbers and numbers[-1] > NUMBER_MAX:
        raise refuse("device numbers that add up to too much", "summary")
    return zip(numbers, *columns[1:], strict=True)
